/* registry: every recorded dialogue over real sockets, byte for byte, and what must not be copied.
 */
#include "registry/registry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/sock.h"
#include "registry/registry_conf.h"
#include "support/fake_clock.h"
#include "support/vectors.h"

enum { NAMED_MAX = 8, TURNS_MAX = 2000 };

/* A connection of a dialogue, as its peer sees it. */
struct end {
    char name[32];
    int fd; /* -1: we closed it */
    struct buf got;
    bool is_closed; /* by the registry */
};

struct fixture {
    struct loop *loop;
    struct role_env env;
    struct registry_conf conf;
    struct conf_section section;
    struct addr addr;
    int listen_fd;
    void *self;
    int ready_n, finished_n;
    struct end ends[NAMED_MAX];
    size_t ends_n;
};

static void count_ready(struct role_env *env)
{
    CONTAINER_OF(env, struct fixture, env)->ready_n++;
}

static void count_finished(struct role_env *env)
{
    CONTAINER_OF(env, struct fixture, env)->finished_n++;
}

static void start(struct fixture *f, const char *secret)
{
    struct addr any;

    memset(f, 0, sizeof *f);
    fake_clock_start(1000);
    assert_int_equal(addr_parse("127.0.0.1:0", &any), 0);
    f->listen_fd = sock_listen(&any, false, 16);
    assert_true(f->listen_fd >= 0);
    assert_int_equal(sock_local(f->listen_fd, &f->addr), 0);
    f->loop = loop_new();
    f->conf = (struct registry_conf){.listen = "text://127.0.0.1:0", .secret_key = secret};
    f->section = (struct conf_section){.table = registry_role.table, .conf = &f->conf};
    f->env = (struct role_env){.loop = f->loop,
                               .conns = conn_pool_new(f->loop),
                               .section = &f->section,
                               .role = &registry_role,
                               .listen_fds = &f->listen_fd,
                               .listen_fds_n = 1,
                               .ready = count_ready,
                               .finished = count_finished};
    assert_int_equal(registry_role.start(&f->env, &f->self), 0);
    assert_int_equal(f->ready_n, 1);
}

/* A reset counts as closed: what the registry did not read is in its way. */
static void pump(struct end *e)
{
    uint8_t bytes[4096];
    ssize_t n;

    if (e->fd < 0)
        return;
    while ((n = recv(e->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        buf_put(&e->got, bytes, (size_t)n);
    if (n == 0 || errno != EAGAIN)
        e->is_closed = true;
}

static void turn(struct fixture *f, int wait_ms)
{
    loop_turn(f->loop, wait_ms);
    for (size_t i = 0; i < f->ends_n; i++)
        pump(&f->ends[i]);
}

/* What a peer sends over loopback is there at once; a few turns handle it and its consequences. */
static void settle(struct fixture *f)
{
    for (int i = 0; i < 6; i++)
        turn(f, 0);
}

static void stop(struct fixture *f)
{
    registry_role.stop(f->self);
    for (int i = 0; i < TURNS_MAX && f->finished_n == 0; i++) {
        turn(f, 10);
        for (size_t k = 0; k < f->ends_n; k++)
            if (f->ends[k].is_closed && f->ends[k].fd >= 0) {
                close(f->ends[k].fd);
                f->ends[k].fd = -1;
            }
    }
    assert_int_equal(f->finished_n, 1);
    for (size_t i = 0; i < f->ends_n; i++) {
        if (f->ends[i].fd >= 0)
            close(f->ends[i].fd);
        buf_fini(&f->ends[i].got);
    }
    mem_free(f->self); /* in a server it goes with the process */
    conn_pool_free(f->env.conns);
    loop_free(f->loop);
    close(f->listen_fd);
    fake_clock_stop();
}

static struct end *end_of(struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->ends_n; i++)
        if (strcmp(f->ends[i].name, name) == 0)
            return &f->ends[i];
    fail_msg("no connection %s", name);
    return NULL;
}

static struct end *open_end(struct fixture *f, const char *name)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&f->addr, &sa);
    struct end *e = &f->ends[f->ends_n++];

    assert_true(f->ends_n <= NAMED_MAX);
    snprintf(e->name, sizeof e->name, "%s", name);
    e->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(e->fd, (struct sockaddr *)&sa, len), 0);
    settle(f);
    return e;
}

