/* A folder served as a web site: from the path of a request to an open file, and never outside. */
#ifndef WEB_SITE_H
#define WEB_SITE_H

#include <sys/stat.h>

#include "base/compiler.h"
#include "base/span.h"

struct site;

/* Opens the folder; `index` is the file that stands for a folder. NULL: errno. */
struct site *site_open(const char *root, const char *index) NODISCARD;
void site_close(struct site *s); /* NULL is fine */

struct site_file {
    int fd; /* the caller's */
    struct stat stat;
    const char *type; /* Content-Type */
};

enum { SITE_NEEDS_SLASH = 1 };

/* Looks for the file of a request's path as sent (percent-encoded, beginning with '/').
 *
 * 0 with *out filled; SITE_NEEDS_SLASH for a folder whose path has no '/' at its end, so that
 * relative links in its index would break; -EINVAL for a path that is no text (bad escape, NUL);
 * -ENOENT for all that is not there or not to be seen: names that begin with a dot (but for
 * .well-known, RFC 8615), "..", encoded slashes, links that lead out, devices; another -errno when
 * the system has no descriptor or cannot read. */
int site_find(struct site *s, struct span path, struct site_file *out) NODISCARD;

#endif
