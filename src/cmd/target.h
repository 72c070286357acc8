/* The cluster that push and query talk to: registry and secret from options, environment or config.
 */
#ifndef CMD_TARGET_H
#define CMD_TARGET_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include <gw/gateway.h>

#include "base/buf.h"
#include "base/compiler.h"

/* Zero-initialised: nothing was given. The texts are borrowed. */
struct target {
    const char *registry;    /* --registry: addresses with commas between */
    const char *secret_file; /* --secret-file */
    const char *conf_file;   /* -c */
    uint64_t timeout_ms;     /* --timeout; 0: the library's */
    const char *tls_ca;      /* --tls-ca, and so on */
    const char *tls_cert;
    const char *tls_key;
    const char *tls_name;
};

/* For the table of getopt_long(3); the values are those that target_option() takes. */
enum {
    TARGET_REGISTRY = 1000,
    TARGET_SECRET,
    TARGET_SECRET_FILE,
    TARGET_TIMEOUT,
    TARGET_TLS_CA,
    TARGET_TLS_CERT,
    TARGET_TLS_KEY,
    TARGET_TLS_NAME,
};
#define TARGET_OPTIONS                                                                             \
    {"registry", required_argument, NULL, TARGET_REGISTRY},                                        \
        {"secret", required_argument, NULL, TARGET_SECRET},                                        \
        {"secret-file", required_argument, NULL, TARGET_SECRET_FILE},                              \
        {"timeout", required_argument, NULL, TARGET_TIMEOUT},                                      \
        {"tls-ca", required_argument, NULL, TARGET_TLS_CA},                                        \
        {"tls-cert", required_argument, NULL, TARGET_TLS_CERT},                                    \
        {"tls-key", required_argument, NULL, TARGET_TLS_KEY},                                      \
        {"tls-name", required_argument, NULL, TARGET_TLS_NAME},                                    \
    {                                                                                              \
        "config", required_argument, NULL, 'c'                                                     \
    }

/* The lines about these options in a usage text. */
extern const char target_usage[];

enum target_option { TARGET_TAKEN, TARGET_BAD, TARGET_FOREIGN };
/* What getopt_long() returned, with its value: taken, of unusable value (a line on stderr says so),
 * or none of these options. */
enum target_option target_option(struct target *t, int option, const char *value);

/* A handle, or NULL after a line on stderr: the config or the file with the secret cannot be read,
 * or the address is unusable. Nothing is connected yet. */
struct gw *target_open(const struct target *t) NODISCARD;

/* "no registry answered", with what a user can do about it. For stderr. */
void target_complain(const char *what, int rc);

#endif
