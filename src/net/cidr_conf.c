/* A repeated config key whose values are addresses and networks. */
#include "net/cidr_conf.h"

int cidr_conf_check(const struct conf_section *s, const char *key, const struct conf_list *list,
                    struct buf *errors)
{
    int rc = 0;
    for (size_t i = 0; i < list->len; i++) {
        const struct conf_item *item = &list->at[i];
        struct cidr ignored;
        if (cidr_parse(item->text, &ignored) == 0)
            continue;
        rc = conf_complain_item(s, key, item, errors,
                                "\"%s\" is no address; write for instance 127.0.0.1, 10.0.0.0/8, "
                                "::1 or unix",
                                item->text);
    }
    return rc;
}

struct cidr_set cidr_conf_read(const struct conf_list *list)
{
    struct cidr_set set = {0};
    for (size_t i = 0; i < list->len; i++) {
        struct cidr c;
        if (cidr_parse(list->at[i].text, &c) == 0)
            cidr_set_add(&set, &c);
    }
    return set;
}
