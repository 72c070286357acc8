/* What joining, leaving and walking a group of 1,000,000 costs. */
#include <stdlib.h>

#include "bench/micro/micro.h"
#include "gateway/clients.h"
#include "gateway/groups.h"

enum { MEMBERS_N = 1000000 };

/* A fixed order that is not the order of joining. */
static void shuffle(struct client **clients, size_t n)
{
    uint64_t state = 1;
    for (size_t i = n - 1; i > 0; i--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        size_t other = (state >> 33) % (i + 1);
        struct client *c = clients[i];
        clients[i] = clients[other];
        clients[other] = c;
    }
}

static void walk(void *arg, size_t n)
{
    const struct group *g = arg;
    for (size_t i = 0; i < n;) {
        uint32_t pos = 0;
        for (const struct client *c; i < n && (c = roster_next(&g->members, &pos)); i++)
            micro_keep((uint64_t)(uintptr_t)c);
    }
}

int main(void)
{
    static struct clients all;
    static struct groups groups;
    struct span name = span_str("lobby");
    struct client **members = calloc(MEMBERS_N, sizeof(struct client *));
    if (!members)
        return 1;
    clients_init(&all);
    groups_init(&groups, MEMBER_GROUP);
    uint64_t begin = micro_now_ns();
    for (size_t i = 0; i < MEMBERS_N; i++)
        members[i] = clients_add(&all);
    micro_tell("client added, up to 1,000,000", MEMBERS_N, begin, micro_now_ns());

    begin = micro_now_ns();
    for (size_t i = 0; i < MEMBERS_N; i++)
        groups_join(&groups, members[i], name);
    micro_tell("group join, up to 1,000,000 members", MEMBERS_N, begin, micro_now_ns());
    micro_time("group walk, per member of 1,000,000", 0, walk, groups_find(&groups, name));

    shuffle(members, MEMBERS_N);
    begin = micro_now_ns();
    for (size_t i = 0; i < MEMBERS_N; i++)
        groups_leave(&groups, members[i], name);
    micro_tell("group leave in random order, from 1,000,000", MEMBERS_N, begin, micro_now_ns());

    begin = micro_now_ns();
    for (size_t i = 0; i < MEMBERS_N; i++)
        clients_remove(&all, members[i]);
    micro_tell("client removed in random order", MEMBERS_N, begin, micro_now_ns());
    groups_fini(&groups);
    clients_fini(&all);
    free(members);
}