static void say(struct fixture *f, struct end *e, struct span bytes)
{
    assert_int_equal(send(e->fd, bytes.at, bytes.len, MSG_NOSIGNAL), (ssize_t)bytes.len);
    settle(f);
}

static void expect_bytes(struct fixture *f, struct end *e, struct span want)
{
    for (int i = 0; i < TURNS_MAX && e->got.len < want.len && !e->is_closed; i++)
        turn(f, 10);
    if (e->got.len < want.len)
        assert_bytes(e->name, buf_span(&e->got), want);
    assert_bytes(e->name, span_of(e->got.at, want.len), want);
    buf_consume(&e->got, want.len);
}

static void expect_closed(struct fixture *f, struct end *e)
{
    for (int i = 0; i < TURNS_MAX && !e->is_closed; i++)
        turn(f, 10);
    assert_true(e->is_closed);
    assert_bytes(e->name, buf_span(&e->got), span_of(NULL, 0));
    close(e->fd);
    e->fd = -1;
}

static void expect_open(struct fixture *f, struct end *e)
{
    settle(f);
    assert_false(e->is_closed);
    assert_bytes(e->name, buf_span(&e->got), span_of(NULL, 0));
}

/* The one fault that we do not copy (unique_keys): a list with gaps as a JSON object. */
static struct span without_fault(struct span line)
{
    static const char object[] = "{\"event\":\"broadcast_addresses\",\"addresses\":"
                                 "{\"0\":\"127.0.0.1:2300\",\"2\":\"127.0.0.1:2301\"}}\n";
    static const char list[] = "{\"event\":\"broadcast_addresses\",\"addresses\":"
                               "[\"127.0.0.1:2300\",\"127.0.0.1:2301\"]}\n";

    return span_is(line, object) ? span_str(list) : line;
}

static void play_step(struct fixture *f, const json_t *step)
{
    const char *dir = json_string_value(json_object_get(step, "dir"));
    const char *name = json_string_value(json_object_get(step, "conn"));
    struct buf bytes = {0};

    (void)vectors_hex(step, "hex", &bytes);
    if (strcmp(dir, "open") == 0)
        open_end(f, name);
    else if (strcmp(dir, "to_register") == 0)
        say(f, end_of(f, name), buf_span(&bytes));
    else if (strcmp(dir, "from_register") == 0)
        expect_bytes(f, end_of(f, name), without_fault(buf_span(&bytes)));
    else if (strcmp(dir, "closed_by_register") == 0)
        expect_closed(f, end_of(f, name));
    else if (strcmp(dir, "still_open") == 0)
        expect_open(f, end_of(f, name));
    else if (strcmp(dir, "wait") == 0)
        fake_clock_advance((uint64_t)(1000 * json_number_value(json_object_get(step, "seconds"))));
    else if (strcmp(dir, "closed_by_peer") == 0) {
        expect_open(f, end_of(f, name));
        close(end_of(f, name)->fd);
        end_of(f, name)->fd = -1;
        settle(f);
    } else
        fail_msg("unknown step %s", dir);
    buf_fini(&bytes);
}

static void recorded_dialogues(void **state)
{
    json_t *root = vectors_load("register.json");
    const json_t *dialogue, *step;
    struct fixture f;
    size_t i, k;

    assert_int_equal(json_array_size(json_object_get(root, "dialogues")), 38);
    json_array_foreach(json_object_get(root, "dialogues"), i, dialogue)
    {
        print_message("dialogue %s\n", json_string_value(json_object_get(dialogue, "name")));
        start(&f, json_string_value(json_object_get(dialogue, "secret_of_register")));
        json_array_foreach(json_object_get(dialogue, "steps"), k, step) play_step(&f, step);
        settle(&f);
        for (k = 0; k < f.ends_n; k++) /* nobody got more than was recorded, gateways nothing */
            assert_bytes(f.ends[k].name, buf_span(&f.ends[k].got), span_of(NULL, 0));
        stop(&f);
    }
    json_decref(root);
}

static const char gateway_line[] =
    "{\"event\":\"gateway_connect\",\"address\":\"10.0.0.1:1\",\"secret_key\":\"\"}\n";
static const char worker_line[] = "{\"event\":\"worker_connect\",\"secret_key\":\"\"}\n";
static const char list_of_one[] =
    "{\"event\":\"broadcast_addresses\",\"addresses\":[\"10.0.0.1:1\"]}\n";

