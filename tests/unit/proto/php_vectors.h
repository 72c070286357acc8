/* PHP values of php-serialize.json as values of a document. Include after cmocka.h. */
#ifndef UNIT_PROTO_PHP_VECTORS_H
#define UNIT_PROTO_PHP_VECTORS_H

#include <stdlib.h>

#include "proto/phpser.h"
#include "support/vectors.h"

/* {"int": "5"}, {"array": [{"key": …, "value": …}]} and so on; the test fails on any other. */
static inline struct php_value *php_vector_value(struct php_doc *d, const json_t *typed);

static inline int64_t int_of(const json_t *typed)
{
    return strtoll(json_string_value(json_object_get(typed, "int")), NULL, 10);
}

static inline double float_of(const json_t *typed)
{
    uint64_t bits = strtoull(json_string_value(json_object_get(typed, "float_be_hex")), NULL, 16);
    double v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

static inline struct php_value *string_of(struct php_doc *d, const json_t *typed)
{
    struct buf bytes = {0};

    assert_true(vectors_hex(typed, "string_hex", &bytes));
    struct php_value *v = php_new_string(d, buf_span(&bytes));
    buf_fini(&bytes);
    return v;
}

/* Keys are typed as they end up in PHP, so the key rule is checked here, not applied. */
static inline struct php_key key_of(struct php_doc *d, const json_t *typed)
{
    if (json_object_get(typed, "int"))
        return (struct php_key){.is_int = true, .num = int_of(typed)};
    struct php_key key = php_key_of(php_string(string_of(d, typed)));
    assert_false(key.is_int);
    return key;
}

static inline struct php_value *array_of(struct php_doc *d, const json_t *items)
{
    struct php_value *array = php_new_array(d);
    const json_t *item;
    size_t i;

    json_array_foreach(items, i, item) php_set(d, array, key_of(d, json_object_get(item, "key")),
                                               php_vector_value(d, json_object_get(item, "value")));
    return array;
}

static inline struct php_value *php_vector_value(struct php_doc *d, const json_t *typed)
{
    if (json_object_get(typed, "null"))
        return php_new_null(d);
    if (json_object_get(typed, "bool"))
        return php_new_bool(d, json_is_true(json_object_get(typed, "bool")));
    if (json_object_get(typed, "int"))
        return php_new_int(d, int_of(typed));
    if (json_object_get(typed, "float_be_hex"))
        return php_new_float(d, float_of(typed));
    if (json_object_get(typed, "string_hex"))
        return string_of(d, typed);
    assert_true(json_is_array(json_object_get(typed, "array")));
    return array_of(d, json_object_get(typed, "array"));
}

#endif
