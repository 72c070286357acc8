/* The config file: INI read by libinih into sections, checked against tables of keys. */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"

/* One table per section kind describes every key: parser, `gatehouse check`, `gatehouse keys` (the
 * reference in docs/operations.md) are made from it. Fields of the target struct by type:
 *   CONF_STR  const char *        text, NULL when unset and without default
 *   CONF_LIST struct conf_list    repeated key, in order
 *   CONF_INT  int64_t             plain decimal
 *   CONF_SIZE uint64_t            bytes; suffixes k, m, g (1024)
 *   CONF_SECONDS uint64_t         milliseconds; written in seconds, decimals allowed ("0.4")
 *   CONF_MS   uint64_t            milliseconds; written in milliseconds
 *   CONF_BOOL bool                true/false, yes/no, on/off, 1/0
 *   CONF_ENUM int                 one of `choices` ("close|drop_new|drop_old"): its position */
enum conf_type {
    CONF_STR,
    CONF_LIST,
    CONF_INT,
    CONF_SIZE,
    CONF_SECONDS,
    CONF_MS,
    CONF_BOOL,
    CONF_ENUM,
};

struct conf_item {
    const char *text;
    const char *file;
    int line;
};

struct conf_list {
    const struct conf_item *at;
    size_t len;
};

struct conf_key {
    const char *name;
    enum conf_type type;
    size_t offset;    /* in the target struct */
    const char *def;  /* default as it would be written, NULL for none */
    int64_t min, max; /* CONF_INT, CONF_SIZE, CONF_SECONDS and CONF_MS (in ms); both 0: no bound */
    const char *choices; /* CONF_ENUM */
    const char *unit;    /* for the reference: "bytes", "s", "ms", "" */
    const char *meaning; /* one sentence, for the reference */
    bool is_required;
};

struct conf;
struct conf_section;

struct conf_table {
    const char *kind;    /* "gateway" of "[gateway chat]" */
    const char *meaning; /* one sentence */
    const struct conf_key *keys;
    size_t keys_n;
    size_t conf_bytes; /* size of the target struct */
    bool is_single;    /* at most one such section */
    /* Looks for what the keys cannot express, once all sections are read without a complaint; each
     * complaint is one line in errors, by conf_complain(). NULL: nothing. */
    void (*check)(const struct conf *conf, const struct conf_section *s, struct buf *errors);
};

struct conf_section {
    const struct conf_table *table;
    const char *name; /* "chat" of "[gateway chat]", "" when there is none */
    const char *file;
    int line;
    void *conf; /* the filled target struct */
};

/* struct conf owns every string and struct that it hands out. */

/* Reads the file, its `include = glob` lines (relative to it) and ${ENV}. All complaints go to
 * `errors`, one line each: "chat.conf:12: [gateway chat] pingg_interval: unknown key; did you mean
 * ping_interval?". Returns 0 or GW_ECONF with *out NULL. Keys before the first section are errors,
 * but for include. */
int conf_load(const char *path, const struct conf_table *const *tables, size_t tables_n,
              struct buf *errors, struct conf **out) NODISCARD;
void conf_free(struct conf *c);

size_t conf_sections_n(const struct conf *c);
const struct conf_section *conf_section_at(const struct conf *c, size_t pos);
/* A path from the config as the process opens it: absolute ones unchanged, relative ones below
 * the folder of the main config file, so that a start does not depend on the working directory.
 * Returns a string owned by c; NULL for NULL. Roles hold the config as const
 * and may call this. */
const char *conf_path(const struct conf *c, const char *path);
/* Where a key of a section was written, for complaints found later: "chat.conf:12" (owned by c);
 * the section's own line when the key was not written. */
const char *conf_where(const struct conf *c, const struct conf_section *s, const char *key);
/* Appends a line about a key that was found wrong: "chat.conf:12: [gateway chat] listen: …", the
 * text is one sentence that says what to write instead. The other form is for one line of a
 * repeated key. Both return GW_ECONF. */
int conf_complain(const struct conf *c, const struct conf_section *s, const char *key,
                  struct buf *errors, const char *fmt, ...) PRINTF_LIKE(5, 6);
int conf_complain_item(const struct conf_section *s, const char *key, const struct conf_item *item,
                       struct buf *errors, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Markdown reference of all tables. */
void conf_reference(const struct conf_table *const *tables, size_t tables_n, struct buf *out);

#endif
