/* The text of config files: sections of keys and values in order, includes and ${ENV} resolved. */
#ifndef BASE_CONF_FILE_H
#define BASE_CONF_FILE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/vec.h"

struct conf_line {
    const char *key;
    const char *value;
    const char *file;
    int line;
    const char *where; /* "chat.conf:12" */
};

/* "[gateway chat]": kind "gateway", name "chat". */
struct conf_block {
    const char *kind;
    const char *name; /* "" when there is none */
    const char *file;
    int line;
    const char *where;
    struct vec lines; /* struct conf_line */
};

/* Zero-initialised is empty. */
struct conf_text {
    struct vec blocks;  /* struct conf_block, in the order of reading */
    struct vec strings; /* everything that the pointers above point to */
};

/* Reads a file and what it includes. Appends every complaint to `errors` as a line
 * "file:line: …". Returns 0, or GW_ECONF after any complaint; `text` holds what could be read. */
int conf_text_read(struct conf_text *text, const char *path, struct buf *errors) NODISCARD;
void conf_text_fini(struct conf_text *text);
/* Copies: owned by text. */
const char *conf_text_keep(struct conf_text *text, const char *string);
const char *conf_text_keepn(struct conf_text *text, const void *at, size_t len);

#endif
