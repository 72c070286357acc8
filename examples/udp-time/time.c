/* Answers each datagram with the time: seconds since 1970, or a date for "date". */
#include <stdio.h>
#include <time.h>

#include <gw/module.h>
#include <gw/service.h>

static void on_message(struct gw *gw, struct gw_conn *sender, struct gw_bytes message)
{
    char text[64];
    time_t now = time(NULL);
    struct tm utc;

    snprintf(text, sizeof text, "%lld\n", (long long)now);
    if (message.len >= 4 && memcmp(message.data, "date", 4) == 0 && gmtime_r(&now, &utc))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S\n", &utc);
    int rc = gw_conn_send(sender, gw_str(text));
    if (rc < 0)
        gw_log_error(gw, "no time for %s: %s", gw_conn_ip(sender), gw_strerror(rc));
}

const struct gw_service_module gw_service_module = {
    .abi = GW_SERVICE_ABI,
    .name = "time",
    .on_message = on_message,
};
