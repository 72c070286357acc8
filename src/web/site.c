/* A folder as a web site. Two locks keep requests inside: paths with suspicious segments are never
 * looked up, and the kernel resolves the rest below the folder's descriptor (openat2). */
#include "web/site.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proto/http.h"
#include "web/mime.h"

struct site {
    int root_fd;
    char *index;
};

enum {
    /* O_NONBLOCK: opening a FIFO must not wait for its other end. */
    SITE_OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
    SITE_RACES_MAX = 8,
};

struct site *site_open(const char *root, const char *index)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct site *s = mem_alloc(sizeof *s);
    *s = (struct site){.root_fd = fd, .index = mem_strdup(index)};
    return s;
}

void site_close(struct site *s)
{
    if (!s)
        return;
    close(s->root_fd);
    mem_free(s->index);
    mem_free(s);
}

/* Where openat2() is missing (before Linux 5.6) or forbidden (seccomp profiles of old container
 * engines answer EPERM): one step at a time, following no link at all. */
static int open_stepwise(int root_fd, char *path)
{
    int fd = dup(root_fd);
    while (fd >= 0 && path) {
        char *rest = strchr(path, '/');
        if (rest)
            *rest++ = '\0';
        int next = openat(fd, path, SITE_OPEN_FLAGS | O_NOFOLLOW | (rest ? O_DIRECTORY : 0));
        int saved = errno;
        close(fd);
        errno = saved;
        fd = next;
        path = rest;
    }
    return fd < 0 ? -errno : fd;
}

/* Opens a path of checked segments below the root. The descriptor or -errno. */
static int open_below(int root_fd, const char *path)
{
    struct open_how how = {.flags = (uint64_t)SITE_OPEN_FLAGS,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = -1;
    /* EAGAIN: a folder above was renamed while the kernel looked; it advises to try again. */
    for (int i = 0; i < SITE_RACES_MAX && fd < 0; i++) {
        fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
        if (fd < 0 && errno != EAGAIN)
            break;
    }
    if (fd >= 0)
        return (int)fd;
    if (errno != ENOSYS && errno != EPERM)
        return -errno;
    char *steps = mem_strdup(path);
    int rc = open_stepwise(root_fd, steps);
    mem_free(steps);
    return rc;
}

/* Appends one decoded segment of the path. */
static int put_segment(struct buf *to, struct span segment)
{
    size_t before = to->len;
    if (!http_percent_decode(segment, false, to))
        return -EINVAL;
    if (to->len == before) /* the redirect of "//host" would lead to another site */
        return -ENOENT;
    struct span text = span_of(to->at + before, to->len - before);
    if (span_find(text, '\0') >= 0)
        return -EINVAL;
    if (span_find(text, '/') >= 0)
        return -ENOENT;
    bool is_well_known = before == 0 && span_is(text, ".well-known");
    return text.at[0] == '.' && !is_well_known ? -ENOENT : 0;
}

/* "/a/b%20c" to "a/b c", "/" to ".". *has_slash tells whether it ends with one. */
static int decode_path(struct span path, struct buf *to, bool *has_slash)
{
    *has_slash = true;
    path = span_skip(path, 1);
    while (path.len > 0) {
        if (to->len > 0)
            buf_putc(to, '/');
        struct span segment = span_cut(&path, '/');
        *has_slash = path.at != NULL;
        int rc = put_segment(to, segment);
        if (rc < 0)
            return rc;
    }
    if (to->len == 0)
        buf_putc(to, '.');
    return 0;
}

/* What a visitor may learn of a failed look-up: that nothing is there. Only the system's own
 * shortages are told apart. */
static int outward_error(int rc)
{
    switch (rc) {
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
    case -EIO:
    case -EAGAIN:
        return rc;
    default:
        return -ENOENT;
    }
}

/* Opens the path, or its index when it is a folder asked for with its slash. */
static int open_file(struct site *s, struct buf *path, bool has_slash, struct site_file *out)
{
    int fd = open_below(s->root_fd, buf_cstr(path));
    if (fd < 0)
        return outward_error(fd);
    if (fstat(fd, &out->stat) == 0 && S_ISDIR(out->stat.st_mode)) {
        close(fd);
        if (!has_slash)
            return SITE_NEEDS_SLASH;
        buf_putc(path, '/');
        buf_puts(path, s->index);
        fd = open_below(s->root_fd, buf_cstr(path));
        if (fd < 0)
            return outward_error(fd);
        has_slash = false;
    }
    if (has_slash || fstat(fd, &out->stat) < 0 || !S_ISREG(out->stat.st_mode)) {
        close(fd);
        return -ENOENT;
    }
    out->fd = fd;
    out->type = mime_type(buf_span(path));
    return 0;
}

int site_find(struct site *s, struct span path, struct site_file *out)
{
    struct buf decoded = {0};
    bool has_slash;
    int rc = path.len > 0 && path.at[0] == '/' ? decode_path(path, &decoded, &has_slash) : -EINVAL;
    if (rc == 0)
        rc = open_file(s, &decoded, has_slash, out);
    buf_fini(&decoded);
    return rc;
}
