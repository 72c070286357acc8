/* The tables of `gatehouse status` and `gatehouse connections`, as text and JSON. */
#include "proc/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { RULE_WIDTH = 120, COLUMN_MIN = 12 };

static void rule(struct buf *out, const char *title)
{
    size_t side = (RULE_WIDTH - strlen(title)) / 2;
    for (size_t i = 0; i < side; i++)
        buf_putc(out, '-');
    buf_puts(out, title);
    for (size_t i = side + strlen(title); i < RULE_WIDTH; i++)
        buf_putc(out, '-');
    buf_putc(out, '\n');
}

static int wider(int width, const char *text)
{
    size_t len = strlen(text);
    return (int)len > width ? (int)len : width;
}

static const char *state_of(const struct status_row *r)
{
    if (r->is_busy)
        return "busy";
    if (r->is_leaving)
        return "leaving";
    return r->is_ready ? "idle" : "starting";
}

static bool has_doing(const struct status_row *r)
{
    return r->is_busy && r->doing && *r->doing;
}

static const char *listening_of(const struct status_row *r)
{
    const char *text = r->is_busy ? r->listening : r->counts.listening;
    return text && *text ? text : "none";
}

static void put_header(struct buf *out, const struct status_view *v)
{
    char start[32];
    int64_t run_s = v->now_wall_s - v->start_wall_s;
    clock_text(v->start_wall_s, start, sizeof start);
    buf_printf(out, "Gatehouse runs in %s mode, master pid %d.\n",
               v->is_detached ? "DAEMON" : "FOREGROUND", (int)v->master_pid);
    rule(out, "GLOBAL STATUS");
    buf_printf(out, "Gatehouse/%s\n", v->version);
    buf_printf(out, "start time:%s   run %" PRId64 " days %" PRId64 " hours   ", start,
               run_s / 86400, run_s % 86400 / 3600);
    buf_printf(out, "load average: %.2f, %.2f, %.2f\n", v->load[0], v->load[1], v->load[2]);
    buf_printf(out, "event-loop: epoll\n%zu sections    %zu processes\n", v->groups_n, v->rows_n);
}

static void put_exits(struct buf *out, const struct status_group *g, int width)
{
    if (g->exits->len == 0)
        buf_printf(out, "%-*s     %-16d%-16d\n", width, g->name, 0, 0);
    for (size_t i = 0; i < g->exits->len; i++)
        buf_printf(out, "%-*s     %-16d%-16" PRIu64 "\n", width, g->name,
                   exits_number(g->exits->at[i].wait_status), g->exits->at[i].count);
}

struct totals {
    uint64_t memory_bytes, connections_n, send_fail_n, timers_n, requests_n, qps;
};

static void add(struct totals *t, const struct status_row *r)
{
    if (r->is_busy)
        return;
    t->memory_bytes += r->memory_bytes;
    t->connections_n += r->counts.connections_n;
    t->send_fail_n += r->counts.send_fail_n;
    t->timers_n += r->counts.timers_n;
    t->requests_n += r->counts.requests_n;
    t->qps += r->qps;
}

static void put_memory(struct buf *out, uint64_t bytes)
{
    char text[32];
    snprintf(text, sizeof text, "%.2fM", (double)bytes / (1024 * 1024));
    buf_printf(out, "%-7s ", text);
}

static void put_counts(struct buf *out, const struct totals *t)
{
    buf_printf(out, "%-11" PRIu64 " %-9" PRIu64 " %-7" PRIu64 " %-13" PRIu64 " %-6" PRIu64 " ",
               t->connections_n, t->send_fail_n, t->timers_n, t->requests_n, t->qps);
}

