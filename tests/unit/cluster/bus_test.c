/* The bus against a NATS server of a few lines, on a thread of its own: order, limits, the end. */
#include "cluster/bus.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/sock.h"
#include "proc/role.h"

enum { TURNS_MAX = 2000, MAX_PAYLOAD = 100 };

/* ---- the server ---- */

struct server {
    int listener;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    struct buf heard; /* all that came, without PING and CONNECT */
    int fd;           /* of the one connection, or -1 */
};

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* One line of the protocol. Whoever subscribes gets a message at once. */
static void handle(struct server *s, int fd, const char *line)
{
    char subject[64];
    int sid;

    if (strcmp(line, "PING") == 0)
        say(fd, "PONG\r\n");
    else if (sscanf(line, "SUB %63s %d", subject, &sid) == 2) {
        char text[128];
        snprintf(text, sizeof text, "MSG x %d back 5\r\nhello\r\n", sid);
        say(fd, text);
    }
    if (strcmp(line, "PING") == 0 || strncmp(line, "CONNECT", 7) == 0)
        return;
    pthread_mutex_lock(&s->lock);
    buf_puts(&s->heard, line);
    buf_putc(&s->heard, '|');
    pthread_mutex_unlock(&s->lock);
}

static void serve(struct server *s, int fd)
{
    FILE *f = fdopen(fd, "r");
    char line[1024];

    say(fd, "INFO {\"server_id\":\"t\",\"version\":\"2.9.0\",\"max_payload\":100}\r\n");
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = '\0';
        handle(s, fd, line);
    }
    pthread_mutex_lock(&s->lock);
    s->fd = -1;
    pthread_mutex_unlock(&s->lock);
    fclose(f);
}

static void *run_server(void *arg)
{
    struct server *s = arg;
    int fd;

    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        pthread_mutex_lock(&s->lock);
        s->fd = fd;
        pthread_mutex_unlock(&s->lock);
        serve(s, fd);
    }
    return NULL;
}

static void server_open(struct server *s)
{
    struct addr at;

    assert_int_equal(addr_parse("127.0.0.1:0", &at), 0);
    s->listener = sock_listen(&at, false, 4);
    assert_true(s->listener >= 0);
    assert_int_equal(sock_local(s->listener, &at), 0);
    snprintf(s->url, sizeof s->url, "nats://127.0.0.1:%d", at.port);
    pthread_mutex_init(&s->lock, NULL);
    s->fd = -1;
}

/* Blocking, unlike the sockets of net/sock.c. */
static void server_start(struct server *s)
{
    struct timeval no_limit = {0};
    int flags = 0;

    assert_int_equal(setsockopt(s->listener, SOL_SOCKET, SO_RCVTIMEO, &no_limit, sizeof no_limit),
                     0);
    assert_int_equal(ioctl(s->listener, FIONBIO, &flags), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, run_server, s), 0);
}

static void server_stop(struct server *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
}

static void server_close(struct server *s)
{
    close(s->listener);
    buf_fini(&s->heard);
    pthread_mutex_destroy(&s->lock);
}

static bool has_heard(struct server *s, const char *text)
{
    pthread_mutex_lock(&s->lock);
    bool has = strstr(buf_cstr(&s->heard), text) != NULL;
    pthread_mutex_unlock(&s->lock);
    return has;
}

/* ---- the bus ---- */

static struct loop *loop;
static struct server server;
static struct bus *bus;
static int ups_n, fresh_n, downs_n, messages_n, rooms_n;

static void on_up(void *owner, bool is_fresh)
{
    ups_n++;
    fresh_n += is_fresh;
}

static void on_down(void *owner)
{
    downs_n++;
}

static void on_message(void *owner, const char *reply, struct span data)
{
    assert_string_equal(reply, "back");
    assert_true(span_is(data, "hello"));
    messages_n++;
}

static void on_room(void *owner)
{
    rooms_n++;
}

static const struct bus_events events = {
    .on_up = on_up, .on_down = on_down, .on_message = on_message, .on_room = on_room};

static struct conf_item url;
static struct nats_conf conf;

static int setup(void **state)
{
    ups_n = fresh_n = downs_n = messages_n = rooms_n = 0;
    loop = loop_new();
    server = (struct server){0};
    server_open(&server);
    url = (struct conf_item){.text = server.url};
    conf = (struct nats_conf){
        .urls = {.at = &url, .len = 1}, .label = "test", .buffer_bytes = 64 * 1024};
    return 0;
}

static int teardown(void **state)
{
    server_close(&server);
    loop_free(loop);
    return 0;
}

