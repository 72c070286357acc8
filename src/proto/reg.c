/* Register lines: read through PHP's JSON rules, which decide what its peers can send. */
#include "proto/reg.h"

#include <gw/err.h>

#include "base/mem.h"
#include "proto/php_json.h"
#include "proto/phpser.h"

static enum reg_event event_of(const struct php_value *v)
{
    static const struct {
        const char *name;
        enum reg_event event;
    } events[] = {
        {"gateway_connect", REG_GATEWAY_CONNECT},
        {"worker_connect", REG_WORKER_CONNECT},
        {"ping", REG_PING},
        {"broadcast_addresses", REG_BROADCAST},
    };

    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (php_type(v) == PHP_STRING && span_is(php_string(v), events[i].name))
            return events[i].event;
    return REG_OTHER;
}

/* PHP's empty(): register.json event_empty, event_zero, empty_address, address_zero. */
static bool is_empty(const struct php_value *v)
{
    if (!v)
        return true;
    switch (php_type(v)) {
    case PHP_NULL:
        return true;
    case PHP_BOOL:
        return !php_bool(v);
    case PHP_INT:
        return php_int(v) == 0;
    case PHP_FLOAT:
        return php_float(v) == 0;
    case PHP_STRING:
        return php_string(v).len == 0 || span_is(php_string(v), "0");
    case PHP_ARRAY:
        return php_len(v) == 0;
    }
    return true;
}

/* A text that survives as a C string; NULL for any other value. */
static char *text_of(const struct php_value *v)
{
    if (is_empty(v) || php_type(v) != PHP_STRING || span_find(php_string(v), '\0') >= 0)
        return NULL;
    return mem_strndup(php_string(v).at, php_string(v).len);
}

static void take_secret(const struct php_value *v, struct reg_line *out)
{
    bool is_unset = !v || php_type(v) == PHP_NULL;
    struct span text = is_unset ? span_str("") : php_string(v);

    out->is_secret_text = is_unset || (php_type(v) == PHP_STRING && span_find(text, '\0') < 0);
    out->secret = out->is_secret_text ? mem_strndup(text.at, text.len) : mem_strdup("");
}

/* A list, or the object with gaps that the original makes of it (register.json unique_keys). */
static void take_addresses(const struct php_value *v, struct reg_line *out)
{
    const struct php_value *item;
    struct php_key key;
    size_t pos = 0;

    if (!v)
        return;
    while (php_next(v, &pos, &key, &item)) {
        char *address = text_of(item);
        if (address)
            vec_push(&out->addresses, address);
    }
}

static int take_line(const struct php_value *line, struct reg_line *out)
{
    if (!line || php_type(line) != PHP_ARRAY || is_empty(php_get(line, "event")))
        return GW_EPROTO;
    out->event = event_of(php_get(line, "event"));
    out->address = text_of(php_get(line, "address"));
    take_secret(php_get(line, "secret_key"), out);
    take_addresses(php_get(line, "addresses"), out);
    return 0;
}

int reg_parse(struct span line, struct reg_line *out)
{
    *out = (struct reg_line){.event = REG_OTHER};
    if (line.len > REG_LINE_MAX)
        return GW_EPROTO;
    struct php_doc *doc = php_doc_new();
    int rc = take_line(php_read_json(doc, line), out);
    php_doc_free(doc);
    return rc;
}

void reg_line_fini(struct reg_line *l)
{
    mem_free(l->address);
    mem_free(l->secret);
    for (size_t i = 0; i < l->addresses.len; i++)
        mem_free(l->addresses.at[i]);
    vec_fini(&l->addresses);
    *l = (struct reg_line){.event = REG_OTHER};
}

/* Gateways and workers of the original paste their texts between quotes, so only what would break
 * the JSON is escaped. Bytes that are not UTF-8 cannot be sent at all: no reader takes them, and an
 * empty text is refused with a clear reason at the other end. */
static void put_pasted(struct buf *out, const char *text)
{
    unsigned flags = PHP_JSON_UNESCAPED_SLASHES | PHP_JSON_UNESCAPED_UNICODE;

    if (!php_json_put_string(out, span_str(text), flags))
        buf_puts(out, "\"\"");
}

void reg_put_gateway_connect(struct buf *out, const char *address, const char *secret)
{
    buf_puts(out, "{\"event\":\"gateway_connect\", \"address\":");
    put_pasted(out, address);
    buf_puts(out, ", \"secret_key\":");
    put_pasted(out, secret);
    buf_puts(out, "}\n");
}

void reg_put_worker_connect(struct buf *out, const char *secret)
{
    buf_puts(out, "{\"event\":\"worker_connect\",\"secret_key\":");
    put_pasted(out, secret);
    buf_puts(out, "}\n");
}

void reg_put_ping(struct buf *out)
{
    buf_puts(out, "{\"event\":\"ping\"}\n");
}

/* json_encode() of the original: slashes and all that is not ASCII are escaped. */
void reg_put_broadcast(struct buf *out, const char *const *addresses, size_t n)
{
    const char *before = "";

    buf_puts(out, "{\"event\":\"broadcast_addresses\",\"addresses\":[");
    for (size_t i = 0; i < n; i++) {
        size_t len = out->len;
        buf_puts(out, before);
        if (php_json_put_string(out, span_str(addresses[i]), 0))
            before = ",";
        else
            out->len = len; /* not UTF-8: came from no line, so no gateway can have it */
    }
    buf_puts(out, "]}\n");
}
