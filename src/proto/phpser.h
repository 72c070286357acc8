/* PHP's serialize format, bounded: reading into values, writing, merging; no objects, no
 * references. */
#ifndef PROTO_PHPSER_H
#define PROTO_PHPSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

enum { PHP_DEPTH_MAX = 64, PHP_ELEMENTS_MAX = 1 << 20, PHP_BYTES_MAX = 64 * 1024 * 1024 };

enum php_type { PHP_NULL, PHP_BOOL, PHP_INT, PHP_FLOAT, PHP_STRING, PHP_ARRAY };

struct php_value; /* part of a document: lives as long as its php_doc */
struct php_doc;   /* owns every value read or made in it */

/* An array key as it ends up in PHP: canonical decimal strings are integers (vectors/README traps).
 */
struct php_key {
    bool is_int;
    int64_t num;
    struct span text; /* when !is_int */
};
struct php_key php_key_of(struct span text); /* applies the rule; borrows text */

struct php_doc *php_doc_new(void);
void php_doc_free(struct php_doc *d);

/* Reads one value that fills `in` entirely; the document copies what it needs. NULL with *err set
 * to GW_EPROTO (malformed, object, reference, bytes left over) or GW_ETOOBIG (a limit). */
struct php_value *php_read(struct php_doc *d, struct span in, int *err) NODISCARD;
/* The same, with a call before every element of an array, in which other work may be done. */
struct php_value *php_read_in_steps(struct php_doc *d, struct span in, int *err,
                                    void (*step)(void *arg), void *arg) NODISCARD;
void php_write(const struct php_value *v, struct buf *out);
/* JSON as json_encode writes it: with JSON_UNESCAPED_UNICODE for messages (is_unescaped) or default
 * flags. false (out as before) when PHP would fail: bytes that are not UTF-8, INF, NAN. */
bool php_write_json(const struct php_value *v, bool is_unescaped, struct buf *out) NODISCARD;
/* Reads JSON as json_decode($text, true) does; NULL when PHP would give null by failing. */
struct php_value *php_read_json(struct php_doc *d, struct span in) NODISCARD;

enum php_type php_type(const struct php_value *v);
bool php_bool(const struct php_value *v);
int64_t php_int(const struct php_value *v);
double php_float(const struct php_value *v);
struct span php_string(const struct php_value *v);
size_t php_len(const struct php_value *array);
/* *pos starts at 0; entries in order; false at the end. */
bool php_next(const struct php_value *array, size_t *pos, struct php_key *key,
              const struct php_value **value);
const struct php_value *php_get(const struct php_value *array, const char *key); /* NULL: absent */
const struct php_value *php_get_key(const struct php_value *array, const struct php_key *key);

struct php_value *php_new_null(struct php_doc *d);
struct php_value *php_new_bool(struct php_doc *d, bool v);
struct php_value *php_new_int(struct php_doc *d, int64_t v);
struct php_value *php_new_float(struct php_doc *d, double v);
struct php_value *php_new_string(struct php_doc *d, struct span v); /* copied */
struct php_value *php_new_array(struct php_doc *d);
/* Replaces in place or appends; the value must be of the same document. */
void php_set(struct php_doc *d, struct php_value *array, struct php_key key, struct php_value *v);
/* Does nothing when the key INT64_MAX is taken, as in PHP. */
void php_append(struct php_doc *d, struct php_value *array, struct php_value *v);
bool php_unset(struct php_value *array, struct php_key key);
bool php_is_equal(const struct php_value *a,
                  const struct php_value *b); /* type-strict, order too */

/* array_replace_recursive(base, update): vectors/session-merge.json. */
struct php_value *php_merge(struct php_doc *d, const struct php_value *base,
                            const struct php_value *update);

/* Writing without a document, for replies that are walked out of live tables. */
void php_put_null(struct buf *out);
void php_put_bool(struct buf *out, bool v);
void php_put_int(struct buf *out, int64_t v);
void php_put_string(struct buf *out, struct span v);
/* The same with room for its bytes, which the caller writes before anything else is put. */
uint8_t *php_put_string_room(struct buf *out, size_t len) NODISCARD;
void php_put_key(struct buf *out, struct span text); /* i:123; or s:3:"abc"; by the key rule */
void php_put_array(struct buf *out, size_t len); /* a:len:{ — then len keys and values, then: */
void php_put_array_end(struct buf *out);

#endif