static void need_nats(void)
{
    if (!nats_is_built())
        skip(); /* libnats is not installed */
}

static void is_taken_down(void)
{
    _exit(1);
}

/* In front of what libraries do at the end of a process, which the thread may still use. Forks, so
 * it comes before tests that have threads. */
static void a_process_may_end_with_an_open_bus(void **state)
{
    int status;

    need_nats();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        atexit(is_taken_down);
        bus = bus_open(loop, &conf, &events, NULL);
        exit(bus ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* A condition of the loop's thread. */
#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        for (int turns = 0; turns < TURNS_MAX && !(condition); turns++)                            \
            loop_turn(loop, 10);                                                                   \
        assert_true(condition);                                                                    \
    } while (0)

static int publish(const char *subject, const char *text)
{
    return bus_publish(bus, subject, "", span_str(text));
}

static void messages_go_and_come(void **state)
{
    need_nats();
    server_start(&server);
    bus = bus_open(loop, &conf, &events, NULL);
    assert_non_null(bus);
    assert_int_equal(publish("a", "early"), 0);
    TURN_UNTIL(ups_n == 1);
    assert_int_equal(fresh_n, 1);
    assert_true(bus_is_up(bus));
    bus_subscribe(bus, "s");
    bus_subscribe(bus, "s");
    assert_int_equal(publish("a", "one"), 0);
    assert_int_equal(bus_publish(bus, "b", "back", span_str("two")), 0);
    TURN_UNTIL(messages_n == 1);
    bus_unsubscribe(bus, "s");
    assert_int_equal(publish("c", "three"), 0);
    TURN_UNTIL(has_heard(&server, "three"));
    assert_true(has_heard(&server, "PUB a 5|early|"));
    assert_true(
        has_heard(&server, "|SUB s  1|PUB a 3|one|PUB b back 3|two|UNSUB 1 |PUB c 5|three|"));
    bus_close(bus);
    server_stop(&server);
}

static void limits_are_kept(void **state)
{
    char big[MAX_PAYLOAD + 2];
    struct role_status status = {0};
    uint64_t taken_n = 0;

    need_nats();
    bus = bus_open(loop, &conf, &events, NULL); /* nobody accepts */
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    while (publish("a", big) == 0)
        taken_n++;
    assert_int_equal(publish("a", big), GW_EFULL);
    assert_in_range(taken_n, conf.buffer_bytes / 200, conf.buffer_bytes / MAX_PAYLOAD);
    assert_false(bus_is_full(bus)); /* nobody is to wait for a server that is away */
    assert_true(bus_is_flushed(bus));
    bus_status(bus, &status);
    assert_int_equal(status.nats_lost_n, 2);
    assert_int_equal(status.nats_out_n, 0);
    server_start(&server);
    TURN_UNTIL(ups_n == 1);
    assert_int_equal(publish("a", big), GW_ETOOBIG);
    bus_close(bus);
    server_stop(&server);
}

static void lost_server_is_found_again(void **state)
{
    need_nats();
    server_start(&server);
    bus = bus_open(loop, &conf, &events, NULL);
    TURN_UNTIL(ups_n == 1);
    bus_subscribe(bus, "s");
    TURN_UNTIL(messages_n == 1);
    pthread_mutex_lock(&server.lock);
    shutdown(server.fd, SHUT_RDWR);
    pthread_mutex_unlock(&server.lock);
    TURN_UNTIL(ups_n == 2);
    assert_int_equal(downs_n, 1);
    assert_int_equal(fresh_n, 1);
    TURN_UNTIL(messages_n == 2); /* libnats has subscribed again */
    bus_close(bus);
    server_stop(&server);
}

static void pause_holds_messages_back(void **state)
{
    need_nats();
    server_start(&server);
    bus = bus_open(loop, &conf, &events, NULL);
    TURN_UNTIL(ups_n == 1);
    bus_pause(bus);
    bus_subscribe(bus, "s");
    bus_subscribe(bus, "t");
    assert_int_equal(publish("a", "behind"), 0);
    TURN_UNTIL(has_heard(&server, "behind"));
    for (int i = 0; i < 10; i++)
        loop_turn(loop, 10);
    assert_int_equal(messages_n, 0);
    bus_resume(bus);
    TURN_UNTIL(messages_n == 2);
    bus_close(bus);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_process_may_end_with_an_open_bus, setup, teardown),
        cmocka_unit_test_setup_teardown(messages_go_and_come, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(lost_server_is_found_again, setup, teardown),
        cmocka_unit_test_setup_teardown(pause_holds_messages_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
