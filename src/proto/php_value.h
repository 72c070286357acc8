/* Inside the PHP codecs: how a document keeps values and ordered arrays. Include phpser.h instead.
 */
#ifndef PROTO_PHP_VALUE_H
#define PROTO_PHP_VALUE_H

#include "proto/phpser.h"

/* Arrays of up to this many entries are searched in order; larger ones have a hash table. */
enum { PHP_SCAN_MAX = 8 };

/* 32 bytes, so that a peer's smallest element (`i:0;N;`, 6 bytes) costs 56 with its value. */
struct php_entry {
    const struct php_value *value; /* NULL: this entry was unset */
    union {
        int64_t num;
        const uint8_t *text;
    } key;
    uint32_t key_len;
    uint32_t hash;
    bool is_int;
};

/*  entries, in PHP's order, may have holes:   [a][b][ ][d]
 *  slots, a power of two, linear probing:     [3][-][0][-][1][-][-][2]   (entry position or -1)  */
struct php_array {
    struct php_entry *entries;
    uint32_t *slots;    /* NULL while the array is small */
    uint32_t entries_n; /* with holes */
    uint32_t entries_cap;
    uint32_t slots_n;
    uint32_t len;      /* without holes */
    int64_t next_free; /* the key of the next append; INT64_MIN: none had a number */
    bool is_full;      /* INT64_MAX is taken: PHP refuses to append */
};

struct php_value {
    enum php_type type;
    uint32_t string_len;
    union {
        bool boolean;
        int64_t num;
        double real;
        const uint8_t *text;
        struct php_array *array;
    } as;
};

/* Memory that lives as long as the document, aligned for any value. Never NULL. */
void *php_doc_alloc(struct php_doc *d, size_t size);
/* A string value or key text of len bytes, to be filled by the caller, at most UINT32_MAX. */
uint8_t *php_doc_text(struct php_doc *d, size_t len);
/* A string value over bytes that live as long as the document already. */
struct php_value *php_new_string_over(struct php_doc *d, const uint8_t *text, size_t len);
struct php_value *php_new_array_sized(struct php_doc *d, size_t len);

/* As php_set(), but the key's text lives as long as the document already. */
void php_set_over(struct php_doc *d, struct php_value *array, struct php_key key,
                  const struct php_value *v);

#endif
