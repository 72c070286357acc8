/* The reference of all config keys as Markdown, made from the tables that check them. */
#include "base/conf.h"
#include "base/conf_value.h"

/* A '|' would end the cell. */
static void put_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_putc(out, '\\');
        buf_putc(out, (uint8_t)*text);
    }
}

static void put_key(struct buf *out, const struct conf_key *key)
{
    buf_printf(out, "| `%s` | ", key->name);
    conf_value_describe(key, out);
    if (key->unit && key->unit[0] && key->type == CONF_INT)
        buf_printf(out, " (%s)", key->unit);
    buf_puts(out, " | ");
    if (key->is_required) {
        buf_puts(out, "required");
    } else if (key->def && key->def[0]) {
        buf_putc(out, '`');
        put_cell(out, key->def);
        buf_putc(out, '`');
    }
    buf_puts(out, " | ");
    put_cell(out, key->meaning);
    buf_puts(out, " |\n");
}

void conf_reference(const struct conf_table *const *tables, size_t tables_n, struct buf *out)
{
    for (size_t i = 0; i < tables_n; i++) {
        const struct conf_table *t = tables[i];
        buf_printf(out, "%s## `[%s%s]`\n\n%s\n\n", i ? "\n" : "", t->kind,
                   t->is_single ? "" : " name", t->meaning);
        buf_puts(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
        for (size_t k = 0; k < t->keys_n; k++)
            put_key(out, &t->keys[k]);
    }
}
