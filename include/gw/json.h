/* JSON values: parsed from bytes, read without fear of wrong types, built and written.
 *
 *     struct gw_json *in = gw_json_parse(message, NULL, 0);
 *     const char *type = gw_json_str(in, "type", "");
 *     if (strcmp(type, "ping") == 0) …
 *     gw_json_free(in);
 *
 *     struct gw_json *out = gw_json_object();
 *     gw_json_set_str(out, "type", "say");
 *     gw_json_set_int(out, "time", 1700000000);
 *     char *text = gw_json_dump(out, GW_JSON_PLAIN, NULL);
 *     …
 *     gw_free(text);
 *     gw_json_free(out);
 *
 * Whoever parses or builds a tree frees its root with gw_json_free(); that frees all below it. What
 * the getters return is borrowed from the tree and dies when its owner is changed or freed. Every
 * call takes NULL for a value and treats it as absent. Text is UTF-8 throughout, and members keep
 * the order in which they were added. No call suspends. A tree belongs to one thread at a time. */
#ifndef GW_JSON_H
#define GW_JSON_H

#include <gw/err.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gw_json;

enum gw_json_type {
    GW_JSON_ABSENT, /* NULL was asked about */
    GW_JSON_NULL,
    GW_JSON_BOOL,
    GW_JSON_INT,  /* a number without fraction and exponent */
    GW_JSON_REAL, /* any other number */
    GW_JSON_STR,
    GW_JSON_ARRAY,
    GW_JSON_OBJECT,
};

/* What gw_json_parse() accepts. */
enum { GW_JSON_BYTES_MAX = 1 << 20, GW_JSON_DEPTH_MAX = 512 };

/* Frees what this library handed out as text; NULL is fine. */
GW_API void gw_free(void *at);

/* ---- parsing ---- */

/* The tree that the text stands for, owned by the caller; scalars at the top are fine. NULL when it
 * is not JSON (RFC 8259), not UTF-8, holds an integer beyond 64 bits, or passes a limit; then
 * `error`, unless NULL, says why and where: "line 1, column 9 (byte 9): …". Of members with the
 * same name the last one wins. Strings may contain \u0000, names may not. */
GW_API struct gw_json *gw_json_parse(struct gw_bytes text, char *error, size_t error_bytes);
/* The same with limits of your own: bytes of text, and arrays and objects within one another (at
 * most GW_JSON_DEPTH_MAX). */
GW_API struct gw_json *gw_json_parse_within(struct gw_bytes text, size_t bytes_max,
                                            unsigned depth_max, char *error, size_t error_bytes);
GW_API void gw_json_free(struct gw_json *v); /* NULL is fine; not for borrowed values */
/* A tree of its own, owned by the caller; NULL for NULL. */
GW_API struct gw_json *gw_json_copy(const struct gw_json *v);

/* ---- reading: nothing here fails, a wrong type reads as the default ---- */

GW_API enum gw_json_type gw_json_type(const struct gw_json *v);

/* Members of an object: `def` when it is no object, the name is absent or the type is another. */
GW_API const struct gw_json *gw_json_get(const struct gw_json *object,
                                         const char *name); /* or NULL */
GW_API const char *gw_json_str(const struct gw_json *object, const char *name, const char *def);
/* With its length, for strings that may hold NUL characters; {NULL, 0} when absent. */
GW_API struct gw_bytes gw_json_strn(const struct gw_json *object, const char *name);
GW_API int64_t gw_json_int(const struct gw_json *object, const char *name, int64_t def);
GW_API double gw_json_real(const struct gw_json *object, const char *name, double def);
GW_API bool gw_json_bool(const struct gw_json *object, const char *name, bool def);

/* The value itself, for elements of arrays. An int is wanted and 3.0 is there: 3 is read; a real is
 * wanted and 3 is there: 3.0 is read. Strings are never read as numbers, nor numbers as strings. */
GW_API const char *gw_json_as_str(const struct gw_json *v, const char *def);
GW_API struct gw_bytes gw_json_as_strn(const struct gw_json *v);
GW_API int64_t gw_json_as_int(const struct gw_json *v, int64_t def);
GW_API double gw_json_as_real(const struct gw_json *v, double def);
GW_API bool gw_json_as_bool(const struct gw_json *v, bool def);

/* Elements of an array or members of an object; 0 for anything else. */
GW_API size_t gw_json_len(const struct gw_json *v);
/* An element, or NULL when pos is beyond the end or v is no array. */
GW_API const struct gw_json *gw_json_at(const struct gw_json *array, size_t pos);
/* Walks the members: `void *it = NULL; while (gw_json_next(o, &it, &name, &value)) …`. The object
 * must not change meanwhile. False at the end, and at once for anything but an object. */
GW_API bool gw_json_next(const struct gw_json *object, void **it, const char **name,
                         const struct gw_json **value);

/* ---- building ---- */

/* Values owned by the caller, until one is given to a tree. NULL: the strings for text that
 * is not UTF-8, the real for infinity and NaN; and all without memory, but in a module, whose
 * process ends then. */
GW_API struct gw_json *gw_json_object(void);
GW_API struct gw_json *gw_json_array(void);
GW_API struct gw_json *gw_json_from_str(const char *text);
GW_API struct gw_json *gw_json_from_strn(struct gw_bytes text);
GW_API struct gw_json *gw_json_from_int(int64_t v);
GW_API struct gw_json *gw_json_from_real(double v);
GW_API struct gw_json *gw_json_from_bool(bool v);
GW_API struct gw_json *gw_json_from_null(void);

/* Sets a member, replacing one of that name at its place. Returns 0; GW_EUTF8 when the name or the
 * text is not UTF-8; -EINVAL when `object` is no object, the value is NULL, infinite or NaN, or is
 * the object itself. After an error the object is as it was. The result may be ignored where the
 * arguments are known to be right.
 *
 * gw_json_set() takes ownership of the value in every case, also when it fails. */
GW_API int gw_json_set(struct gw_json *object, const char *name, struct gw_json *value);
GW_API int gw_json_set_str(struct gw_json *object, const char *name, const char *text);
GW_API int gw_json_set_strn(struct gw_json *object, const char *name, struct gw_bytes text);
GW_API int gw_json_set_int(struct gw_json *object, const char *name, int64_t v);
GW_API int gw_json_set_real(struct gw_json *object, const char *name, double v);
GW_API int gw_json_set_bool(struct gw_json *object, const char *name, bool v);
GW_API int gw_json_set_null(struct gw_json *object, const char *name);
/* Frees a member. Returns 0 or GW_ENOTFOUND. */
GW_API int gw_json_unset(struct gw_json *object, const char *name);

/* Adds an element at the end of an array; the value's ownership and the results are as above:
 * gw_json_append(list, gw_json_from_str("x")). */
GW_API int gw_json_append(struct gw_json *array, struct gw_json *value);

/* ---- writing ---- */

enum gw_json_style {
    GW_JSON_PLAIN, /* Unicode as it is; JavaScript's JSON.stringify() */
    GW_JSON_PHP,   /* \u4f60 and \/ as PHP's json_encode() writes by default */
};

/* The value as text without blanks, NUL-terminated, freed with gw_free(); *len, unless NULL, gets
 * its length. A real without a fraction is written as an integer, as JavaScript and PHP do.
 * NULL when v is NULL or deeper than GW_JSON_DEPTH_MAX. */
GW_API char *gw_json_dump(const struct gw_json *v, enum gw_json_style style, size_t *len);

#ifdef __cplusplus
}
#endif
#endif
