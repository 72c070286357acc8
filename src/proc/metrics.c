/* The numbers of `gatehouse status` in the text format of Prometheus, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
#include "proc/metrics.h"

#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "base/mem.h"

enum metric_type { COUNTER, GAUGE };

/* "All lines for a given metric must be provided as one single group", HELP and TYPE first. */
static void put_head(struct buf *out, enum metric_type type, const char *name, const char *help)
{
    buf_printf(out, "# HELP gatehouse_%s %s\n# TYPE gatehouse_%s %s\n", name, help, name,
               type == COUNTER ? "counter" : "gauge");
}

/* "label_value can be any sequence of UTF-8 characters, but the backslash, double-quote and line
 * feed characters have to be escaped." */
static void put_label(struct buf *out, const char *label, const char *value)
{
    buf_printf(out, "%s=\"", label);
    for (; *value; value++) {
        if (*value == '\n')
            buf_puts(out, "\\n");
        else if (*value == '\\' || *value == '"')
            buf_printf(out, "\\%c", *value);
        else
            buf_putc(out, (uint8_t)*value);
    }
    buf_putc(out, '"');
}

static void put_process(struct buf *out, const char *name, const struct status_row *r,
                        uint64_t value)
{
    buf_printf(out, "gatehouse_%s{", name);
    put_label(out, "kind", r->kind);
    buf_putc(out, ',');
    put_label(out, "name", r->name);
    buf_printf(out, ",slot=\"%d\"} %" PRIu64 "\n", r->slot, value);
}

/* ---- of a process that answered ---- */

struct count {
    const char *name;
    enum metric_type type;
    size_t offset; /* in struct role_status */
    const char *help;
};

#define COUNT(metric, type, field, help)                                                           \
    {                                                                                              \
        metric, type, offsetof(struct role_status, field), help                                    \
    }
static const struct count counts[] = {
    COUNT("connections", GAUGE, connections_n, "Connections of clients, peers or visitors."),
    COUNT("requests_total", COUNTER, requests_n, "Messages, events or requests taken in."),
    COUNT("read_bytes_total", COUNTER, read_bytes, "Read from all connections, inner ones too."),
    COUNT("written_bytes_total", COUNTER, written_bytes,
          "Written to all connections, inner ones too."),
    COUNT("delivered_total", COUNTER, delivered_n, "Messages to clients."),
    COUNT("sends_total", COUNTER, sends_n,
          "Messages to clients that workers and others handed to a gateway."),
    COUNT("send_fail_total", COUNTER, send_fail_n,
          "What slow clients cost: the sum of dropped_new, dropped_old and slow_closed."),
    COUNT("dropped_new_total", COUNTER, drop_new_n,
          "Messages not sent, since their client was behind (on_full = drop_new)."),
    COUNT("dropped_old_total", COUNTER, drop_old_n,
          "Messages taken out, since their client was behind (on_full = drop_old)."),
    COUNT("slow_closed_total", COUNTER, slow_closed_n,
          "Clients closed, since they were behind (on_full = close)."),
    COUNT("slow_clients", GAUGE, slow_n,
          "Clients for whose output there was no room, until all of it is out."),
    COUNT("refused_total", COUNTER, refused_n, "Connections refused by a limit."),
    COUNT("limited_total", COUNTER, limited_n, "Messages or handshakes beyond a rate."),
    COUNT("silent_total", COUNTER, silent_n, "Clients ended by the heartbeat."),
    COUNT("uids", GAUGE, uids_n, "Uids with a client here."),
    COUNT("groups", GAUGE, groups_n, "Groups with a client here."),
    COUNT("links", GAUGE, links_n, "Workers of a gateway; gateways that a worker is linked with."),
    COUNT("queue_bytes", GAUGE, queued_bytes, "Events on their way to workers, or in hand."),
    COUNT("events_dropped_total", COUNTER, dropped_n, "Events for which there was no worker."),
    COUNT("events_lost_total", COUNTER, lost_n, "Events in the hands of workers that ended."),
    COUNT("unheard_peers", GAUGE, unheard_n, "Peers that are stuck or cut off."),
    COUNT("timers", GAUGE, timers_n, "Timers that run."),
    COUNT("interest_bytes", GAUGE, interest_bytes,
          "Memory for knowing which gateways hold which groups and uids."),
    COUNT("beyond_gateways", GAUGE, beyond_n, "Gateways that are reached through NATS."),
    COUNT("nats_in_total", COUNTER, nats_in_n, "Messages from NATS."),
    COUNT("nats_out_total", COUNTER, nats_out_n, "Messages to NATS."),
    COUNT("nats_lost_total", COUNTER, nats_lost_n,
          "Messages from or to NATS for which there was no room."),
};
#undef COUNT

