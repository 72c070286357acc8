/* What a table cannot say about the file of a module and its options. */
#include "module/module_conf.h"

#include <string.h>
#include <unistd.h>

#include <gw/err.h>

const char *module_option(const struct module_conf *c, const char *name)
{
    size_t len = name ? strlen(name) : 0;

    for (size_t i = 0; len > 0 && i < c->options.len; i++) {
        const char *text = c->options.at[i].text;
        if (strncmp(text, name, len) == 0 && text[len] == '=')
            return text + len + 1;
    }
    return NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static int check_file(const struct conf *conf, const struct conf_section *s, const char *key,
                      const char *value, struct buf *errors)
{
    const char *path = conf_path(conf, value);

    if (!ends_with(path, ".c") && !ends_with(path, ".so"))
        return conf_complain(conf, s, key, errors, "\"%s\" is neither a .c nor a .so file", value);
    if (access(path, R_OK) == 0)
        return 0;
    return conf_complain(conf, s, key, errors, "cannot read %s; name the file of your module",
                         path);
}

int module_conf_check(const struct conf *conf, const struct conf_section *s, const char *key,
                      const char *value, const struct module_conf *c, struct buf *errors)
{
    int rc = check_file(conf, s, key, value, errors);

    for (size_t i = 0; i < c->options.len; i++) {
        const struct conf_item *item = &c->options.at[i];
        if (strchr(item->text, '='))
            continue;
        rc = conf_complain_item(s, "option", item, errors, "\"%s\" should be name=value",
                                item->text);
    }
    return rc;
}
