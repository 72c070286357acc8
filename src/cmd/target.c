/* A secret is never taken from the command line, where every user of the machine can read it. */
#include "cmd/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/mem.h"
#include "cmd/args.h"
#include "cmd/roles.h"
#include "gateway/gateway_conf.h"
#include "worker/worker_conf.h"

enum { SECRET_MAX = 4096 };

static const double timeout_max_s = 86400.0;

#define DEFAULT_REGISTRY "127.0.0.1:1236"

const char target_usage[] =
    "  --registry ADDR[,ADDR]  registries, tried in order\n"
    "  --secret-file FILE      file with the secret_key; or set GATEHOUSE_SECRET\n"
    "  --tls-ca FILE, --tls-cert FILE, --tls-key FILE, --tls-name NAME\n"
    "                          where inner_tls is on: as the inner_tls_… keys\n"
    "  -c FILE                 or take all from a config's [gateway] or [worker] section\n"
    "  --timeout SECONDS       for each call, all gateways together (5)\n";

static bool read_timeout(const char *text, uint64_t *ms)
{
    char *end = NULL;
    double seconds = strtod(text, &end);

    if (end == text || *end != '\0' || !(seconds >= 0.001 && seconds <= timeout_max_s)) {
        fprintf(stderr, "--timeout: \"%s\" is no number of seconds\n", text);
        return false;
    }
    *ms = (uint64_t)(seconds * 1000.0);
    return true;
}

enum target_option target_option(struct target *t, int option, const char *value)
{
    switch (option) {
    case 'c':
        t->conf_file = value;
        return TARGET_TAKEN;
    case TARGET_REGISTRY:
        t->registry = value;
        return TARGET_TAKEN;
    case TARGET_SECRET_FILE:
        t->secret_file = value;
        return TARGET_TAKEN;
    case TARGET_SECRET: /* else it would pass for --secret-file, shortened */
        fputs("--secret: everybody could read it in the list of processes; use --secret-file or "
              "GATEHOUSE_SECRET\n",
              stderr);
        return TARGET_BAD;
    case TARGET_TLS_CA:
        t->tls_ca = value;
        return TARGET_TAKEN;
    case TARGET_TLS_CERT:
        t->tls_cert = value;
        return TARGET_TAKEN;
    case TARGET_TLS_KEY:
        t->tls_key = value;
        return TARGET_TAKEN;
    case TARGET_TLS_NAME:
        t->tls_name = value;
        return TARGET_TAKEN;
    case TARGET_TIMEOUT:
        return read_timeout(value, &t->timeout_ms) ? TARGET_TAKEN : TARGET_BAD;
    default:
        return TARGET_FOREIGN;
    }
}

/* ---- the secret ---- */

/* The first line of the file, without its end. 0 or -errno. */
static int read_secret(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, buf_reserve(out, SECRET_MAX), SECRET_MAX);
    int rc = n < 0 ? -errno : n == SECRET_MAX ? -EFBIG : 0;
    close(fd);
    if (rc < 0)
        return rc;
    buf_commit(out, (size_t)n);
    ptrdiff_t end = span_find(buf_span(out), '\n');
    if (end >= 0)
        out->len = (size_t)end;
    if (out->len > 0 && out->at[out->len - 1] == '\r')
        out->len--;
    return 0;
}

/* ---- the config ---- */

struct found {
    struct buf registry;
    struct buf secret;
    char *ca, *cert, *key, *name; /* for TLS; NULL: none */
};

static char *path_in(const struct conf *conf, const char *path)
{
    return path ? mem_strdup(conf_path(conf, path)) : NULL;
}

static void take_tls(struct found *f, const struct conf *conf, const struct peer_tls_conf *tls)
{
    f->ca = path_in(conf, tls->ca);
    f->cert = path_in(conf, tls->cert);
    f->key = path_in(conf, tls->key);
    f->name = tls->name ? mem_strdup(tls->name) : NULL;
}

static void found_fini(struct found *f)
{
    if (f->secret.at)
        explicit_bzero(f->secret.at, f->secret.len);
    buf_fini(&f->secret);
    buf_fini(&f->registry);
    mem_free(f->ca);
    mem_free(f->cert);
    mem_free(f->key);
    mem_free(f->name);
}

