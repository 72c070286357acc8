/* The stretch of a run that is measured. */
#include "bench/window.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "bench/report.h"

static uint64_t own_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* /proc/stat: user nice system idle iowait irq softirq steal, in ticks. */
static uint64_t machine_busy_ns(void)
{
    unsigned long long user = 0, nice_ = 0, system = 0, idle, wait, irq = 0, soft = 0, steal = 0;
    FILE *f = fopen("/proc/stat", "r");
    if (!f)
        return 0;
    int n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice_, &system, &idle,
                   &wait, &irq, &soft, &steal);
    fclose(f);
    uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
    return n == 8 ? (user + nice_ + system + irq + soft + steal) * tick_ns : 0;
}

void window_open(struct window *w, struct fleet *f, pid_t root, uint64_t count)
{
    usage_tree_find(&w->server, root);
    w->cpu_begin_ns = usage_cpu_ns(&w->server);
    w->own_begin_ns = own_cpu_ns();
    w->busy_begin_ns = machine_busy_ns();
    w->idle_begin_us = f->idle_us;
    w->count_begin = count;
    w->begin_us = fleet_now_us(f);
}

void window_close(struct window *w, struct fleet *f, uint64_t count)
{
    w->end_us = fleet_now_us(f);
    w->idle_end_us = f->idle_us;
    w->count_end = count;
    w->busy_end_ns = machine_busy_ns();
    w->own_end_ns = own_cpu_ns();
    w->cpu_end_ns = usage_cpu_ns(&w->server);
}

void window_report(const struct window *w)
{
    double seconds = (double)(w->end_us - w->begin_us) / 1e6;
    double cpu = (double)(w->cpu_end_ns - w->cpu_begin_ns) / 1e9;
    double own = (double)(w->own_end_ns - w->own_begin_ns) / 1e9;
    double count = (double)(w->count_end - w->count_begin);
    report_real("count", count);
    report_real("seconds", seconds);
    report_real("per_second", seconds > 0 ? count / seconds : 0);
    report_count("server_processes", w->server.n);
    report_real("cpu_seconds", cpu);
    report_real("per_cpu_second", cpu > 0 ? count / cpu : 0);
    double idle = (double)(w->idle_end_us - w->idle_begin_us) / 1e6;
    report_real("server_cores", seconds > 0 ? cpu / seconds : 0);
    report_real("generator_cores", seconds > 0 ? own / seconds : 0);
    report_real("generator_busy", seconds > idle ? 1 - idle / seconds : 0);
    double others = (double)(w->busy_end_ns - w->busy_begin_ns) / 1e9 - cpu - own;
    report_real("others_busy", seconds > 0 && others > 0 ? others / seconds : 0);
}