static void put_count(struct buf *out, const struct count *c, const struct status_row *const *rows,
                      size_t rows_n)
{
    put_head(out, c->type, c->name, c->help);
    for (size_t i = 0; i < rows_n; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&rows[i]->counts + c->offset, sizeof value);
        if (!rows[i]->is_busy)
            put_process(out, c->name, rows[i], value);
    }
}

/* ---- of every process, as the master sees it ---- */

static uint64_t is_busy(const struct status_row *r)
{
    return r->is_busy;
}

static uint64_t is_ready(const struct status_row *r)
{
    return r->is_ready;
}

static uint64_t is_leaving(const struct status_row *r)
{
    return r->is_leaving;
}

static uint64_t starts(const struct status_row *r)
{
    return r->generation;
}

static uint64_t memory(const struct status_row *r)
{
    return r->memory_bytes;
}

static const struct {
    const char *name;
    enum metric_type type;
    uint64_t (*value)(const struct status_row *r);
    const char *help;
} looks[] = {
    {"process_busy", GAUGE, is_busy, "1: did not answer in time; its other numbers are absent."},
    {"process_ready", GAUGE, is_ready, "1: serves."},
    {"process_leaving", GAUGE, is_leaving, "1: finishes its work, then ends."},
    {"process_starts_total", COUNTER, starts,
     "Processes that the slot has had, by crashes and reloads."},
    {"process_memory_bytes", GAUGE, memory, "Resident memory."},
};

static bool is_same_slot(const struct status_row *a, const struct status_row *b)
{
    return a->slot == b->slot && strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0;
}

/* Of the processes of one slot, which come in the order of their starts: the last one that serves,
 * else the first. Two samples with the same labels would spoil the whole scrape. */
static bool is_shown(const struct status_view *v, size_t pos)
{
    const struct status_row *r = &v->rows[pos];
    for (size_t i = 0; i < v->rows_n; i++) {
        if (i == pos || !is_same_slot(&v->rows[i], r))
            continue;
        if (i > pos ? v->rows[i].is_ready : !r->is_ready)
            return false;
    }
    return true;
}

/* ---- of sections, and of the server ---- */

static void put_exits(struct buf *out, const struct status_group *g)
{
    static const char *const ways[] = {"ended", "failed", "killed"};
    uint64_t sums[ARRAY_LEN(ways)] = {0};
    for (size_t i = 0; i < g->exits->len; i++) {
        int wait_status = g->exits->at[i].wait_status;
        sums[WIFSIGNALED(wait_status) ? 2 : wait_status != 0] += g->exits->at[i].count;
    }
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        buf_puts(out, "gatehouse_process_exits_total{");
        put_label(out, "kind", g->kind);
        buf_putc(out, ',');
        put_label(out, "name", g->name);
        buf_printf(out, ",how=\"%s\"} %" PRIu64 "\n", ways[i], sums[i]);
    }
}

/* A name may have been given to two sections. */
static bool is_first_of_name(const struct status_view *v, size_t pos)
{
    for (size_t i = 0; i < pos; i++)
        if (strcmp(v->groups[i].kind, v->groups[pos].kind) == 0 &&
            strcmp(v->groups[i].name, v->groups[pos].name) == 0)
            return false;
    return true;
}

static void put_server(struct buf *out, const struct status_view *v)
{
    put_head(out, GAUGE, "info", "The version of the server; always 1.");
    buf_puts(out, "gatehouse_info{");
    put_label(out, "version", v->version);
    buf_puts(out, "} 1\n");
    put_head(out, GAUGE, "start_time_seconds", "When the master was started, since the epoch.");
    buf_printf(out, "gatehouse_start_time_seconds %" PRId64 "\n", v->start_wall_s);
    put_head(out, COUNTER, "process_exits_total",
             "Processes of a section that are gone: ended in order, failed (an exit status), or "
             "killed by a signal.");
    for (size_t i = 0; i < v->groups_n; i++)
        if (is_first_of_name(v, i))
            put_exits(out, &v->groups[i]);
}

void metrics_text(struct buf *out, const struct status_view *v)
{
    const struct status_row **rows = mem_alloc((v->rows_n + 1) * sizeof *rows);
    size_t rows_n = 0;
    for (size_t i = 0; i < v->rows_n; i++)
        if (is_shown(v, i))
            rows[rows_n++] = &v->rows[i];
    put_server(out, v);
    for (size_t k = 0; k < ARRAY_LEN(looks); k++) {
        put_head(out, looks[k].type, looks[k].name, looks[k].help);
        for (size_t i = 0; i < rows_n; i++)
            put_process(out, looks[k].name, rows[i], looks[k].value(rows[i]));
    }
    for (size_t k = 0; k < ARRAY_LEN(counts); k++)
        put_count(out, &counts[k], rows, rows_n);
    mem_free(rows);
}
