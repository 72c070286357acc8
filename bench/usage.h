/* What a tree of processes has used: CPU time and memory, from /proc. */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { USAGE_PIDS_MAX = 256 };

struct usage_tree {
    pid_t pids[USAGE_PIDS_MAX];
    size_t n;
};

/* The process and all its descendants as of now; processes that come later are not counted. */
void usage_tree_find(struct usage_tree *t, pid_t root);
/* User and system time of all threads, in nanoseconds. */
uint64_t usage_cpu_ns(const struct usage_tree *t);
/* Memory that the processes wrote, and their share of what they share with one another, in bytes.
 * Pages of files (code, libraries) are not in it: their share changes with what else runs. Nor is
 * kernel memory, such as socket buffers. */
uint64_t usage_memory(const struct usage_tree *t);

#endif
