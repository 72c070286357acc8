/* When each gateway of a server last got a group or uid, on pages that all its processes share. */
#ifndef BASE_NOTICES_H
#define BASE_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

/* What a gateway says of its names lies in a socket until the worker reads it, and meanwhile the
 * worker may read something else that follows from it. So the gateway numbers what it says, and
 * writes here which number a name comes with, before anybody can learn of the name: a worker that
 * has heard less than that does not know whether the name is there. Names share the cells of a
 * page; who shares one with a new name is taken for new. */
struct notices;
/* Of one gateway process, which alone writes. */
struct notice_page;

/* Shared with children that are forked later. NULL: errno. */
struct notices *notices_new(size_t pages_n) NODISCARD;
void notices_free(struct notices *n); /* of this process; others keep theirs */

/* This process will not write: business code that goes astray must not either. */
void notices_protect(const struct notices *n);

/* NULL without notices or beyond the last. A process that is started again goes on with its
 * predecessor's page. */
struct notice_page *notices_page(const struct notices *n, size_t pos);
/* A name that finds the page in each process of this server and in none of another. */
enum { NOTICES_NAME_MAX = 48 };
void notices_name(const struct notices *n, size_t pos, char out[NOTICES_NAME_MAX]);
const struct notice_page *notices_find(const struct notices *n, struct span name); /* NULL: no */

/* The name is part of what is said next. kind keeps equal names apart. */
void notice_put(struct notice_page *p, unsigned kind, struct span name);
uint32_t notice_say(struct notice_page *p);        /* the number of what is said now */
uint32_t notice_said(const struct notice_page *p); /* of what was said last */
/* Whether the name may have been put and said after what came with the number `heard`. */
bool notice_is_news(const struct notice_page *p, unsigned kind, struct span name, uint32_t heard);

#endif
