/* The table that a start prints on the terminal. */
#include "proc/banner.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "proc/version.h"

enum { WIDTH_MIN = 12, WIDTH_MAX = 64, COUNT_WIDTH = 9 };

struct widths {
    int user, worker, listen;
};

static const char *listen_of(const struct group *g)
{
    return g->slots_n > 0 && g->slots[0].listens_n > 0 ? g->slots[0].listens[0].url : "none";
}

static int fit(int width, const char *text)
{
    int len = (int)strlen(text) + 2;
    if (len > WIDTH_MAX)
        len = WIDTH_MAX;
    return len > width ? len : width;
}

static void rule(struct buf *out, const char *title, int width)
{
    int side = (width - (int)strlen(title)) / 2;
    for (int i = 0; i < width; i++) {
        if (i == side && *title) {
            buf_puts(out, title);
            i += (int)strlen(title) - 1;
        } else {
            buf_putc(out, '-');
        }
    }
    buf_putc(out, '\n');
}

static void put_line(struct buf *out, const struct widths *w, const char *loop, const char *proto,
                     const char *user, const char *worker, const char *listen, const char *count,
                     const char *state)
{
    buf_printf(out, "%-*s%-*s%-*s%-*s%-*s%-*s%s\n", WIDTH_MIN, loop, WIDTH_MIN, proto, w->user,
               user, w->worker, worker, w->listen, listen, COUNT_WIDTH, count, state);
}

/* The transport of the listening address, as the original's column names it. */
static const char *proto_of(const struct group *g)
{
    if (g->slots_n == 0 || g->slots[0].listens_n == 0)
        return "tcp";
    const struct role_listen *first = &g->slots[0].listens[0];
    return first->unix_path ? "unix" : first->is_tls ? "ssl" : "tcp";
}

void banner_text(struct buf *out, const struct fleet *f)
{
    struct widths w = {WIDTH_MIN, WIDTH_MIN, WIDTH_MIN};
    struct utsname os;
    char count[16];
    for (size_t i = 0; i < f->groups_n; i++) {
        w.user = fit(w.user, f->groups[i].privileges.user);
        w.worker = fit(w.worker, f->groups[i].name);
        w.listen = fit(w.listen, listen_of(&f->groups[i]));
    }
    int width = 2 * WIDTH_MIN + w.user + w.worker + w.listen + COUNT_WIDTH + WIDTH_MIN;
    rule(out, " GATEHOUSE ", width);
    buf_printf(out, "Gatehouse/%s", GATEHOUSE_VERSION);
    if (uname(&os) == 0)
        buf_printf(out, "          %s/%s", os.sysname, os.release);
    buf_putc(out, '\n');
    rule(out, " PROCESSES ", width);
    put_line(out, &w, "event-loop", "proto", "user", "worker", "listen", "count", "state");
    for (size_t i = 0; i < f->groups_n; i++) {
        const struct group *g = &f->groups[i];
        snprintf(count, sizeof count, "%d", g->slots_n);
        put_line(out, &w, "epoll", proto_of(g), g->privileges.user, g->name, listen_of(g), count,
                 "[OK]");
    }
    rule(out, "", width);
}
