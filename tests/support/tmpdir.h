/* A folder of its own for a test, removed with all it holds. */
#ifndef SUPPORT_TMPDIR_H
#define SUPPORT_TMPDIR_H

#include <stddef.h>

struct tmpdir {
    char path[64];
};

/* Every call fails the test (cmocka) when the file system refuses. */
struct tmpdir tmpdir_make(void);
/* "<folder>/<name>" in one of four buffers that take turns. */
const char *tmpdir_path(const struct tmpdir *d, const char *name);
void tmpdir_mkdir(const struct tmpdir *d, const char *name);
/* Writes a file and returns its path as tmpdir_path() does. */
const char *tmpdir_write(const struct tmpdir *d, const char *name, const char *content);
/* The content, NUL-terminated, cut to out_bytes - 1. */
void tmpdir_read(const struct tmpdir *d, const char *name, char *out, size_t out_bytes);
void tmpdir_remove(const struct tmpdir *d);

#endif