static void put_row(struct buf *out, const struct status_row *r, int listen_width, int name_width)
{
    buf_printf(out, "%d\t", (int)r->pid);
    if (r->is_busy) {
        buf_printf(out, "%-7s %-*s %-*s ", "N/A", listen_width, listening_of(r), name_width,
                   r->name);
        buf_printf(out, "%-11s %-9s %-7s %-13s %-6s [busy]", "N/A", "N/A", "N/A", "N/A", "N/A");
        buf_printf(out, "%s%s\n", has_doing(r) ? " " : "", has_doing(r) ? r->doing : "");
        return;
    }
    struct totals own = {0};
    add(&own, r);
    put_memory(out, own.memory_bytes);
    buf_printf(out, "%-*s %-*s ", listen_width, listening_of(r), name_width, r->name);
    put_counts(out, &own);
    buf_printf(out, "[%s]\n", state_of(r));
}

void status_text(struct buf *out, const struct status_view *v)
{
    struct totals all = {0};
    int listen_width = COLUMN_MIN, name_width = COLUMN_MIN;
    for (size_t i = 0; i < v->groups_n; i++)
        name_width = wider(name_width, v->groups[i].name);
    for (size_t i = 0; i < v->rows_n; i++)
        listen_width = wider(listen_width, listening_of(&v->rows[i]));
    put_header(out, v);
    buf_printf(out, "%-*s     exit_status     exit_count\n", name_width, "name");
    for (size_t i = 0; i < v->groups_n; i++)
        put_exits(out, &v->groups[i], name_width);
    rule(out, "PROCESS STATUS");
    buf_printf(out,
               "pid\tmemory  %-*s %-*s connections send_fail timers  total_request qps    status\n",
               listen_width, "listening", name_width, "name");
    for (size_t i = 0; i < v->rows_n; i++) {
        put_row(out, &v->rows[i], listen_width, name_width);
        add(&all, &v->rows[i]);
    }
    rule(out, "PROCESS STATUS");
    buf_puts(out, "Summary\t");
    put_memory(out, all.memory_bytes);
    buf_printf(out, "%-*s %-*s ", listen_width, "-", name_width, "-");
    put_counts(out, &all);
    buf_puts(out, "[Summary]\n");
}

/* RFC 8259 §7. */
static void put_json_text(struct buf *out, const char *text)
{
    buf_putc(out, '"');
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\')
            buf_printf(out, "\\%c", *at);
        else if (*at < ' ')
            buf_printf(out, "\\u%04x", *at);
        else
            buf_putc(out, *at);
    }
    buf_putc(out, '"');
}

static void put_json_exits(struct buf *out, const struct status_group *g)
{
    buf_puts(out, "{\"name\":");
    put_json_text(out, g->name);
    buf_puts(out, ",\"exits\":[");
    for (size_t i = 0; i < g->exits->len; i++) {
        char how[EXITS_TEXT_MAX];
        exits_text(g->exits->at[i].wait_status, how);
        buf_printf(out, "%s{\"exit_status\":%d,\"exit_count\":%" PRIu64 ",\"how\":", i ? "," : "",
                   exits_number(g->exits->at[i].wait_status), g->exits->at[i].count);
        put_json_text(out, how);
        buf_putc(out, '}');
    }
    buf_puts(out, "]}");
}

static void put_json_counts(struct buf *out, const struct status_row *r)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"memory_bytes", r->memory_bytes},
        {"connections", r->counts.connections_n},
        {"send_fail", r->counts.send_fail_n},
        {"timers", r->counts.timers_n},
        {"total_request", r->counts.requests_n},
        {"qps", r->qps},
        {"uids", r->counts.uids_n},
        {"groups", r->counts.groups_n},
        {"queued_bytes", r->counts.queued_bytes},
        {"dropped", r->counts.dropped_n},
        {"lost", r->counts.lost_n},
        {"links", r->counts.links_n},
        {"dropped_new", r->counts.drop_new_n},
        {"dropped_old", r->counts.drop_old_n},
        {"slow_closed", r->counts.slow_closed_n},
        {"slow", r->counts.slow_n},
        {"refused", r->counts.refused_n},
        {"limited", r->counts.limited_n},
        {"joins_refused", r->counts.join_refused_n},
        {"silent", r->counts.silent_n},
        {"delivered", r->counts.delivered_n},
        {"bytes_read", r->counts.read_bytes},
        {"bytes_written", r->counts.written_bytes},
        {"sends", r->counts.sends_n},
        {"unheard", r->counts.unheard_n},
        {"interest_bytes", r->counts.interest_bytes},
        {"beyond", r->counts.beyond_n},
        {"nats_in", r->counts.nats_in_n},
        {"nats_out", r->counts.nats_out_n},
        {"nats_lost", r->counts.nats_lost_n},
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        buf_printf(out, ",\"%s\":%" PRIu64, fields[i].name, fields[i].value);
}

