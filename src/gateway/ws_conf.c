/* What a gateway agrees on with its WebSocket clients beyond the protocol. */
#include "gateway/ws_conf.h"

#include <string.h>

#include <gw/err.h>

#include "proto/http.h"

bool ws_subprotocol_is_valid(struct span name)
{
    static const char separators[] = "()<>@,;:\\\"/[]?={} \t"; /* RFC 2616 §2.2 */
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] >= 0x7f || strchr(separators, name.at[i]))
            return false;
    return name.len > 0;
}

int ws_conf_check(const struct conf *conf, const struct conf_section *s, const struct ws_conf *wc,
                  struct buf *errors)
{
    int rc = 0;
    for (size_t i = 0; i < wc->subprotocols.len; i++) {
        const struct conf_item *item = &wc->subprotocols.at[i];
        if (ws_subprotocol_is_valid(span_str(item->text)))
            continue;
        buf_printf(errors,
                   "%s:%d: [%s%s%s] subprotocol: \"%s\" is no name: letters, digits and . - _ "
                   "without blanks\n",
                   item->file, item->line, s->table->kind, s->name[0] ? " " : "", s->name,
                   item->text);
        rc = GW_ECONF;
    }
    return rc;
}

bool ws_conf_keeps_ours(const struct ws_conf *wc)
{
    return wc->deflate_takeover == WS_TAKEOVER_SERVER || wc->deflate_takeover == WS_TAKEOVER_BOTH;
}

struct ws_deflate *ws_conf_deflate(const struct ws_conf *wc)
{
    if (!wc->has_deflate)
        return NULL;
    int takeover = wc->deflate_takeover;
    return ws_deflate_new(&(struct ws_deflate_conf){
        .window_bits = (uint8_t)wc->deflate_window_bits,
        .mem_level = (uint8_t)wc->deflate_mem_level,
        .keeps_ours = ws_conf_keeps_ours(wc),
        .keeps_theirs = takeover == WS_TAKEOVER_CLIENT || takeover == WS_TAKEOVER_BOTH,
        .min_bytes = (size_t)wc->deflate_min_bytes,
    });
}

/* The next name of the list in all Sec-WebSocket-Protocol lines; names are case-sensitive. */
static bool next_asked(const struct http_request *r, size_t *line, struct span *rest,
                       struct span *name)
{
    for (;;) {
        while (rest->len > 0) {
            *name = span_trim(span_cut(rest, ','));
            if (name->len > 0)
                return true;
        }
        while (*line < r->headers_n &&
               !span_eq_nocase(r->headers[*line].name, "sec-websocket-protocol"))
            (*line)++;
        if (*line == r->headers_n)
            return false;
        *rest = r->headers[(*line)++].value;
    }
}

struct span ws_conf_choose(const struct ws_conf *wc, const struct http_request *r)
{
    size_t line = 0;
    struct span rest = {0};
    struct span asked;
    while (next_asked(r, &line, &rest, &asked))
        for (size_t i = 0; i < wc->subprotocols.len; i++)
            if (span_is(asked, wc->subprotocols.at[i].text))
                return asked;
    return span_of(NULL, 0);
}
