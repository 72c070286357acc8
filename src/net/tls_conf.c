/* The TLS keys of a section, the same for every role, and what they name: read, checked, opened.
 *
 * Its part of the credentials has as parts: the ticket secret, each certificate and its key, the
 * clients' CA (empty without one). */
#include "net/tls_conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/part.h"

enum { FILE_MAX_BYTES = 1 << 20, SECRET_BYTES = 32, WARN_S = 14 * 24 * 3600 };

/* Where a complaint belongs: a section, and in it one value of a key. */
struct place {
    const struct conf *conf;
    const struct conf_section *section;
    struct buf *errors;
};

static void complain_key(const struct place *at, const char *key, const char *value,
                         const char *what)
{
    conf_complain(at->conf, at->section, key, at->errors, "%s%s%s", value ? value : "",
                  value ? ": " : "", what);
}

static void complain_item(const struct place *at, const char *key, const struct conf_item *item,
                          const char *what)
{
    conf_complain_item(at->section, key, item, at->errors, "%s: %s", item->text, what);
}

bool tls_conf_is_on(const struct tls_conf *tls)
{
    return tls->certs.len > 0;
}

/* ---- reading ---- */

static int read_item(const struct place *at, const char *key, const struct conf_item *item,
                     struct buf *out)
{
    int rc = part_put_file(out, conf_path(at->conf, item->text), FILE_MAX_BYTES);
    if (rc == 0)
        return 0;
    complain_item(at, key, item, gw_strerror(rc));
    return GW_ECONF;
}

static int read_files(const struct place *at, const struct tls_conf *tls, struct buf *out)
{
    uint8_t secret[SECRET_BYTES];
    int rc = 0;
    crypto_random(secret, sizeof secret);
    part_put(out, span_of(secret, sizeof secret));
    for (size_t i = 0; i < tls->certs.len; i++)
        if (read_item(at, "tls_cert", &tls->certs.at[i], out) < 0 ||
            read_item(at, "tls_key", &tls->keys.at[i], out) < 0)
            rc = GW_ECONF;
    if (!tls->client_ca) {
        part_put(out, span_of(NULL, 0));
        return rc;
    }
    int rc_ca = part_put_file(out, conf_path(at->conf, tls->client_ca), FILE_MAX_BYTES);
    if (rc_ca == 0)
        return rc;
    complain_key(at, "tls_client_ca", tls->client_ca, gw_strerror(rc_ca));
    return GW_ECONF;
}

/* ---- opening ---- */

/* NULL: complaint->text is "" when the bytes are none of ours. */
static struct tls_context *make(const struct tls_conf *tls, struct span credentials,
                                struct tls_complaint *complaint)
{
    struct tls_setup setup = {
        .pairs_n = tls->certs.len,
        .verify = (enum tls_verify)tls->verify,
        .min_version = (enum tls_version)tls->min_version,
        .ciphers = tls->ciphers,
        .suites = tls->suites,
        .has_kernel = tls->has_kernel,
    };
    struct tls_pair *pairs = mem_zalloc(tls->certs.len * sizeof *pairs);
    bool is_whole = part_take(&credentials, &setup.ticket_secret);
    for (size_t i = 0; is_whole && i < tls->certs.len; i++)
        is_whole =
            part_take(&credentials, &pairs[i].cert) && part_take(&credentials, &pairs[i].key);
    is_whole = is_whole && part_take(&credentials, &setup.client_ca);
    setup.pairs = pairs;
    *complaint = (struct tls_complaint){.text = ""};
    struct tls_context *ctx = is_whole ? tls_context_new(&setup, complaint) : NULL;
    mem_free(pairs);
    return ctx;
}

int tls_conf_open(const struct tls_conf *tls, struct span *credentials, struct tls_context **out)
{
    struct tls_complaint complaint = {.text = ""};
    struct span own;
    *out = NULL;
    if (!tls_conf_is_on(tls))
        return 0;
    *out = part_take(credentials, &own) ? make(tls, own, &complaint) : NULL;
    if (*out)
        return 0;
    log_error("TLS cannot be set up: %s",
              complaint.text[0] ? complaint.text : "the certificates did not arrive");
    return GW_ECONF;
}

