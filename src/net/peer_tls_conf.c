/* The keys about TLS between the parts of a cluster: what they name is read, checked, opened.
 *
 * Its part of the credentials has as parts: certificate, key, CA. */
#include "net/peer_tls_conf.h"

#include <string.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/part.h"

enum { FILE_MAX_BYTES = 1 << 20 };

static bool take_files(struct span rest, struct peer_tls_files *f)
{
    return part_take(&rest, &f->cert) && part_take(&rest, &f->key) && part_take(&rest, &f->ca);
}

int peer_tls_open(struct peer_tls *t, const struct peer_tls_conf *c, struct span *credentials)
{
    struct peer_tls_files f;
    struct tls_complaint complaint = {.text = "the certificates did not arrive"};
    struct span own;
    if (c->mode == PEER_TLS_OFF)
        return 0;
    int rc = GW_ECONF;
    if (part_take(credentials, &own) && take_files(own, &f))
        rc = peer_tls_use(t, (enum peer_tls_mode)c->mode, c->name, &f, &complaint);
    if (rc == 0)
        return 0;
    log_error("inner_tls cannot be set up: %s", complaint.text);
    return GW_ECONF;
}

static const char *key_of(enum tls_part part)
{
    return part == TLS_PART_KEY    ? "inner_tls_key"
           : part == TLS_PART_CERT ? "inner_tls_cert"
                                   : "inner_tls_ca";
}

static int check_keys(const struct conf *conf, const struct conf_section *s,
                      const struct peer_tls_conf *c, struct buf *errors)
{
    bool has_all = c->cert && c->key && c->ca;
    bool has_any = c->cert || c->key || c->ca || c->name;
    if (c->mode != PEER_TLS_OFF && !has_all)
        return conf_complain(conf, s, "inner_tls", errors,
                             "needs inner_tls_cert, inner_tls_key and inner_tls_ca");
    if (c->mode == PEER_TLS_OFF && has_any)
        return conf_complain(conf, s, "inner_tls", errors,
                             "is off, so the other inner_tls_… keys have no effect; write "
                             "required, or optional for a time of change");
    return 0;
}

static int read_file(const struct conf *conf, const struct conf_section *s, const char *key,
                     const char *path, struct buf *out, struct buf *errors)
{
    int rc = part_put_file(out, conf_path(conf, path), FILE_MAX_BYTES);
    if (rc == 0)
        return 0;
    return conf_complain(conf, s, key, errors, "%s: %s", path, gw_strerror(rc));
}

static int read_checked(const struct conf *conf, const struct conf_section *s,
                        const struct peer_tls_conf *c, struct buf *own, struct buf *errors)
{
    struct tls_complaint complaint;
    struct peer_tls trial = {0};
    struct peer_tls_files f;
    if (read_file(conf, s, "inner_tls_cert", c->cert, own, errors) < 0 ||
        read_file(conf, s, "inner_tls_key", c->key, own, errors) < 0 ||
        read_file(conf, s, "inner_tls_ca", c->ca, own, errors) < 0)
        return GW_ECONF;
    if (!take_files(buf_span(own), &f))
        return GW_ECONF;
    int rc = peer_tls_use(&trial, PEER_TLS_REQUIRED, c->name, &f, &complaint);
    peer_tls_close(&trial);
    if (rc < 0)
        return conf_complain(conf, s, key_of(complaint.part), errors, "%s", complaint.text);
    return 0;
}

int peer_tls_read(const struct conf *conf, const struct conf_section *s,
                  const struct peer_tls_conf *c, struct buf *credentials, struct buf *errors)
{
    struct buf own = {0};
    if (check_keys(conf, s, c, errors) < 0)
        return GW_ECONF;
    if (c->mode == PEER_TLS_OFF)
        return 0;
    int rc = read_checked(conf, s, c, &own, errors);
    if (rc == 0)
        part_put(credentials, buf_span(&own));
    if (own.at)
        explicit_bzero(own.at, own.len);
    buf_fini(&own);
    return rc;
}