static void take(struct found *f, const struct conf_list *addresses, const char *secret)
{
    for (size_t i = 0; i < addresses->len; i++)
        buf_printf(&f->registry, "%s%s", i > 0 ? "," : "", addresses->at[i].text);
    buf_puts(&f->secret, secret ? secret : "");
}

/* The first section that tells; those of one config talk to the same registries. */
static bool take_section(struct found *f, const struct conf *conf, const struct conf_section *s)
{
    if (s->table == &gateway_conf_table) {
        const struct gateway_conf *gc = s->conf;
        take(f, &gc->register_address, gc->secret_key);
        take_tls(f, conf, &gc->inner_tls);
    } else if (s->table == &worker_table) {
        const struct worker_conf *wc = s->conf;
        take(f, &wc->registries.addresses, wc->registries.secret);
        take_tls(f, conf, &wc->registries.tls);
    }
    return f->registry.len > 0;
}

static bool read_conf(const char *path, struct found *f)
{
    struct buf errors = {0};
    struct conf *conf;
    size_t tables_n;
    const struct conf_table *const *tables = roles_tables(&tables_n);

    int rc = conf_load(path, tables, tables_n, &errors, &conf);
    if (rc < 0)
        fputs(buf_cstr(&errors), stderr);
    buf_fini(&errors);
    if (rc < 0)
        return false;
    bool has_found = false;
    for (size_t i = 0; !has_found && i < conf_sections_n(conf); i++)
        has_found = take_section(f, conf, conf_section_at(conf, i));
    conf_free(conf);
    if (!has_found)
        fprintf(stderr, "%s: no [gateway] or [worker] section tells a register_address\n", path);
    return has_found;
}

/* With --registry and without -c no config is looked for: the command may run anywhere. */
static bool find(const struct target *t, struct found *f)
{
    bool is_named = t->conf_file != NULL;
    const char *path = args_find_conf(t->conf_file);

    if ((is_named || (!t->registry && access(path, F_OK) == 0)) && !read_conf(path, f))
        return false;
    if (t->registry) {
        buf_clear(&f->registry);
        buf_puts(&f->registry, t->registry);
    } else if (f->registry.len == 0)
        buf_puts(&f->registry, DEFAULT_REGISTRY);
    const char *secret = getenv("GATEHOUSE_SECRET");
    if (t->secret_file) {
        buf_clear(&f->secret);
        int rc = read_secret(t->secret_file, &f->secret);
        if (rc < 0)
            fprintf(stderr, "--secret-file %s: %s\n", t->secret_file, gw_strerror(rc));
        return rc == 0;
    }
    if (secret) {
        buf_clear(&f->secret);
        buf_puts(&f->secret, secret);
    }
    return true;
}

struct gw *target_open(const struct target *t)
{
    struct found f = {0};
    struct gw *gw = NULL;

    if (find(t, &f)) {
        struct gw_options options = {.size = sizeof options,
                                     .timeout_ms = t->timeout_ms,
                                     .tls_ca = t->tls_ca ? t->tls_ca : f.ca,
                                     .tls_cert = t->tls_cert ? t->tls_cert : f.cert,
                                     .tls_key = t->tls_key ? t->tls_key : f.key,
                                     .tls_name = t->tls_name ? t->tls_name : f.name};
        bool has_tls = options.tls_ca || options.tls_cert || options.tls_key || options.tls_name;
        gw = gw_open_with(buf_cstr(&f.registry), buf_cstr(&f.secret), &options);
        if (!gw)
            fprintf(stderr, "%s: unusable registry address%s; write host:port\n",
                    buf_cstr(&f.registry), has_tls ? ", or file for TLS" : "");
    }
    found_fini(&f);
    return gw;
}

void target_complain(const char *what, int rc)
{
    const char *hint = "";

    if (rc == GW_EAUTH)
        hint = "; check secret_key (--secret-file, GATEHOUSE_SECRET or -c)";
    else if (rc == GW_ENOREGISTRY)
        hint = "; check --registry, or register_address in the config";
    else if (rc == GW_ENOGATEWAY)
        hint = "; the registry knows none of that address";
    fprintf(stderr, "%s: %s%s\n", what, gw_strerror(rc), hint);
}
