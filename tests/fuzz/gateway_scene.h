/* A gateway process on a kernel in memory, with the clients, links and registries around it, and
 * what must hold whatever they do. */
#ifndef FUZZ_GATEWAY_SCENE_H
#define FUZZ_GATEWAY_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "fuzz/kernel.h"
#include "proc/role.h"

struct gateway;

enum { SCENE_CLIENTS_MAX = 8, SCENE_LINKS_MAX = 4, SCENE_IDS_MAX = 512 };

/* Somebody on a client's port. */
struct scene_client {
    struct cable *cable; /* NULL: this place is free */
    bool is_deaf;        /* reads nothing */
};

/* Somebody on the inner port. */
struct scene_link {
    struct cable *cable;
    bool is_deaf;
    bool is_worker;  /* it gets events */
    bool is_mixed;   /* its answers are no packets, so that the bytes cannot be told apart */
    bool *is_closed; /* by connection id: ON_CLOSE came here */
};

struct scene {
    struct role_env env;
    struct gateway *gateway;
    int listeners[2]; /* clients, inner */
    unsigned variant;
    bool is_finished;
    struct scene_client clients[SCENE_CLIENTS_MAX];
    struct scene_link links[SCENE_LINKS_MAX + 1]; /* the last is the witness of the end */
    /* Workers that were closed before they had heard everything may know more than we do. */
    bool is_exact;
    uint8_t connects_n[SCENE_IDS_MAX], closes_n[SCENE_IDS_MAX]; /* events that workers heard */
};

enum { SCENE_TEXT, SCENE_WEBSOCKET, SCENE_FRAME };

unsigned scene_variants_n(void);
int scene_protocol(const struct scene *s); /* SCENE_… */
const char *scene_secret(const struct scene *s);
bool scene_has_proxy(const struct scene *s);

void scene_begin(struct scene *s, unsigned variant);
/* One turn of the gateway; then those who are not deaf hear what there is, and it is looked at. */
void scene_turn(struct scene *s);
void scene_link_close(struct scene *s, struct scene_link *l, bool is_reset);
/* Everybody leaves, and the gateway ends; nothing may be left, and for every client that a worker
 * saw come it saw one go. */
void scene_end(struct scene *s, bool is_drained);

#endif
