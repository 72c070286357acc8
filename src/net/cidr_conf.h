/* A repeated config key whose values are addresses and networks. */
#ifndef NET_CIDR_CONF_H
#define NET_CIDR_CONF_H

#include "base/compiler.h"
#include "base/conf.h"
#include "net/cidr.h"

/* 0, or GW_ECONF with a line in errors for each value that is none. */
int cidr_conf_check(const struct conf_section *s, const char *key, const struct conf_list *list,
                    struct buf *errors) NODISCARD;
/* The addresses of a list that was checked; the caller's to fini. */
struct cidr_set cidr_conf_read(const struct conf_list *list) NODISCARD;

#endif
