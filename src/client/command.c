/* Every byte here is one that vectors/gateway-client.json records for the same call. */
#include "client/command.h"

#include <strings.h>

#include <gw/err.h>

#include "proto/client_id.h"
#include "proto/php_json.h"

/* The key that offers our extensions, as the last of a greeting. */
static const char OFFER_END[] = ",\"gatehouse\":1}";
/* The same of a link that wants to be told which names have members where. */
static const char TOLD_OFFER_END[] = ",\"gatehouse\":1,\"interest\":1}";
/* The same, with answers as packets. */
static const char LINK_OFFER_END[] = ",\"gatehouse\":1,\"packets\":1,\"interest\":1}";

enum { REPEATS_SOUGHT_MAX = 256 };

struct wire_packet command_of(uint8_t cmd)
{
    return (struct wire_packet){.cmd = cmd, .flag = WIRE_SCALAR};
}

int command_check_name(struct gw_bytes name)
{
    return name.data && name.len >= 1 && name.len <= GW_NAME_MAX ? 0 : GW_EBADNAME;
}

static int put_name(struct buf *out, struct gw_bytes name)
{
    int rc = command_check_name(name);

    if (rc < 0)
        return rc;
    return php_json_put_string(out, span_of(name.data, name.len), 0) ? 0 : GW_EUTF8;
}

static int put_names(struct buf *out, const struct gw_bytes *names, size_t n)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_putc(out, ',');
        int rc = put_name(out, names[i]);
        if (rc < 0)
            return rc;
    }
    buf_putc(out, ']');
    return 0;
}

int command_names(struct buf *out, const struct gw_bytes *names, size_t n)
{
    buf_clear(out);
    return put_names(out, names, n);
}

static bool is_listed(const char *const *ids, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] && strcasecmp(ids[i], id) == 0)
            return true;
    return false;
}

/* PHP keeps an id once, being a key. In a long list that is not worth the time: a repeated member
 * means the same to whoever reads it. */
static bool is_repeated(const char *const *ids, size_t n, size_t pos)
{
    return n <= REPEATS_SOUGHT_MAX && is_listed(ids, pos, ids[pos]);
}

/* Appends `"7":7` for each id of that gateway that is not in `but`; how many there were. Keyed by
 * the number because PHP looks the excluded up by key (vectors/README.md, Traps). */
static size_t put_ids(struct buf *out, struct gateway_at at, const char *const *ids, size_t n,
                      const char *const *but, size_t but_n)
{
    size_t put_n = 0;

    for (size_t i = 0; i < n; i++) {
        struct client_id id;
        if (client_id_parse(span_str(ids[i]), &id) < 0 || !gateway_at_eq(gateway_of(id), at) ||
            is_listed(but, but_n, ids[i]) || is_repeated(ids, n, i))
            continue;
        buf_printf(out, "%s\"%u\":%u", put_n++ > 0 ? "," : "", id.connection_id, id.connection_id);
    }
    return put_n;
}

/* Appends `HEAD{"1":1}TAIL`, or nothing and returns false when no id is left. */
static bool put_id_map(struct buf *out, const char *head, struct gateway_at at,
                       const char *const *ids, size_t n, const char *const *but, size_t but_n)
{
    size_t before = out->len;

    buf_puts(out, head);
    buf_putc(out, '{');
    if (put_ids(out, at, ids, n, but, but_n) == 0) {
        out->len = before;
        return false;
    }
    buf_puts(out, "}}");
    return true;
}

int command_group(struct buf *out, const struct gw_bytes *groups, size_t n, struct gateway_at at,
                  const char *const *exclude_ids, size_t exclude_n)
{
    buf_clear(out);
    buf_puts(out, "{\"group\":");
    int rc = put_names(out, groups, n);
    if (rc < 0)
        return rc;
    if (!put_id_map(out, ",\"exclude\":", at, exclude_ids, exclude_n, NULL, 0))
        buf_puts(out, ",\"exclude\":null}");
    return 0;
}

void command_exclude(struct buf *out, struct gateway_at at, const char *const *ids, size_t n)
{
    buf_clear(out);
    (void)put_id_map(out, "{\"exclude\":", at, ids, n, NULL, 0);
}

void command_connections(struct buf *out, struct gateway_at at, const struct gw_send *how)
{
    buf_clear(out);
    (void)put_id_map(out, "{\"connections\":", at, how->only_ids, how->only_n, how->exclude_ids,
                     how->exclude_n);
}

void command_select(struct buf *out, const char *fields)
{
    buf_clear(out);
    buf_printf(out, "{\"fields\":[%s],\"where\":[]}", fields);
}

void command_select_client(struct buf *out, const char *fields, uint32_t connection_id)
{
    buf_clear(out);
    buf_printf(out, "{\"fields\":[%s],\"where\":{\"connection_id\":{\"%u\":%u}}}", fields,
               connection_id, connection_id);
}

int command_select_group(struct buf *out, const char *fields, struct gw_bytes group)
{
    buf_clear(out);
    buf_printf(out, "{\"fields\":[%s],\"where\":{\"groups\":[", fields);
    int rc = put_name(out, group);
    buf_puts(out, "]}}");
    return rc;
}

static int put_member(struct buf *out, const char *name, const char *value)
{
    buf_printf(out, "\"%s\":", name);
    return php_json_put_string(out, span_str(value), 0) ? 0 : GW_EUTF8;
}

int command_put_worker_connect(struct buf *out, const char *worker_key, const char *secret,
                               unsigned offers)
{
    buf_putc(out, '{');
    int rc = put_member(out, "worker_key", worker_key);
    if (rc < 0)
        return rc;
    buf_putc(out, ',');
    rc = put_member(out, "secret_key", secret);
    if (rc < 0)
        return rc;
    if (offers & WORKER_OFFERS_TO_JUDGE)
        buf_puts(out, ",\"judge\":1");
    if (offers & WORKER_SKIPS_REQUESTS)
        buf_puts(out, ",\"no_requests\":1");
    if (offers & WORKER_OFFERS_TO_HEAR)
        buf_puts(out, ",\"buffers\":1");
    buf_puts(out, offers & WORKER_OFFERS_OURS ? TOLD_OFFER_END : "}");
    return 0;
}

static void put_greeting(struct buf *out, const char *secret, const char *end)
{
    struct wire_packet p = command_of(CMD_GATEWAY_CLIENT_CONNECT);
    struct buf body = {0};

    buf_putc(&body, '{');
    if (put_member(&body, "secret_key", secret) < 0)
        buf_clear(&body); /* as PHP sends it: the gateway refuses it and closes */
    else
        buf_puts(&body, end);
    p.body = buf_span(&body);
    wire_put(out, &p);
    buf_fini(&body);
}

void command_put_secret(struct buf *out, const char *secret)
{
    put_greeting(out, secret, "}");
}

void command_put_offer(struct buf *out, const char *secret)
{
    put_greeting(out, secret, OFFER_END);
}

void command_put_link_offer(struct buf *out, const char *secret)
{
    put_greeting(out, secret, LINK_OFFER_END);
}
