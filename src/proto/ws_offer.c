/* Sec-WebSocket-Extensions read and answered: RFC 6455 §9.1, RFC 7692 §5 and §7.1. */
#include <gw/err.h>

#include "proto/http.h"
#include "proto/ws_deflate.h"

enum param {
    SERVER_NO_TAKEOVER,
    CLIENT_NO_TAKEOVER,
    SERVER_BITS,
    CLIENT_BITS,
    PARAMS_N,
};

static const char *const param_names[PARAMS_N] = {
    [SERVER_NO_TAKEOVER] = "server_no_context_takeover",
    [CLIENT_NO_TAKEOVER] = "client_no_context_takeover",
    [SERVER_BITS] = "server_max_window_bits",
    [CLIENT_BITS] = "client_max_window_bits",
};

/* One element of the list. */
struct offer {
    bool is_acceptable;
    bool has[PARAMS_N];
    uint8_t bits[PARAMS_N]; /* 0: without a value */
};

/* ---- the grammar ---- */

static void skip_blanks(struct span *rest)
{
    while (rest->len > 0 && (rest->at[0] == ' ' || rest->at[0] == '\t'))
        *rest = span_skip(*rest, 1);
}

/* Takes the character, and blanks around it. */
static bool take_mark(struct span *rest, uint8_t mark)
{
    skip_blanks(rest);
    if (rest->len == 0 || rest->at[0] != mark)
        return false;
    *rest = span_skip(*rest, 1);
    skip_blanks(rest);
    return true;
}

static struct span take_token(struct span *rest)
{
    size_t n = 0;
    while (n < rest->len && http_is_token_char(rest->at[n]))
        n++;
    struct span token = span_of(rest->at, n);
    *rest = span_skip(*rest, n);
    return token;
}

/* A token, or one in quotes (RFC 6455 §9.1: what is quoted must be a token). Numbers and names need
 * no backslashes, so that none is understood. {NULL, 0}: not well-formed. */
static struct span take_value(struct span *rest)
{
    bool is_quoted = rest->len > 0 && rest->at[0] == '"';
    if (is_quoted)
        *rest = span_skip(*rest, 1);
    struct span value = take_token(rest);
    if (is_quoted && (rest->len == 0 || rest->at[0] != '"'))
        return span_of(NULL, 0);
    if (is_quoted)
        *rest = span_skip(*rest, 1);
    return value.len > 0 ? value : span_of(NULL, 0);
}

/* ---- one offer ---- */

/* 8 to 15 without leading zeros (§7.1.2.1); 0: anything else. */
static uint8_t bits_of(struct span value)
{
    if (value.len == 1 && value.at[0] >= '8' && value.at[0] <= '9')
        return (uint8_t)(value.at[0] - '0');
    if (value.len == 2 && value.at[0] == '1' && value.at[1] >= '0' && value.at[1] <= '5')
        return (uint8_t)(10 + value.at[1] - '0');
    return 0;
}

/* §7.1: unknown and repeated parameters and values that are not valid make an offer unacceptable.
 */
static void note_param(struct offer *o, struct span name, const struct span *value)
{
    size_t i = 0;
    while (i < PARAMS_N && !span_eq_nocase(name, param_names[i]))
        i++;
    if (i == PARAMS_N || o->has[i]) {
        o->is_acceptable = false;
        return;
    }
    bool is_flag = i == SERVER_NO_TAKEOVER || i == CLIENT_NO_TAKEOVER;
    o->has[i] = true;
    o->bits[i] = value ? bits_of(*value) : 0;
    if ((value && (is_flag || o->bits[i] == 0)) || (!value && i == SERVER_BITS))
        o->is_acceptable = false;
}

/* Reads up to the comma behind the offer. false: not well-formed. */
static bool take_offer(struct span *rest, struct offer *o)
{
    *o = (struct offer){0};
    struct span name = take_token(rest);
    if (name.len == 0)
        return false;
    o->is_acceptable = span_eq_nocase(name, "permessage-deflate");
    while (take_mark(rest, ';')) {
        struct span value;
        struct span param = take_token(rest);
        if (param.len == 0)
            return false;
        bool has_value = take_mark(rest, '=');
        if (has_value) {
            value = take_value(rest);
            if (!value.at)
                return false;
        }
        note_param(o, param, has_value ? &value : NULL);
    }
    skip_blanks(rest);
    return rest->len == 0 || rest->at[0] == ',';
}

/* ---- the answer ---- */

static uint8_t smaller(uint8_t offered, uint8_t ours)
{
    return offered > 0 && offered < ours ? offered : ours;
}

static struct ws_deflate_terms settle(const struct ws_deflate_conf *conf, const struct offer *o)
{
    uint8_t client_bits = WS_WINDOW_BITS_MAX; /* §7.1.2.2: unoffered, it cannot be asked for */
    if (o->has[CLIENT_BITS])
        client_bits = smaller(o->bits[CLIENT_BITS], conf->window_bits);
    return (struct ws_deflate_terms){
        .server_bits = smaller(o->bits[SERVER_BITS], conf->window_bits),
        .client_bits = client_bits,
        .keeps_ours = conf->keeps_ours && !o->has[SERVER_NO_TAKEOVER],
        .keeps_theirs = conf->keeps_theirs && !o->has[CLIENT_NO_TAKEOVER],
    };
}

static void put_answer(struct buf *out, const struct offer *o, struct ws_deflate_terms terms)
{
    buf_puts(out, "permessage-deflate");
    if (!terms.keeps_ours)
        buf_printf(out, "; %s", param_names[SERVER_NO_TAKEOVER]);
    if (!terms.keeps_theirs)
        buf_printf(out, "; %s", param_names[CLIENT_NO_TAKEOVER]);
    if (o->has[SERVER_BITS])
        buf_printf(out, "; %s=%d", param_names[SERVER_BITS], terms.server_bits);
    if (o->has[CLIENT_BITS])
        buf_printf(out, "; %s=%d", param_names[CLIENT_BITS], terms.client_bits);
}

/* One header line: 1 agreed, 0 not, GW_EPROTO. */
static int judge_line(const struct ws_deflate_conf *conf, struct span rest, bool is_agreed,
                      struct ws_deflate_terms *terms, struct buf *answer)
{
    int rc = 0;
    for (;;) {
        while (take_mark(&rest, ','))
            continue; /* empty elements of a list: RFC 9110 §5.6.1.2 */
        if (rest.len == 0)
            return rc;
        struct offer o;
        if (!take_offer(&rest, &o))
            return GW_EPROTO;
        if (!o.is_acceptable || is_agreed || rc == 1)
            continue;
        *terms = settle(conf, &o);
        put_answer(answer, &o, *terms);
        rc = 1;
    }
}

int ws_deflate_agree(const struct ws_deflate_conf *conf, const struct http_request *r,
                     struct ws_deflate_terms *terms, struct buf *answer)
{
    bool is_agreed = false;
    for (size_t i = 0; i < r->headers_n; i++) {
        if (!span_eq_nocase(r->headers[i].name, "sec-websocket-extensions"))
            continue;
        int rc = judge_line(conf, r->headers[i].value, is_agreed, terms, answer);
        if (rc < 0)
            return rc;
        is_agreed = is_agreed || rc == 1;
    }
    return is_agreed;
}
