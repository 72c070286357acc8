/* Login storm: everybody enters one room of the chat at once, and must end up knowing everybody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "bench/scenario.h"
#include "bench/window.h"

enum { ID_LEN = 20, STORM_MAX_US = 60 * 1000 * 1000, QUIET_US = 3 * 1000 * 1000 };

/* Which ids each client has been told of. Any message of the chat that names ids and is not of
 * somebody who leaves or speaks adds to its list, so that notices may be merged and lists paged. */
struct login_run {
    struct fleet fleet;
    char (*ids)[ID_LEN]; /* hash table of everybody's id */
    uint32_t *numbers;   /* of the id in the same place, from 1 */
    size_t places_n;     /* a power of two */
    unsigned shift;      /* leaves as many bits of a hash: the high ones, where every digit counts */
    size_t ids_n;
    size_t ids_max;
    uint8_t *known; /* a bit per client and id */
    size_t row_bytes;
    uint32_t *known_n; /* per client */
    size_t complete_n;
    uint64_t bytes_n;
    uint32_t last_us;
};

static bool is_id(const uint8_t *at)
{
    for (size_t i = 0; i < ID_LEN; i++) {
        bool is_digit = at[i] >= '0' && at[i] <= '9';
        if (!is_digit && !(at[i] >= 'a' && at[i] <= 'f'))
            return false;
    }
    return true;
}

/* The number of an id, from 1; 0 when there are more ids than clients. */
static uint32_t number_of(struct login_run *run, const uint8_t *id)
{
    uint64_t tail;
    memcpy(&tail, id + ID_LEN - sizeof tail, sizeof tail); /* the connection's own part */
    uint64_t mixed = (tail ^ id[11]) * 0x9e3779b97f4a7c15u;
    for (size_t place = mixed >> run->shift;; place++) {
        place &= run->places_n - 1;
        if (run->numbers[place] == 0) {
            if (run->ids_n == run->ids_max)
                return 0;
            memcpy(run->ids[place], id, ID_LEN);
            run->numbers[place] = (uint32_t)++run->ids_n;
        }
        if (memcmp(run->ids[place], id, ID_LEN) == 0)
            return run->numbers[place];
    }
}

static void learn(struct login_run *run, struct client *c, const uint8_t *id)
{
    uint32_t number = number_of(run, id);
    size_t member = c->seat.member;
    uint8_t *byte = &run->known[member * run->row_bytes + number / 8];
    uint8_t bit = (uint8_t)(1u << number % 8);
    if (number == 0 || (*byte & bit))
        return;
    *byte |= bit;
    if (++run->known_n[member] == run->fleet.clients_n)
        run->complete_n++;
}

static void on_other(struct fleet *f, struct client *c, const uint8_t *at, size_t len)
{
    static const char leaves[] = "\"type\":\"logout\"";
    struct login_run *run = f->owner;
    run->bytes_n += len;
    run->last_us = f->now_us;
    if (memmem(at, len < 64 ? len : 64, leaves, sizeof leaves - 1))
        return;
    const uint8_t *end = at + len;
    for (const uint8_t *p = at; (p = memchr(p, '"', (size_t)(end - p)));) {
        p++;
        if (end - p > ID_LEN && p[ID_LEN] == '"' && is_id(p)) {
            learn(run, c, p);
            p += ID_LEN + 1;
        }
    }
}

static void init(struct login_run *run, const struct scenario_conf *conf)
{
    fleet_init(&run->fleet, &conf->fleet);
    size_t n = run->fleet.clients_n;
    run->fleet.owner = run;
    run->ids_max = n;
    run->shift = 60;
    for (run->places_n = 16; run->places_n < 4 * n; run->shift--)
        run->places_n *= 2;
    run->row_bytes = n / 8 + 1;
    run->ids = calloc(run->places_n, sizeof *run->ids);
    run->numbers = calloc(run->places_n, sizeof *run->numbers);
    run->known = calloc(n, run->row_bytes);
    run->known_n = calloc(n, sizeof *run->known_n);
    if (!run->ids || !run->numbers || !run->known || !run->known_n)
        abort();
}

static void fini(struct login_run *run)
{
    fleet_close(&run->fleet);
    free(run->ids);
    free(run->numbers);
    free(run->known);
    free(run->known_n);
}

static void storm(struct login_run *run)
{
    struct fleet *f = &run->fleet;
    uint32_t begin = fleet_now_us(f);
    run->last_us = begin;
    f->is_spinning = true;
    for (size_t i = 0; i < f->clients_n; i++) {
        adapter_put_login(&f->clients[i].seat, &f->clients[i].out);
        fleet_flush(f, &f->clients[i]);
    }
    while (run->complete_n < f->clients_n && f->now_us - begin < STORM_MAX_US &&
           f->now_us - run->last_us < QUIET_US)
        fleet_turn(f, 10000);
}

int scenario_login(const struct scenario_conf *conf)
{
    static struct login_run run;
    struct fleet *f = &run.fleet;
    struct window w = {0};
    init(&run, conf);
    int rc = fleet_open(f);
    if (rc == 0) {
        fleet_run_until(f, fleet_now_us(f) + (uint32_t)(conf->warmup * 1e6));
        f->on_other = on_other;
        window_open(&w, f, conf->server, 0);
        uint32_t begin = f->now_us;
        storm(&run);
        window_close(&w, f, f->clients_n);
        report_begin("login");
        report_count("members", f->clients_n);
        report_real("storm_seconds", (double)(run.last_us - begin) / 1e6);
        report_count("complete", run.complete_n);
        report_count("ids", run.ids_n);
        report_count("bytes", run.bytes_n);
        window_report(&w);
        report_count("closed_by_server", f->gone_n);
        report_end();
    }
    fini(&run);
    return rc;
}
