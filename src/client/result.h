/* The memory behind every list that a query returns, freed by the one gw_result_free(). */
#ifndef CLIENT_RESULT_H
#define CLIENT_RESULT_H

#include <stddef.h>

#include <gw/gateway.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "client/fanout.h"
#include "client/session.h"

struct result {
    struct arena arena; /* everything that the list points to */
    struct session_values *sessions;
    size_t sessions_n;
    union {
        struct gw_client_list clients;
        struct gw_name_list names;
        struct gw_name_clients_list name_clients;
        struct gw_name_count_list name_counts;
        struct gw_name_names_list name_names;
        struct gw_receipt receipt;
    } list; /* what the caller gets a pointer to */
};

struct result *result_new(void) NODISCARD;
/* The gateways that failed, as the lists show them. */
const struct gw_failure *result_failures(struct result *r, const struct fanout *f, size_t *n);

#endif
