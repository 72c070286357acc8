/* The config: sections of text checked against the tables of keys, and the structs made of them. */
#include "base/conf.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <gw/err.h>

#include "base/conf_file.h"
#include "base/conf_value.h"
#include "base/mem.h"
#include "base/nearest.h"

struct section {
    struct conf_section pub;
    const struct conf_block *block;
    struct vec lists; /* arrays of struct conf_item */
};

struct conf {
    struct conf_text *text; /* also grows through a const conf: see conf_path() */
    struct vec sections;    /* struct section */
    const char *folder;     /* of the main file, absolute */
};

/* What loading hands down. */
struct loader {
    struct conf *conf;
    const struct conf_table *const *tables;
    size_t tables_n;
    struct buf *errors;
};

static void section_free(struct section *s)
{
    for (size_t i = 0; i < s->lists.len; i++)
        mem_free(s->lists.at[i]);
    vec_fini(&s->lists);
    mem_free(s->pub.conf);
    mem_free(s);
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->sections.len; i++)
        section_free(c->sections.at[i]);
    vec_fini(&c->sections);
    conf_text_fini(c->text);
    mem_free(c->text);
    mem_free(c);
}

/* "chat.conf:12: [gateway chat] " in front of a complaint. */
static void begin(struct loader *l, const struct conf_block *b, const char *where)
{
    buf_printf(l->errors, "%s: [%s%s%s] ", where, b->kind, b->name[0] ? " " : "", b->name);
}

static const struct conf_table *find_table(const struct loader *l, const char *kind)
{
    for (size_t i = 0; i < l->tables_n; i++)
        if (strcmp(l->tables[i]->kind, kind) == 0)
            return l->tables[i];
    return NULL;
}

static const struct conf_key *find_key(const struct conf_table *t, const char *name)
{
    for (size_t i = 0; i < t->keys_n; i++)
        if (strcmp(t->keys[i].name, name) == 0)
            return &t->keys[i];
    return NULL;
}

static void say_unknown_kind(struct loader *l, const struct conf_block *b)
{
    struct nearest n = {.word = b->kind};
    begin(l, b, b->where);
    buf_puts(l->errors, "unknown kind of section; there are ");
    for (size_t i = 0; i < l->tables_n; i++) {
        buf_printf(l->errors, "%s%s", i == 0 ? "" : ", ", l->tables[i]->kind);
        nearest_try(&n, l->tables[i]->kind);
    }
    if (n.best)
        buf_printf(l->errors, "; did you mean %s?", n.best);
    buf_putc(l->errors, '\n');
}

static void say_unknown_key(struct loader *l, const struct section *s, const struct conf_line *at)
{
    struct nearest n = {.word = at->key};
    begin(l, s->block, at->where);
    if (strcmp(at->key, "include") == 0) {
        buf_puts(l->errors, "include: must stand above the first section of its file\n");
        return;
    }
    for (size_t i = 0; i < s->pub.table->keys_n; i++)
        nearest_try(&n, s->pub.table->keys[i].name);
    buf_printf(l->errors, "%s: unknown key", at->key);
    if (n.best)
        buf_printf(l->errors, "; did you mean %s?", n.best);
    buf_putc(l->errors, '\n');
}

/* The nth line with this key, or NULL. */
static const struct conf_line *find_line(const struct conf_block *b, const char *key, size_t nth)
{
    for (size_t i = 0; i < b->lines.len; i++) {
        const struct conf_line *line = b->lines.at[i];
        if (strcmp(line->key, key) == 0 && nth-- == 0)
            return line;
    }
    return NULL;
}

static void fill_list(struct section *s, const struct conf_key *key, struct conf_list *out)
{
    const struct conf_line *line;
    size_t n = 0;
    while (find_line(s->block, key->name, n))
        n++;
    if (n == 0 && !key->def)
        return;
    struct conf_item *items = mem_alloc((n ? n : 1) * sizeof *items);
    vec_push(&s->lists, items);
    *out = (struct conf_list){.at = items, .len = n ? n : 1};
    items[0] = (struct conf_item){.text = key->def, .file = s->pub.file, .line = s->pub.line};
    for (size_t i = 0; i < n; i++) {
        line = find_line(s->block, key->name, i);
        items[i] = (struct conf_item){.text = line->value, .file = line->file, .line = line->line};
    }
}

static void fill_scalar(struct loader *l, struct section *s, const struct conf_key *key,
                        void *field)
{
    const struct conf_line *line = find_line(s->block, key->name, 0);
    const struct conf_line *again = line ? find_line(s->block, key->name, 1) : NULL;
    const char *text = line ? line->value : key->def;
    struct buf why = {0};
    if (again) {
        begin(l, s->block, again->where);
        buf_printf(l->errors, "%s: set already at %s\n", key->name, line->where);
    }
    if (text && !conf_value_read(key, text, field, &why)) {
        begin(l, s->block, line ? line->where : s->block->where);
        buf_printf(l->errors, "%s: %s\n", key->name, buf_cstr(&why));
    }
    buf_fini(&why);
}

