/* Cells keep the bytes; what a terminal cannot be trusted with is replaced when they are shown. */
#include "cmd/table.h"

#include <ctype.h>
#include <string.h>
#include <wchar.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"

enum cell_kind { CELL_TEXT, CELL_COUNT, CELL_BOOL, CELL_JSON };

struct cell {
    enum cell_kind kind;
    struct span text;
    uint64_t count; /* of CELL_COUNT and CELL_BOOL */
};

struct table {
    const char *const *columns;
    size_t columns_n;
    struct cell *cells; /* row by row */
    size_t n;
    size_t cap;
    struct arena texts;
};

struct table *table_new(const char *const *columns, size_t columns_n)
{
    struct table *t = mem_zalloc(sizeof *t);

    t->columns = columns;
    t->columns_n = columns_n;
    return t;
}

void table_free(struct table *t)
{
    if (!t)
        return;
    mem_free(t->cells);
    arena_fini(&t->texts);
    mem_free(t);
}

/* ---- filling ---- */

static struct cell *add_cell(struct table *t, enum cell_kind kind)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cells = mem_realloc(t->cells, t->cap * sizeof *t->cells);
    }
    struct cell *c = &t->cells[t->n++];
    *c = (struct cell){.kind = kind};
    return c;
}

static void put_cell(struct table *t, enum cell_kind kind, struct span text)
{
    struct cell *c = add_cell(t, kind);

    c->text = span_of(arena_text(&t->texts, text), text.len);
}

void table_put_text(struct table *t, struct span text)
{
    put_cell(t, CELL_TEXT, text);
}

void table_put_count(struct table *t, uint64_t count)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);

    put_cell(t, CELL_COUNT, span_of(digits, (size_t)len));
    t->cells[t->n - 1].count = count;
}

void table_put_bool(struct table *t, bool value)
{
    put_cell(t, CELL_BOOL, span_str(value ? "yes" : "no"));
    t->cells[t->n - 1].count = value;
}

void table_put_json(struct table *t, const char *json)
{
    put_cell(t, CELL_JSON, span_str(json));
}

/* ---- for people ---- */

/* Appends the character in front, or its first byte as \xNN; returns the bytes used. */
static size_t put_shown(struct buf *out, struct span text, size_t *width)
{
    mbstate_t state = {0};
    wchar_t c;
    size_t n = mbrtowc(&c, (const char *)text.at, text.len, &state);
    int columns = n > 0 && n <= text.len ? wcwidth(c) : -1;

    if (columns >= 0) {
        buf_put(out, text.at, n);
        *width += (size_t)columns;
        return n;
    }
    buf_printf(out, "\\x%02x", text.at[0]);
    *width += 4;
    return 1;
}

/* Replaces what is in `out`; returns the columns that it takes on a terminal. */
static size_t show(struct span text, struct buf *out)
{
    size_t width = 0;

    buf_clear(out);
    while (text.at && text.len > 0)
        text = span_skip(text, put_shown(out, text, &width));
    return width;
}

static size_t width_of(const struct table *t, size_t column, struct buf *shown)
{
    size_t widest = strlen(t->columns[column]);

    for (size_t i = column; i < t->n; i += t->columns_n) {
        size_t width = show(t->cells[i].text, shown);
        if (width > widest)
            widest = width;
    }
    return widest;
}

static void print_padded(FILE *out, const char *text, size_t pad, bool is_right, bool is_last)
{
    if (is_right)
        fprintf(out, "%*s%s", (int)pad, "", text);
    else
        fprintf(out, "%s%*s", text, is_last ? 0 : (int)pad, "");
    fputs(is_last ? "\n" : "  ", out);
}

static void print_head(const struct table *t, const size_t *widths, FILE *out)
{
    for (size_t i = 0; i < t->columns_n; i++) {
        char name[32] = "";
        size_t len = 0;
        for (const char *c = t->columns[i]; *c != '\0' && len + 1 < sizeof name; c++)
            name[len++] = (char)toupper((unsigned char)*c);
        bool is_right = t->n > i && t->cells[i].kind == CELL_COUNT;
        print_padded(out, name, widths[i] - len, is_right, i + 1 == t->columns_n);
    }
}

void table_print(const struct table *t, FILE *out)
{
    size_t *widths = mem_zalloc(t->columns_n * sizeof *widths);
    struct buf shown = {0};

    for (size_t i = 0; i < t->columns_n; i++)
        widths[i] = width_of(t, i, &shown);
    print_head(t, widths, out);
    for (size_t row = 0; row < t->n; row += t->columns_n)
        for (size_t i = 0; i < t->columns_n; i++) {
            const struct cell *c = &t->cells[row + i];
            size_t width = show(c->text, &shown);
            print_padded(out, buf_cstr(&shown), widths[i] - width, c->kind == CELL_COUNT,
                         i + 1 == t->columns_n);
        }
    buf_fini(&shown);
    mem_free(widths);
}

/* ---- for programs ---- */

/* JSON cannot carry names that are not UTF-8: those are written as they are shown. */
static struct gw_json *text_json(struct span text)
{
    struct gw_json *v = gw_json_from_strn(gw_bytes(text.at, text.len));
    struct buf shown = {0};

    if (v)
        return v;
    (void)show(text, &shown);
    v = gw_json_from_str(buf_cstr(&shown));
    buf_fini(&shown);
    return v;
}

static struct gw_json *cell_json(const struct cell *c)
{
    switch (c->kind) {
    case CELL_COUNT:
        return gw_json_from_int((int64_t)c->count);
    case CELL_BOOL:
        return gw_json_from_bool(c->count != 0);
    case CELL_JSON: {
        struct gw_json *v = gw_json_parse(gw_bytes(c->text.at, c->text.len), NULL, 0);
        return v ? v : gw_json_from_null();
    }
    default:
        return text_json(c->text);
    }
}

struct gw_json *table_json(const struct table *t)
{
    struct gw_json *rows = gw_json_array();

    for (size_t row = 0; row < t->n; row += t->columns_n) {
        struct gw_json *object = gw_json_object();
        for (size_t i = 0; i < t->columns_n; i++)
            gw_json_set(object, t->columns[i], cell_json(&t->cells[row + i]));
        gw_json_append(rows, object);
    }
    return rows;
}