/* ---- checking ---- */

static void pass_on(const struct place *at, const struct tls_conf *tls,
                    const struct tls_complaint *complaint)
{
    size_t pos = complaint->pair_pos;
    switch (complaint->part) {
    case TLS_PART_CERT:
        complain_item(at, "tls_cert", &tls->certs.at[pos], complaint->text);
        return;
    case TLS_PART_KEY:
        complain_item(at, "tls_key", &tls->keys.at[pos], complaint->text);
        return;
    case TLS_PART_CLIENT_CA:
        complain_key(at, "tls_client_ca", tls->client_ca, complaint->text);
        return;
    case TLS_PART_CIPHERS:
        complain_key(at, "tls_ciphers", tls->ciphers, complaint->text);
        return;
    case TLS_PART_SUITES:
        complain_key(at, "tls_ciphersuites", tls->suites, complaint->text);
        return;
    }
}

static void warn_of_end(const struct tls_conf *tls, const struct tls_context *ctx)
{
    for (size_t i = 0; i < tls->certs.len; i++) {
        int64_t left_s = tls_context_expiry_s(ctx, i) - clock_wall_s();
        const struct conf_item *item = &tls->certs.at[i];
        if (left_s < 0)
            log_warn("%s:%d: tls_cert: %s expired %" PRId64 " days ago: clients will refuse it",
                     item->file, item->line, item->text, -left_s / 86400);
        else if (left_s < WARN_S)
            log_warn("%s:%d: tls_cert: %s expires in %" PRId64 " days", item->file, item->line,
                     item->text, left_s / 86400);
    }
}

/* What can be seen without the files. */
static int check_keys(const struct place *at, const struct tls_conf *tls)
{
    const char *key = NULL, *what = NULL;
    if (tls->certs.len != tls->keys.len) {
        key = tls->certs.len > 0 ? "tls_cert" : "tls_key";
        what = "each tls_cert needs a tls_key and the other way round, in the same order";
    } else if (tls->certs.len > 0 && tls->verify != TLS_VERIFY_NONE && !tls->client_ca) {
        key = "tls_verify";
        what = "needs tls_client_ca, the certificates that sign clients' certificates";
    } else if (tls->certs.len > 0 && tls->verify == TLS_VERIFY_NONE && tls->client_ca) {
        key = "tls_client_ca";
        what = "has no effect with tls_verify = none; write required, or optional";
    } else if (tls->certs.len == 0 && (tls->client_ca || tls->verify != TLS_VERIFY_NONE)) {
        key = tls->client_ca ? "tls_client_ca" : "tls_verify";
        what = "has no effect without tls_cert and tls_key";
    }
    if (!what)
        return 0;
    complain_key(at, key, NULL, what);
    return GW_ECONF;
}

/* Into *own, which is wiped by the caller. */
static int read_checked(const struct place *at, const struct tls_conf *tls, struct buf *own)
{
    struct tls_complaint complaint;
    if (read_files(at, tls, own) < 0)
        return GW_ECONF;
    struct tls_context *ctx = make(tls, buf_span(own), &complaint);
    if (!ctx) {
        pass_on(at, tls, &complaint);
        return GW_ECONF;
    }
    warn_of_end(tls, ctx);
    tls_context_unref(ctx);
    return 0;
}

int tls_conf_read(const struct conf *conf, const struct conf_section *s, const struct tls_conf *tls,
                  struct buf *credentials, struct buf *errors)
{
    struct place at = {.conf = conf, .section = s, .errors = errors};
    struct buf own = {0};
    if (check_keys(&at, tls) < 0)
        return GW_ECONF;
    if (!tls_conf_is_on(tls))
        return 0;
    int rc = read_checked(&at, tls, &own);
    if (rc == 0)
        part_put(credentials, buf_span(&own));
    if (own.at)
        explicit_bzero(own.at, own.len);
    buf_fini(&own);
    return rc;
}
