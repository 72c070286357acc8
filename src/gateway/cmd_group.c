/* Commands that put clients into groups and bind them to uids. */
#include "gateway/cmd.h"
#include "gateway/state.h"

/* PHP's empty() refuses "" and "0" (vectors/README.md); between our own parts "0" is a name like
 * any other. */
static bool is_name(const struct peer *from, const struct wire_packet *p)
{
    struct span name = p->ext;
    if (name.len >= 1 && name.len <= NAME_MAX_BYTES && (from->speaks_ours || !span_is(name, "0")))
        return true;
    cmd_ignored(from, p, "a uid or group needs 1 to 255 bytes and must not be \"0\"");
    return false;
}

int cmd_bind_uid(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (!is_name(from, p) || !c)
        return 0;
    groups_leave_all(&g->uids, c);
    groups_join(&g->uids, c, p->ext);
    return 0;
}

/* The uid in the packet is not looked at: vectors/README.md. */
int cmd_unbind_uid(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (c)
        groups_leave_all(&g->uids, c);
    return 0;
}

int cmd_join_group(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (!is_name(from, p) || !c)
        return 0;
    c->had_groups = true;
    groups_join(&g->groups, c, p->ext);
    return 0;
}

int cmd_leave_group(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (is_name(from, p) && c)
        groups_leave(&g->groups, c, p->ext);
    return 0;
}

int cmd_ungroup(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct group *group = is_name(from, p) ? groups_find(&g->groups, p->ext) : NULL;
    if (group)
        groups_dissolve(&g->groups, group);
    return 0;
}
