/* Tokens are kept as digests: equal in length, so that comparing them tells nothing, and none can
 * be read from a core file. */
#include "web/api_key.h"

#include <string.h>

#include <gw/err.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/part.h"
#include "web/api_conf.h"
#include "web/api_ops.h"

/* Past it a bucket is full at any rate, and the multiplication cannot overflow before. */
enum { LONG_REST_MS = 3600000 };

static uint32_t read_calls(const struct conf_list *list)
{
    uint32_t all = 0;
    for (size_t i = 0; i < list->len; i++) {
        struct span rest = span_str(list->at[i].text);
        uint32_t calls = 0;
        while (rest.at)
            if (api_ops_named(span_trim(span_cut(&rest, ',')), &calls))
                all |= calls;
    }
    return all;
}

int api_keys_read(const struct conf *conf, struct buf *credentials, struct buf *errors)
{
    /* Again, because a reload gets here with files that no check has seen. */
    if (api_conf_check(conf, errors) < 0)
        return GW_ECONF;
    for (size_t i = 0; i < conf_sections_n(conf); i++) {
        const struct conf_section *s = conf_section_at(conf, i);
        struct buf token = {0};
        uint8_t digest[API_DIGEST_BYTES];
        if (s->table != &api_key_table)
            continue;
        int rc = api_conf_token(conf, s->conf, &token);
        crypto_sha256(buf_span(&token), digest);
        if (token.at)
            explicit_bzero(token.at, token.len);
        buf_fini(&token);
        if (rc < 0)
            return conf_complain(conf, s, "token_file", errors, "%s", gw_strerror(rc));
        part_put(credentials, span_of(digest, sizeof digest));
    }
    return 0;
}

static int take_digest(const char *name, struct span *credentials, uint8_t out[API_DIGEST_BYTES])
{
    struct span digest;
    if (!part_take(credentials, &digest) || digest.len != API_DIGEST_BYTES) {
        log_error("[api %s]: the token did not arrive", name);
        return GW_ECONF;
    }
    memcpy(out, digest.at, digest.len);
    return 0;
}

int api_keys_load(struct api_keys *k, const struct conf *conf, struct span *credentials,
                  uint64_t now_ms)
{
    size_t sections_n = conf_sections_n(conf);
    *k = (struct api_keys){.at = mem_zalloc((sections_n + 1) * sizeof *k->at)};
    for (size_t i = 0; i < sections_n; i++) {
        const struct conf_section *s = conf_section_at(conf, i);
        if (s->table != &api_key_table)
            continue;
        const struct api_key_conf *c = s->conf;
        k->at[k->n++] = (struct api_key){.name = s->name,
                                         .calls = read_calls(&c->calls),
                                         .groups = c->groups,
                                         .rate = c->rate,
                                         .credit_milli = c->rate * 1000,
                                         .credit_at_ms = now_ms};
    }
    int rc = api_keys_renew(k, credentials);
    if (rc < 0)
        api_keys_fini(k);
    return rc;
}

int api_keys_renew(struct api_keys *k, struct span *credentials)
{
    struct span rest = *credentials;
    uint8_t digest[API_DIGEST_BYTES];
    for (size_t i = 0; i < k->n; i++)
        if (take_digest(k->at[i].name, &rest, digest) < 0)
            return GW_ECONF;
    for (size_t i = 0; i < k->n; i++)
        (void)take_digest(k->at[i].name, credentials, k->at[i].digest);
    return 0;
}

void api_keys_fini(struct api_keys *k)
{
    mem_free(k->at);
    *k = (struct api_keys){0};
}

struct api_key *api_keys_find(const struct api_keys *k, struct span token)
{
    uint8_t digest[API_DIGEST_BYTES];
    struct api_key *found = NULL;
    crypto_sha256(token, digest);
    for (size_t i = 0; i < k->n; i++) /* all of them: the place of a key is nobody's business */
        if (crypto_is_equal(span_of(digest, sizeof digest),
                            span_of(k->at[i].digest, sizeof k->at[i].digest)))
            found = &k->at[i];
    return found;
}

bool api_key_may_call(const struct api_key *k, unsigned op)
{
    return (k->calls >> op & 1) != 0;
}

bool api_key_is_confined(const struct api_key *k)
{
    return k->groups.len > 0;
}

/* '*' stands for any run of bytes. One step back to the last star is enough, so that no pattern
 * takes longer than pattern times text. */
static bool matches(struct span pattern, struct span text)
{
    size_t p = 0, t = 0;
    size_t star = SIZE_MAX, resume = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && pattern.at[p] == text.at[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

bool api_key_may_group(const struct api_key *k, struct span group)
{
    if (!api_key_is_confined(k))
        return true;
    for (size_t i = 0; i < k->groups.len; i++) {
        struct span rest = span_str(k->groups.at[i].text);
        while (rest.at)
            if (matches(span_trim(span_cut(&rest, ',')), group))
                return true;
    }
    return false;
}

/* A bucket that holds one second's worth. A batch may overdraw it, since a batch that is larger
 * than the bucket could never pass otherwise; what follows waits until the debt is paid. */
unsigned api_key_charge(struct api_key *k, size_t n, uint64_t now_ms)
{
    if (k->rate == 0)
        return 0;
    int64_t full_milli = k->rate * 1000;
    uint64_t passed_ms = now_ms - k->credit_at_ms;
    k->credit_at_ms = now_ms;
    if (passed_ms > LONG_REST_MS)
        k->credit_milli = full_milli;
    else
        k->credit_milli += k->rate * (int64_t)passed_ms;
    if (k->credit_milli > full_milli)
        k->credit_milli = full_milli;
    if (k->credit_milli < 1000)
        return (unsigned)((1000 - k->credit_milli + full_milli - 1) / full_milli);
    k->credit_milli -= (int64_t)n * 1000;
    return 0;
}
