/* Complaints about values that are found wrong after the config was read. */
#include <stdarg.h>

#include <gw/err.h>

#include "base/conf.h"

static void put_section(struct buf *errors, const struct conf_section *s, const char *key)
{
    buf_printf(errors, ": [%s%s%s] %s: ", s->table->kind, s->name[0] ? " " : "", s->name, key);
}

int conf_complain(const struct conf *c, const struct conf_section *s, const char *key,
                  struct buf *errors, const char *fmt, ...)
{
    va_list args;

    buf_puts(errors, conf_where(c, s, key));
    put_section(errors, s, key);
    va_start(args, fmt);
    buf_vprintf(errors, fmt, args);
    va_end(args);
    buf_putc(errors, '\n');
    return GW_ECONF;
}

int conf_complain_item(const struct conf_section *s, const char *key, const struct conf_item *item,
                       struct buf *errors, const char *fmt, ...)
{
    va_list args;

    buf_printf(errors, "%s:%d", item->file, item->line);
    put_section(errors, s, key);
    va_start(args, fmt);
    buf_vprintf(errors, fmt, args);
    va_end(args);
    buf_putc(errors, '\n');
    return GW_ECONF;
}
