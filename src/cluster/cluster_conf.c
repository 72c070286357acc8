/* The [cluster] section: how the gateways and workers of several hosts reach one another. */
#include "cluster/cluster_conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cluster/subject.h"
#include "proc/role.h"

#define CLUSTER_KEY(key_name, key_type, field, ...)                                                \
    {                                                                                              \
        .name = key_name, .type = key_type, .offset = offsetof(struct cluster_conf, field),        \
        .unit = "", __VA_ARGS__                                                                    \
    }

static const struct conf_key keys[] = {
    CLUSTER_KEY("nats", CONF_LIST, nats, .is_required = true,
                .meaning = "A NATS server, nats://[user:password@]host[:4222] or tls://…; may be "
                           "repeated: one of them is enough, and the others of its cluster are "
                           "found through it."),
    CLUSTER_KEY("name", CONF_STR, name, .def = "gatehouse",
                .meaning = "What all subjects begin with: gateways and workers of one name are one "
                           "cluster (letters, digits, - and _, with dots between)."),
    CLUSTER_KEY("user", CONF_STR, user, .meaning = "User at the servers whose URL names none."),
    CLUSTER_KEY("password", CONF_STR, password,
                .meaning = "Password of that user; better ${VARIABLE}."),
    CLUSTER_KEY("token", CONF_STR, token, .meaning = "Token, where the servers ask for one."),
    CLUSTER_KEY("credentials", CONF_STR, credentials,
                .meaning = "Credentials file (.creds) with a JWT and its seed; readable for the "
                           "user of the processes."),
    CLUSTER_KEY("nkey", CONF_STR, nkey, .meaning = "Public nkey of this host (U…)."),
    CLUSTER_KEY("nkey_seed", CONF_STR, nkey_seed,
                .meaning = "File with the seed of that nkey; readable for the user of the "
                           "processes."),
    CLUSTER_KEY("tls", CONF_BOOL, is_tls, .def = "false",
                .meaning = "Speaks TLS to all servers; a tls:// among them means the same."),
    CLUSTER_KEY("tls_ca", CONF_STR, tls_ca,
                .meaning =
                    "File of the authorities that may sign the servers' certificates. Unset: "
                    "those of the system."),
    CLUSTER_KEY("tls_cert", CONF_STR, tls_cert,
                .meaning = "Certificate chain that this host shows to the servers."),
    CLUSTER_KEY("tls_key", CONF_STR, tls_key,
                .meaning = "Key of that certificate; readable for the user of the processes."),
    {.name = "buffer_bytes",
     .type = CONF_SIZE,
     .offset = offsetof(struct cluster_conf, buffer_bytes),
     .def = "32m",
     .min = 1024 * 1024,
     .max = 1024 * 1024 * 1024,
     .unit = "bytes",
     .meaning = "Most that waits in a process for NATS, and most that waits of NATS for the "
                "process; what is beyond is lost, counted and logged."},
};

/* ---- what the table cannot express ---- */

static bool is_url(const char *text)
{
    const char *place = strstr(text, "://");

    return place && place[3] != '\0' &&
           (strncmp(text, "nats://", 7) == 0 || strncmp(text, "tls://", 6) == 0);
}

/* NATS's rules for subjects, without its wildcards. */
static bool is_name(const char *text)
{
    char before = '.';

    for (const char *c = text; *c; before = *c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_' && (*c != '.' || before == '.'))
            return false;
    return before != '.' && strlen(text) <= SUBJECT_PREFIX_MAX;
}

static void check_pair(const struct conf *conf, const struct conf_section *s, const char *one,
                       const char *has_one, const char *other, const char *has_other,
                       struct buf *errors)
{
    if (has_one && !has_other)
        conf_complain(conf, s, one, errors, "needs %s, too", other);
    else if (has_other && !has_one)
        conf_complain(conf, s, other, errors, "needs %s, too", one);
}

static void check_file(const struct conf *conf, const struct conf_section *s, const char *key,
                       const char *path, struct buf *errors)
{
    if (path && access(conf_path(conf, path), R_OK) < 0)
        conf_complain(conf, s, key, errors, "cannot be read: %s", strerror(errno));
}

static void check_login(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct cluster_conf *c = s->conf;

    check_pair(conf, s, "tls_cert", c->tls_cert, "tls_key", c->tls_key, errors);
    check_pair(conf, s, "nkey", c->nkey, "nkey_seed", c->nkey_seed, errors);
    check_file(conf, s, "credentials", c->credentials, errors);
    check_file(conf, s, "nkey_seed", c->nkey_seed, errors);
    check_file(conf, s, "tls_ca", c->tls_ca, errors);
    check_file(conf, s, "tls_cert", c->tls_cert, errors);
    check_file(conf, s, "tls_key", c->tls_key, errors);
    if (c->password && !c->user)
        conf_complain(conf, s, "password", errors, "needs user, too");
}

static void check(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct cluster_conf *c = s->conf;

    if (!nats_is_built()) {
        conf_complain(conf, s, "nats", errors,
                      "this gatehouse was built without libnats; install libnats-dev and build it "
                      "again");
        return;
    }
    for (size_t i = 0; i < c->nats.len; i++)
        if (!is_url(c->nats.at[i].text))
            conf_complain_item(s, "nats", &c->nats.at[i], errors,
                               "is no address of a NATS server; write nats://host:4222");
    if (!is_name(c->name))
        conf_complain(conf, s, "name", errors,
                      "write letters, digits, - and _, with dots between, %d at most",
                      SUBJECT_PREFIX_MAX);
    check_login(conf, s, errors);
}

const struct conf_table cluster_table = {
    .kind = "cluster",
    .meaning = "NATS carries messages and queries between hosts; without this section every worker "
               "is connected to every gateway (docs/cluster.md).",
    .keys = keys,
    .keys_n = ARRAY_LEN(keys),
    .conf_bytes = sizeof(struct cluster_conf),
    .is_single = true,
    .check = check,
};

/* ---- reading ---- */

const struct cluster_conf *cluster_conf_of(const struct conf *conf)
{
    for (size_t i = 0; conf && i < conf_sections_n(conf); i++)
        if (conf_section_at(conf, i)->table == &cluster_table)
            return conf_section_at(conf, i)->conf;
    return NULL;
}

static bool has_tls_url(const struct conf_list *urls)
{
    for (size_t i = 0; i < urls->len; i++)
        if (strncmp(urls->at[i].text, "tls://", 6) == 0)
            return true;
    return false;
}

void cluster_conf_nats(const struct cluster_conf *c, const struct role_env *env,
                       char label[CLUSTER_LABEL_MAX], struct nats_conf *out)
{
    const struct conf *conf = env->conf;

    snprintf(label, CLUSTER_LABEL_MAX, "gatehouse %s %s #%d", env->role->kind, env->section->name,
             env->slot);
    *out = (struct nats_conf){
        .urls = c->nats,
        .label = label,
        .user = c->user,
        .password = c->password,
        .token = c->token,
        .credentials_file = conf_path(conf, c->credentials),
        .nkey = c->nkey,
        .nkey_seed_file = conf_path(conf, c->nkey_seed),
        .is_tls = c->is_tls || has_tls_url(&c->nats),
        .tls_ca = conf_path(conf, c->tls_ca),
        .tls_cert = conf_path(conf, c->tls_cert),
        .tls_key = conf_path(conf, c->tls_key),
        .buffer_bytes = c->buffer_bytes,
    };
}
