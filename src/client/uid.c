/* Calls about uids that are made of others: who of them is online, and closing all clients of one.
 */
#include <gw/gateway.h>

#include "base/map.h"
#include "client/io.h"

/* One gateway that knows the uid settles it, whatever became of the others. */
int gw_is_uid_online(struct gw *gw, struct gw_bytes uid)
{
    const struct gw_client_list *clients;
    int rc = gw_get_client_ids_by_uid(gw, uid, &clients);
    bool is_online = clients && clients->n > 0;

    gw_result_free(clients);
    return is_online ? 1 : rc;
}

/* Names may be asked for twice, so they are looked up, not counted off. */
static void fill_online(const struct gw_name_clients_list *found, const struct gw_bytes *uids,
                        size_t n, bool *is_online)
{
    struct map *by_name = map_new();
    static char present; /* any address that is not NULL */

    for (size_t i = 0; i < found->n; i++) {
        const struct gw_name_clients *at = &found->at[i];
        if (at->n > 0)
            map_set(by_name, span_of(at->name.data, at->name.len), &present);
    }
    for (size_t i = 0; i < n; i++)
        is_online[i] = map_get(by_name, span_of(uids[i].data, uids[i].len)) != NULL;
    map_free(by_name);
}

int gw_are_uids_online(struct gw *gw, const struct gw_bytes *uids, size_t n, bool *is_online)
{
    const struct gw_name_clients_list *found;
    int rc = gw_get_client_ids_by_uids(gw, uids, n, &found);

    for (size_t i = 0; i < n; i++)
        is_online[i] = false;
    if (found)
        fill_online(found, uids, n, is_online);
    gw_result_free(found);
    return rc;
}

/* A gateway that did not tell whom it has is the one that matters, so its error is kept. */
static int close_all(struct gw *gw, const struct gw_client_list *clients, struct gw_bytes message)
{
    int rc = 0;

    for (size_t i = 0; i < clients->n; i++) {
        int one = gw_close_client(gw, clients->clients[i].id, message);
        if (one < 0 && rc == 0)
            rc = one;
    }
    return rc;
}

int gw_close_uid(struct gw *gw, struct gw_bytes uid, struct gw_bytes message)
{
    const struct gw_client_list *clients;

    io_begin(gw);
    int rc = gw_get_client_ids_by_uid(gw, uid, &clients);
    if (clients) {
        int closed = close_all(gw, clients, message);
        if (rc == 0)
            rc = closed < 0 ? closed : (int)clients->n;
        gw_result_free(clients);
    }
    io_end(gw);
    return rc;
}