static void put_json_row(struct buf *out, const struct status_row *r)
{
    buf_printf(out, "{\"pid\":%d,\"kind\":", (int)r->pid);
    put_json_text(out, r->kind);
    buf_puts(out, ",\"name\":");
    put_json_text(out, r->name);
    buf_printf(out, ",\"slot\":%d,\"generation\":%u,\"listening\":", r->slot, r->generation);
    put_json_text(out, listening_of(r));
    if (!r->is_busy)
        put_json_counts(out, r);
    if (has_doing(r)) {
        buf_puts(out, ",\"doing\":");
        put_json_text(out, r->doing);
    }
    buf_printf(out, ",\"ready\":%s,\"status\":\"%s\"}", r->is_ready ? "true" : "false",
               state_of(r));
}

void status_json(struct buf *out, const struct status_view *v)
{
    buf_puts(out, "{\"version\":");
    put_json_text(out, v->version);
    buf_printf(out, ",\"master_pid\":%d,\"daemon\":%s", (int)v->master_pid,
               v->is_detached ? "true" : "false");
    buf_printf(out, ",\"start_time\":%" PRId64 ",\"run_seconds\":%" PRId64, v->start_wall_s,
               v->now_wall_s - v->start_wall_s);
    buf_printf(out, ",\"load_average\":[%.2f,%.2f,%.2f],\"sections\":[", v->load[0], v->load[1],
               v->load[2]);
    for (size_t i = 0; i < v->groups_n; i++) {
        buf_puts(out, i ? "," : "");
        put_json_exits(out, &v->groups[i]);
    }
    buf_puts(out, "],\"processes\":[");
    for (size_t i = 0; i < v->rows_n; i++) {
        buf_puts(out, i ? ",\n" : "\n");
        put_json_row(out, &v->rows[i]);
    }
    buf_puts(out, "]}\n");
}

void status_connections_head(struct buf *out)
{
    buf_printf(out, "%-8s %-16s %-9s %-6s %-10s %-5s %-5s %-8s %-8s %-10s %-10s %-12s %-22s %s\n",
               "PID", "Worker", "CID", "Trans", "Protocol", "ipv4", "ipv6", "Recv-Q", "Send-Q",
               "Bytes-R", "Bytes-W", "Status", "Local-Address", "Foreign-Address");
}

/* 12345678 → "11.77M", as the original does from 1 KiB up. */
static void put_size(struct buf *out, uint64_t bytes, int width)
{
    static const char units[] = "BKMGT";
    double value = (double)bytes;
    size_t unit = 0;
    char text[32];
    while (value >= 1024 && unit < sizeof units - 2) {
        value /= 1024;
        unit++;
    }
    if (unit == 0)
        snprintf(text, sizeof text, "%" PRIu64, bytes);
    else
        snprintf(text, sizeof text, "%.2f%c", value, units[unit]);
    buf_printf(out, "%-*s ", width, text);
}

void status_connection_row(struct buf *out, pid_t pid, const char *name,
                           const struct role_connection *c)
{
    buf_printf(out, "%-8d %-16s %-9" PRIu64 " %-6s %-10s %-5d %-5d ", (int)pid, name, c->id,
               c->transport, c->protocol, !c->is_ipv6, c->is_ipv6);
    put_size(out, c->unread_bytes, 8);
    put_size(out, c->unsent_bytes, 8);
    put_size(out, c->read_bytes, 10);
    put_size(out, c->written_bytes, 10);
    buf_printf(out, "%-12s %-22s %s\n", c->state, c->local, c->remote);
}
