/* How long queries about 100,000 clients in 1,000 groups hold up a gateway: its longest slice and
 * its longest turn, with clients that have no sockets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/micro/micro.h"
#include "gateway/gateway.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "net/sock.h"
#include "proto/wire.h"

enum { CLIENTS_N = 100000, GROUPS_N = 1000, SESSION_BYTES = 100 };

static uint8_t sink[1 << 20];

static void on_ready(struct role_env *env)
{
}

static int listen_anywhere(void)
{
    struct addr at;
    int fd = addr_parse("127.0.0.1:0", &at) == 0 ? sock_listen(&at, false, 64) : -1;
    if (fd < 0)
        exit(1);
    return fd;
}

static struct conf *load(int registry)
{
    char path[] = "/tmp/queriesXXXXXX", text[128];
    struct addr at;
    struct conf *conf = NULL;
    struct buf errors = {0};
    const struct conf_table *tables[] = {&gateway_conf_table};
    int fd = mkstemp(path);
    if (fd < 0 || sock_local(registry, &at) < 0)
        exit(1);
    int n = snprintf(text, sizeof(text),
                     "[gateway]\nlisten = text://127.0.0.1:1\nregister_address = 127.0.0.1:%d\n",
                     at.port);
    if (write(fd, text, (size_t)n) != n || conf_load(path, tables, 1, &errors, &conf) < 0)
        exit(1);
    close(fd);
    unlink(path);
    return conf;
}

static void add_clients(struct gateway *g)
{
    static char session[SESSION_BYTES], name[16];
    memset(session, 's', sizeof(session));
    for (uint32_t i = 0; i < CLIENTS_N; i++) {
        struct client *c = clients_add(&g->clients);
        if (client_set_session(c, span_of(session, sizeof(session))) < 0)
            exit(1);
        c->had_groups = true;
        snprintf(name, sizeof(name), "uid%u", i);
        groups_join(&g->uids, c, span_str(name));
        snprintf(name, sizeof(name), "room%u", i % GROUPS_N);
        groups_join(&g->groups, c, span_str(name));
        groups_join(&g->groups, c, span_str("lobby"));
    }
}

static int dial(int listener)
{
    struct addr at;
    struct sockaddr_storage ss;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (sock_local(listener, &at) < 0 ||
        connect(fd, (struct sockaddr *)&ss, addr_to_sockaddr(&at, &ss)) < 0)
        exit(1);
    return fd;
}

static void tell(const char *what, uint64_t begin_us, uint64_t longest_us, const struct gateway *g,
                 uint64_t bytes)
{
    printf("%-44s %7.1f ms, longest turn %6.0f us (cpu), slice %6.0f us (clock), %9lu bytes\n",
           what, (double)(clock_mono_us() - begin_us) / 1e3, (double)longest_us,
           (double)g->jobs.longest_us, (unsigned long)bytes);
}

/* Processor time: what others do on the machine does not count. */
static uint64_t cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Runs turns until the answers to the command and to a small query behind it are there. */
static void run(struct gateway *g, int fd, const char *what, const struct wire_packet *p)
{
    struct buf packet = {0};
    wire_put(&packet, p);
    wire_put(&packet, &(struct wire_packet){.cmd = CMD_IS_ONLINE, .connection_id = UINT32_MAX});
    uint64_t begin_us = clock_mono_us(), longest_us = 0, bytes = 0;
    bool is_over = false;
    g->jobs.longest_us = 0;
    for (size_t sent = 0; !is_over;) {
        if (sent < packet.len) {
            ssize_t n = send(fd, packet.at + sent, packet.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += n > 0 ? (size_t)n : 0;
        }
        uint64_t since_us = cpu_us();
        if (loop_turn(g->loop, 1) < 0)
            exit(1);
        uint64_t took_us = cpu_us() - since_us;
        longest_us = took_us > longest_us ? took_us : longest_us;
        ssize_t n;
        while ((n = recv(fd, sink, sizeof(sink), MSG_DONTWAIT)) > 0) {
            bytes += (uint64_t)n;
            is_over = n >= 4 && memcmp(sink + n - 4, "i:0;", 4) == 0;
        }
    }
    tell(what, begin_us, longest_us, g, bytes);
    buf_fini(&packet);
}

static struct buf names(const char *begin, const char *name, uint32_t n, const char *end)
{
    struct buf out = {0};
    buf_puts(&out, begin);
    for (uint32_t i = 0; i < n; i++)
        buf_printf(&out, "%s\"%s%u\"", i > 0 ? "," : "", name, i);
    buf_puts(&out, end);
    return out;
}

static struct buf numbers(const char *begin, bool is_object, const char *end)
{
    struct buf out = {0};
    buf_puts(&out, begin);
    for (uint32_t i = 1; i <= CLIENTS_N; i++) {
        if (i > 1)
            buf_putc(&out, ',');
        if (is_object)
            buf_printf(&out, "\"%u\":1", i);
        else
            buf_printf(&out, "9%06u", i);
    }
    buf_puts(&out, end);
    return out;
}

static void run_with(struct gateway *g, int fd, const char *what, int cmd, struct buf ext)
{
    run(g, fd, what,
        &(struct wire_packet){.cmd = (uint8_t)cmd, .flag = WIRE_SCALAR, .ext = buf_span(&ext)});
    buf_fini(&ext);
}

static void run_text(struct gateway *g, int fd, const char *what, int cmd, const char *ext)
{
    run(g, fd, what, &(struct wire_packet){.cmd = (uint8_t)cmd, .ext = span_str(ext)});
}

int main(void)
{
    int fds[2] = {listen_anywhere(), listen_anywhere()};
    struct conf *conf = load(listen_anywhere());
    struct role_env env = {.loop = loop_new(),
                           .conf = conf,
                           .section = conf_section_at(conf, 0),
                           .role = &gateway_role,
                           .listen_fds = fds,
                           .listen_fds_n = 2,
                           .ready = on_ready};
    void *self;
    env.conns = conn_pool_new(env.loop);
    if (gateway_role.start(&env, &self) < 0)
        return 1;
    struct gateway *g = self;
    add_clients(g);
    int fd = dial(fds[1]);
    run_text(g, fd, "count of a group", CMD_GET_CLIENT_COUNT_BY_GROUP, "room1");
    run_text(g, fd, "sessions of a group of 100", CMD_GET_CLIENT_SESSIONS_BY_GROUP, "room1");
    run_text(g, fd, "all sessions", CMD_GET_ALL_CLIENT_SESSIONS, "");
    run_text(g, fd, "sessions of a group of all", CMD_GET_CLIENT_SESSIONS_BY_GROUP, "lobby");
    run_text(g, fd, "groups", CMD_GET_GROUP_ID_LIST, "");
    run_text(g, fd, "select uid", CMD_SELECT, "{\"fields\":[\"uid\"]}");
    run_text(g, fd, "select uid, groups, session", CMD_SELECT,
             "{\"fields\":[\"uid\",\"groups\",\"session\"]}");
    run_text(g, fd, "select of a group of all", CMD_SELECT,
             "{\"fields\":[\"uid\"],\"where\":{\"groups\":[\"lobby\"]}}");
    run_with(g, fd, "select of 1,000 groups", CMD_SELECT,
             names("{\"fields\":[\"uid\"],\"where\":{\"groups\":[", "room", GROUPS_N, "]}}"));
    run_with(g, fd, "select of 100,000 uids", CMD_SELECT,
             names("{\"fields\":[\"uid\"],\"where\":{\"uid\":[", "uid", CLIENTS_N, "]}}"));
    run_with(g, fd, "counts of 1,000 groups", CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP,
             names("[", "room", GROUPS_N, "]"));
    run_with(g, fd, "ids of 100,000 uids", CMD_BATCH_GET_CLIENT_ID_BY_UID,
             names("[", "uid", CLIENTS_N, "]"));
    run_with(g, fd, "send to all but 100,000", CMD_SEND_TO_ALL,
             numbers("{\"exclude\":{", true, "}}"));
    run_with(g, fd, "send to 100,000 that are gone", CMD_SEND_TO_ALL,
             numbers("{\"connections\":[", false, "],\"exclude\":null}"));
    run_text(g, fd, "ungroup of 100,000", CMD_UNGROUP, "lobby");
    return 0;
}
