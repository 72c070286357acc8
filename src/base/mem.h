/* Heap memory: aborting allocation for sizes we choose, fallible for sizes a peer chose. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Never NULL: running out of memory for a size of our own choosing aborts with a log line. */
void *mem_alloc(size_t size) NODISCARD;
void *mem_zalloc(size_t size) NODISCARD;            /* zero-filled */
void *mem_realloc(void *at, size_t size) NODISCARD; /* at may be NULL */
char *mem_strdup(const char *text) NODISCARD;
char *mem_strndup(const void *at, size_t len) NODISCARD; /* adds the NUL */

/* NULL when there is no memory. For sizes that a peer chose, after they were capped. */
void *mem_try_alloc(size_t size) NODISCARD;
void *mem_try_realloc(void *at, size_t size) NODISCARD;

void mem_free(void *at); /* NULL is fine */

/* What the allocator set aside for it: rounded up, and its own header. 0 for NULL. */
size_t mem_held(const void *at);
size_t mem_held_max(size_t size); /* the most that it is for so many bytes */

/* How many of the calls above got memory since the process began; tests compare two readings. */
uint64_t mem_allocs_n(void);

#endif