/* The original answers text, and its own gateway dies of it (reference: defect 5). */
static void a_gateway_with_a_bad_line_is_closed_without_a_byte(void **state)
{
    struct fixture f;

    start(&f, "");
    struct end *g = open_end(&f, "g");
    say(&f, g, span_str(gateway_line));
    say(&f, g, span_str("nonsense\n"));
    expect_closed(&f, g);
    stop(&f);
}

static void who_only_pings_is_not_kept_for_ever(void **state)
{
    struct fixture f;

    start(&f, "");
    struct end *p = open_end(&f, "pings");
    struct end *w = open_end(&f, "worker");
    say(&f, w, span_str(worker_line));
    expect_bytes(&f, w, span_str("{\"event\":\"broadcast_addresses\",\"addresses\":[]}\n"));
    for (int i = 0; i < 5; i++) {
        say(&f, p, span_str("{\"event\":\"ping\"}\n"));
        fake_clock_advance(25000);
        expect_open(&f, p);
    }
    fake_clock_advance(60001);
    expect_closed(&f, p);
    expect_open(&f, w); /* a worker may be silent: it does not ping a loopback registry */
    stop(&f);
}

static void a_line_without_end_is_bounded(void **state)
{
    struct fixture f;
    char junk[4096];

    memset(junk, 'x', sizeof junk);
    start(&f, "");
    struct end *e = open_end(&f, "junk");
    for (int i = 0; i < 64 && !e->is_closed; i++) {
        if (send(e->fd, junk, sizeof junk, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
            break;
        settle(&f);
    }
    for (int i = 0; i < TURNS_MAX && !e->is_closed; i++)
        turn(&f, 10);
    assert_int_equal(e->got.len, 0);
    struct role_status s = {0};
    registry_role.status(f.self, &s);
    assert_int_equal(s.connections_n, 0);
    stop(&f);
}

static void a_bad_line_is_echoed_up_to_a_bound(void **state)
{
    struct fixture f;
    char junk[8000];

    memset(junk, 'x', sizeof junk - 1);
    junk[sizeof junk - 1] = '\n';
    start(&f, "");
    struct end *e = open_end(&f, "junk");
    say(&f, e, span_of(junk, sizeof junk));
    for (int i = 0; i < TURNS_MAX && !e->is_closed; i++)
        turn(&f, 10);
    assert_true(e->is_closed);
    assert_true(e->got.len > 1024 && e->got.len < 1300);
    stop(&f);
}

/* Both workers hear once of two gateways whose lines were read in one turn. */
static void one_turn_makes_one_list(void **state)
{
    struct fixture f;

    start(&f, "");
    struct end *w = open_end(&f, "w");
    say(&f, w, span_str(worker_line));
    expect_bytes(&f, w, span_str("{\"event\":\"broadcast_addresses\",\"addresses\":[]}\n"));
    struct end *g = open_end(&f, "g");
    char twice[sizeof gateway_line * 2];
    snprintf(twice, sizeof twice, "%s%s", gateway_line, gateway_line);
    say(&f, g, span_str(twice));
    expect_bytes(&f, w, span_str(list_of_one));
    expect_open(&f, w);
    stop(&f);
}

static bool count_row(void *ctx, const struct role_connection *row)
{
    int *rows_n = ctx;

    assert_string_equal(row->protocol, "text");
    assert_true(row->read_bytes > 0);
    (*rows_n)++;
    return true;
}

static void status_and_connections(void **state)
{
    struct role_status s = {0};
    struct fixture f;
    int rows_n = 0;

    start(&f, "");
    say(&f, open_end(&f, "g"), span_str(gateway_line));
    struct end *w = open_end(&f, "w");
    say(&f, w, span_str(worker_line));
    expect_bytes(&f, w, span_str(list_of_one));
    registry_role.status(f.self, &s);
    assert_int_equal(s.connections_n, 2);
    assert_int_equal(s.requests_n, 2);
    assert_string_equal(s.listening, "text://127.0.0.1:0");
    registry_role.connections(f.self, count_row, &rows_n);
    assert_int_equal(rows_n, 2);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_dialogues),
        cmocka_unit_test(a_gateway_with_a_bad_line_is_closed_without_a_byte),
        cmocka_unit_test(who_only_pings_is_not_kept_for_ever),
        cmocka_unit_test(a_line_without_end_is_bounded),
        cmocka_unit_test(a_bad_line_is_echoed_up_to_a_bound),
        cmocka_unit_test(one_turn_makes_one_list),
        cmocka_unit_test(status_and_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
