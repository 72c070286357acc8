/* One look-up is one connection; the caller keeps the list for a while. */
#include "client/lookup.h"

#include <gw/err.h>

#include "base/log.h"
#include "client/line.h"
#include "net/resolve.h"
#include "proto/reg.h"

static int read_list(struct span text, struct addr_book *book)
{
    struct reg_line line = {0};
    int rc = reg_parse(text, &line);

    if (rc < 0)
        return rc;
    if (line.event == REG_BROADCAST) {
        addr_book_clear(book);
        for (size_t i = 0; i < line.addresses.len; i++) {
            const char *address = line.addresses.at[i];
            if (addr_book_add_text(book, address) < 0)
                log_warn("the registry names a gateway \"%s\", which is no usable address",
                         address);
        }
    } else
        rc = GW_EPROTO;
    reg_line_fini(&line);
    return rc;
}

int lookup_gateways(const char *registry, const char *secret, const struct peer_tls *tls,
                    uint64_t deadline_ms, struct addr_book *book)
{
    struct addr to;
    int rc = resolve_now(registry, &to);

    if (rc < 0)
        return rc;
    struct line *line = line_new(&to, registry, tls);
    line_begin(line, LINE_TEXT);
    reg_put_worker_connect(&line->out, secret);
    lines_run(&line, 1, deadline_ms);
    rc = line->rc;
    if (rc == 0)
        rc = read_list(buf_span(&line->in), book);
    else if (rc == GW_ECLOSED)
        rc = GW_EAUTH; /* a registry closes silently on a wrong key (vectors/register.json) */
    line_free(line);
    return rc;
}
