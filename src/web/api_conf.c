/* Keys are complained about by line, never by their value. */
#include "web/api_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/crypto.h"
#include "base/span.h"
#include "web/api_ops.h"

/* A short token can be tried out: 16 characters of base64 are 96 bits. */
enum { TOKEN_MIN = 16, TOKEN_MAX = 1024 };

#define AT(field) offsetof(struct api_key_conf, field)

static const struct conf_key keys[] = {
    {.name = "token",
     .type = CONF_STR,
     .offset = AT(token),
     .unit = "",
     .meaning = "The secret that callers send as \"Authorization: Bearer TOKEN\": 16 characters at "
                "least; better ${VARIABLE}, or token_file."},
    {.name = "token_file",
     .type = CONF_STR,
     .offset = AT(token_file),
     .unit = "",
     .meaning = "File whose first line is the token. Read before privileges are dropped, and "
                "again at a reload."},
    {.name = "calls",
     .type = CONF_LIST,
     .offset = AT(calls),
     .is_required = true,
     .unit = "",
     .meaning = "What the key may call, with commas between: send, bind, unbind, join, leave, "
                "ungroup, kick, session, online, sessions, groups, uids, count, client; read for "
                "all that only ask; * for everything. May be repeated."},
    {.name = "groups",
     .type = CONF_LIST,
     .offset = AT(groups),
     .unit = "",
     .meaning = "Patterns of groups, with commas between, * for any run of characters. A key that "
                "has some reaches nobody but through such groups. May be repeated."},
    {.name = "rate",
     .type = CONF_INT,
     .offset = AT(rate),
     .def = "100",
     .min = 0,
     .max = 1000000,
     .unit = "calls per second",
     .meaning = "Calls that each web process takes, and as many at once; 0: no limit. Each call of "
                "a batch counts."},
};

const struct conf_table api_key_table = {
    .kind = "api",
    .meaning = "A key of the HTTP API, which the web role serves at /api/ when there is one.",
    .keys = keys,
    .keys_n = ARRAY_LEN(keys),
    .conf_bytes = sizeof(struct api_key_conf),
};

bool api_conf_is_on(const struct conf *conf)
{
    for (size_t i = 0; i < conf_sections_n(conf); i++)
        if (conf_section_at(conf, i)->table == &api_key_table)
            return true;
    return false;
}

static int read_first_line(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char text[TOKEN_MAX + 2];
    ssize_t n = read(fd, text, sizeof text);
    int rc = n < 0 ? -errno : 0;
    close(fd);
    struct span rest = span_of(text, n < 0 ? 0 : (size_t)n);
    buf_put_span(out, span_trim(span_cut(&rest, '\n')));
    explicit_bzero(text, sizeof text);
    return rc;
}

int api_conf_token(const struct conf *conf, const struct api_key_conf *c, struct buf *out)
{
    if (c->token_file)
        return read_first_line(conf_path(conf, c->token_file), out);
    if (!c->token)
        return GW_ENOTFOUND;
    buf_puts(out, c->token);
    return 0;
}

/* What RFC 6750 §2.1 lets stand behind "Bearer". */
static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= ' ' || s.at[i] >= 0x7f)
            return false;
    return s.len >= TOKEN_MIN && s.len <= TOKEN_MAX;
}

static void check_token(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct api_key_conf *c = s->conf;
    struct buf token = {0};
    const char *key = c->token_file ? "token_file" : "token";
    int rc = api_conf_token(conf, c, &token);
    if (c->token && c->token_file)
        conf_complain(conf, s, "token_file", errors, "there is a token too; keep one of them");
    else if (rc == GW_ENOTFOUND)
        conf_complain(conf, s, "token", errors, "is missing; write token or token_file");
    else if (rc < 0)
        conf_complain(conf, s, "token_file", errors, "%s", gw_strerror(rc));
    else if (!is_token(buf_span(&token)))
        conf_complain(conf, s, key, errors,
                      "must have %d to %d visible ASCII characters without blanks; try: openssl "
                      "rand -base64 33",
                      TOKEN_MIN, TOKEN_MAX);
    if (token.at)
        explicit_bzero(token.at, token.len);
    buf_fini(&token);
}

static void check_calls(const struct conf_section *s, struct buf *errors)
{
    const struct api_key_conf *c = s->conf;
    for (size_t i = 0; i < c->calls.len; i++) {
        const struct conf_item *item = &c->calls.at[i];
        struct span rest = span_str(item->text);
        while (rest.at) {
            struct span word = span_trim(span_cut(&rest, ','));
            uint32_t calls;
            if (!api_ops_named(word, &calls))
                conf_complain_item(s, "calls", item, errors,
                                   "\"%.*s\" is no call; see `gatehouse keys`", (int)word.len,
                                   (const char *)word.at);
        }
    }
}

static void check_groups(const struct conf_section *s, struct buf *errors)
{
    const struct api_key_conf *c = s->conf;
    for (size_t i = 0; i < c->groups.len; i++) {
        const struct conf_item *item = &c->groups.at[i];
        struct span rest = span_str(item->text);
        while (rest.at)
            if (span_trim(span_cut(&rest, ',')).len == 0) {
                conf_complain_item(s, "groups", item, errors, "a pattern is empty");
                break;
            }
    }
}

/* The same token twice would make the order of sections decide what it may do. */
static void check_rivals(const struct conf *conf, size_t pos, struct buf *errors)
{
    const struct conf_section *s = conf_section_at(conf, pos);
    struct buf mine = {0}, other = {0};
    for (size_t i = 0; i < pos; i++) {
        const struct conf_section *earlier = conf_section_at(conf, i);
        if (earlier->table != &api_key_table)
            continue;
        buf_clear(&mine);
        buf_clear(&other);
        if (api_conf_token(conf, s->conf, &mine) == 0 && mine.len > 0 &&
            api_conf_token(conf, earlier->conf, &other) == 0 &&
            crypto_is_equal(buf_span(&mine), buf_span(&other)))
            conf_complain(conf, s, "token", errors, "is that of [api %s] too", earlier->name);
    }
    if (mine.at)
        explicit_bzero(mine.at, mine.cap);
    if (other.at)
        explicit_bzero(other.at, other.cap);
    buf_fini(&mine);
    buf_fini(&other);
}

int api_conf_check(const struct conf *conf, struct buf *errors)
{
    size_t before = errors->len;
    for (size_t i = 0; i < conf_sections_n(conf); i++) {
        const struct conf_section *s = conf_section_at(conf, i);
        if (s->table != &api_key_table)
            continue;
        check_token(conf, s, errors);
        check_calls(s, errors);
        check_groups(s, errors);
        check_rivals(conf, i, errors);
    }
    return errors->len > before ? GW_ECONF : 0;
}
