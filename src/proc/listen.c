/* Listening addresses of roles: parsed from their URLs in the config, bound before the first fork.
 */
#include "proc/listen.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/sock.h"

enum { LISTEN_BACKLOG = 4096 };

static int complain(const struct conf *conf, const struct conf_section *s, const char *key,
                    const char *text, const char *what, struct buf *errors)
{
    return conf_complain(conf, s, key, errors, "\"%s\": %s", text ? text : "", what);
}

static int scheme_pos(struct span scheme, const char *const *schemes)
{
    for (int i = 0; schemes[i]; i++)
        if (span_eq_nocase(scheme, schemes[i]))
            return i;
    return -1;
}

static int unknown_scheme(const struct conf *conf, const struct conf_section *s, const char *key,
                          const char *url, const char *const *schemes, struct buf *errors)
{
    struct buf what = {0};
    buf_puts(&what, "write one of");
    for (int i = 0; schemes[i]; i++)
        buf_printf(&what, " %s://", schemes[i]);
    buf_puts(&what, " in front of the address");
    int rc = complain(conf, s, key, url, buf_cstr(&what), errors);
    buf_fini(&what);
    return rc;
}

int role_listen_parse(const struct conf *conf, const struct conf_section *s, const char *key,
                      const char *url, const char *const *schemes, struct role_listen *out,
                      struct buf *errors)
{
    struct span scheme, place;
    char text[ADDR_TEXT_MAX];
    memset(out, 0, sizeof *out);
    if (!url || !addr_split_url(span_str(url), &scheme, &place))
        return unknown_scheme(conf, s, key, url, schemes, errors);
    int pos = scheme_pos(scheme, schemes);
    if (pos < 0)
        return unknown_scheme(conf, s, key, url, schemes, errors);
    if (strlen(url) >= sizeof out->url)
        return complain(conf, s, key, url, "the address is too long (255 bytes at most)", errors);
    snprintf(out->url, sizeof out->url, "%s", url);
    out->key = key;
    if (place.len > 0 && place.at[0] == '/') {
        out->unix_path = url + strlen(url) - place.len;
        return pos;
    }
    if (place.len < sizeof text) {
        memcpy(text, place.at, place.len);
        text[place.len] = '\0';
        if (addr_parse(text, &out->addr) == 0)
            return pos;
    }
    return complain(conf, s, key, url,
                    "not an address; write scheme://IP:PORT, for instance with 0.0.0.0:7272, "
                    "127.0.0.1:7272 or [::]:7272",
                    errors);
}

/* Whether somebody else listens there: 0 when free. */
static int probe(const struct role_listen *l)
{
    int fd = l->is_datagram ? sock_listen_udp(&l->addr, false) : sock_listen(&l->addr, false, 1);
    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

int listen_bind(struct role_listen *l, bool is_first)
{
    if (l->unix_path)
        return sock_listen_unix(l->unix_path, l->is_public ? 0666 : 0660);
    if (l->is_shared && is_first && l->addr.port != 0) {
        int rc = probe(l);
        if (rc < 0)
            return rc;
    }
    int fd = l->is_datagram ? sock_listen_udp(&l->addr, l->is_shared)
                            : sock_listen(&l->addr, l->is_shared, LISTEN_BACKLOG);
    if (fd >= 0 && l->addr.port == 0) {
        struct addr local;
        if (sock_local(fd, &local) == 0)
            l->addr.port = local.port;
    }
    return fd;
}