static void fill_section(struct loader *l, struct section *s)
{
    const struct conf_table *t = s->pub.table;
    for (size_t i = 0; i < s->block->lines.len; i++) {
        const struct conf_line *line = s->block->lines.at[i];
        if (!find_key(t, line->key))
            say_unknown_key(l, s, line);
    }
    for (size_t i = 0; i < t->keys_n; i++) {
        const struct conf_key *key = &t->keys[i];
        void *field = (char *)s->pub.conf + key->offset;
        if (key->is_required && !find_line(s->block, key->name, 0)) {
            begin(l, s->block, s->block->where);
            buf_printf(l->errors, "%s: is missing: %s\n", key->name, key->meaning);
        } else if (key->type == CONF_LIST) {
            fill_list(s, key, field);
        } else {
            fill_scalar(l, s, key, field);
        }
    }
}

/* An earlier section that rules this one out. */
static const struct conf_section *find_rival(const struct conf *c, const struct conf_table *t,
                                             const char *name)
{
    for (size_t i = 0; i < c->sections.len; i++) {
        const struct conf_section *s = conf_section_at(c, i);
        if (s->table == t && (t->is_single || strcmp(s->name, name) == 0))
            return s;
    }
    return NULL;
}

static void add_section(struct loader *l, const struct conf_block *b)
{
    const struct conf_table *t = find_table(l, b->kind);
    if (!t) {
        say_unknown_kind(l, b);
        return;
    }
    const struct conf_section *rival = find_rival(l->conf, t, b->name);
    if (rival) {
        begin(l, b, b->where);
        buf_printf(l->errors, "is there already at %s:%d%s\n", rival->file, rival->line,
                   t->is_single ? "; there can be only one" : "; give it another name");
    }
    struct section *s = mem_zalloc(sizeof *s);
    s->block = b;
    s->pub = (struct conf_section){.table = t,
                                   .name = b->name,
                                   .file = b->file,
                                   .line = b->line,
                                   .conf = mem_zalloc(t->conf_bytes)};
    vec_push(&l->conf->sections, s);
    fill_section(l, s);
}

/* Absolute, so that it holds when the process changes its folder. */
static void find_folder(struct conf *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash ? conf_text_keepn(c->text, path, (size_t)(slash - path) + 1) : ".";
    char absolute[PATH_MAX];
    c->folder = realpath(folder, absolute) ? conf_text_keep(c->text, absolute) : folder;
}

static void check_sections(const struct conf *c, struct buf *errors)
{
    for (size_t i = 0; i < conf_sections_n(c); i++) {
        const struct conf_section *s = conf_section_at(c, i);
        if (s->table->check)
            s->table->check(c, s, errors);
    }
}

int conf_load(const char *path, const struct conf_table *const *tables, size_t tables_n,
              struct buf *errors, struct conf **out)
{
    struct conf *c = mem_zalloc(sizeof *c);
    c->text = mem_zalloc(sizeof *c->text);
    struct loader l = {.conf = c, .tables = tables, .tables_n = tables_n, .errors = errors};
    size_t before = errors->len;
    find_folder(c, path);
    int rc = conf_text_read(c->text, path, errors);
    for (size_t i = 0; i < c->text->blocks.len; i++)
        add_section(&l, c->text->blocks.at[i]);
    if (errors->len == before)
        check_sections(c, errors);
    if (errors->len != before)
        rc = GW_ECONF;
    if (rc < 0) {
        conf_free(c);
        c = NULL;
    }
    *out = c;
    return rc;
}

size_t conf_sections_n(const struct conf *c)
{
    return c->sections.len;
}

const struct conf_section *conf_section_at(const struct conf *c, size_t pos)
{
    const struct section *s = c->sections.at[pos];
    return &s->pub;
}

const char *conf_path(const struct conf *c, const char *path)
{
    if (!path || path[0] == '/')
        return path;
    struct buf full = {0};
    buf_printf(&full, "%s/%s", c->folder, path);
    const char *kept = conf_text_keep(c->text, buf_cstr(&full));
    buf_fini(&full);
    return kept;
}

const char *conf_where(const struct conf *c, const struct conf_section *s, const char *key)
{
    for (size_t i = 0; i < c->sections.len; i++) {
        const struct section *mine = c->sections.at[i];
        if (&mine->pub != s)
            continue;
        const struct conf_line *line = find_line(mine->block, key, 0);
        return line ? line->where : mine->block->where;
    }
    return s->file;
}
