/* What a tree of processes has used, from /proc. */
#include "bench/usage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* Each thread has its own list of the children it forked. */
static void add_children_of_thread(struct usage_tree *t, pid_t pid, pid_t tid)
{
    char path[64];
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, tid);
    FILE *f = fopen(path, "r");
    while (f && t->n < USAGE_PIDS_MAX && fscanf(f, "%d", &child) == 1)
        t->pids[t->n++] = child;
    if (f)
        fclose(f);
}

static void add_children(struct usage_tree *t, pid_t parent)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", parent);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.')
            add_children_of_thread(t, parent, (pid_t)strtol(e->d_name, NULL, 10));
    if (dir)
        closedir(dir);
}

void usage_tree_find(struct usage_tree *t, pid_t root)
{
    t->n = 0;
    if (root <= 0)
        return;
    t->pids[t->n++] = root;
    for (size_t i = 0; i < t->n; i++)
        add_children(t, t->pids[i]);
}

/* The scheduler's own count in nanoseconds; the same time that /proc/PID/stat shows as utime and
 * stime in ticks of 10 ms. */
static uint64_t thread_ns(pid_t pid, pid_t tid)
{
    char path[128];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, tid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%llu", &ns) != 1)
        ns = 0;
    fclose(f);
    return ns;
}

uint64_t usage_cpu_ns(const struct usage_tree *t)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < t->n; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/task", t->pids[i]);
        DIR *dir = opendir(path);
        for (struct dirent *e; dir && (e = readdir(dir));)
            if (e->d_name[0] != '.')
                sum += thread_ns(t->pids[i], (pid_t)strtol(e->d_name, NULL, 10));
        if (dir)
            closedir(dir);
    }
    return sum;
}

uint64_t usage_memory(const struct usage_tree *t)
{
    uint64_t sum_kib = 0;
    for (size_t i = 0; i < t->n; i++) {
        char path[64];
        char line[256];
        unsigned long long kib = 0;
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", t->pids[i]);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f))
            if (sscanf(line, "Pss_Anon: %llu kB", &kib) == 1 ||
                sscanf(line, "Pss_Shmem: %llu kB", &kib) == 1)
                sum_kib += kib;
        if (f)
            fclose(f);
    }
    return sum_kib * 1024;
}
