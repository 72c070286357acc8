/* Who is in a room, as the gateways and the sessions of its members tell. */
#ifndef CHAT_MEMBERS_H
#define CHAT_MEMBERS_H

#include <gw/gateway.h>
#include <gw/json.h>
#include <gw/module.h>
#include <gw/session.h>

/* Of pages that said at login that they understand `logins` and `members`; and in sessions. */
static const char MERGED[] = "merged";

/* The members of a room as they were a moment ago. */
struct members {
    const struct gw_client_list *list; /* NULL: nobody could be asked */
    struct gw_json *names;             /* by id */
};

/* A gateway that does not answer hides its members from this list, which is better than no list. */
static struct members members_of(struct gw *gw, const char *room)
{
    struct members m = {.names = gw_json_object()};
    int rc = gw_get_client_sessions_by_group(gw, gw_str(room), &m.list);
    if (rc < 0)
        gw_log_error(gw, "members of room %s: %s", room, gw_strerror(rc));
    for (size_t i = 0; m.list && i < m.list->n; i++) {
        const struct gw_client_entry *one = &m.list->clients[i];
        const char *name = gw_session_str(one->session, "client_name", NULL);
        if (name)
            gw_json_set_str(m.names, one->id, name);
    }
    return m;
}

static void free_members(struct members *m)
{
    gw_result_free(m->list);
    gw_json_free(m->names);
}

#endif
