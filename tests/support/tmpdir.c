/* A folder of its own for a test, removed with all it holds. */
#include "support/tmpdir.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct tmpdir tmpdir_make(void)
{
    struct tmpdir d = {.path = "/tmp/gatehouse-test-XXXXXX"};
    assert_non_null(mkdtemp(d.path));
    return d;
}

const char *tmpdir_path(const struct tmpdir *d, const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    int len = snprintf(path, sizeof paths[0], "%s/%s", d->path, name);
    assert_true(len > 0 && (size_t)len < sizeof paths[0]);
    return path;
}

void tmpdir_mkdir(const struct tmpdir *d, const char *name)
{
    assert_int_equal(mkdir(tmpdir_path(d, name), 0700), 0);
}

const char *tmpdir_write(const struct tmpdir *d, const char *name, const char *content)
{
    const char *path = tmpdir_path(d, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(content, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return path;
}

void tmpdir_read(const struct tmpdir *d, const char *name, char *out, size_t out_bytes)
{
    FILE *f = fopen(tmpdir_path(d, name), "re");
    assert_non_null(f);
    out[fread(out, 1, out_bytes - 1, f)] = '\0';
    fclose(f);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

void tmpdir_remove(const struct tmpdir *d)
{
    assert_int_equal(nftw(d->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
