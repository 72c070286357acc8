/* drain and undrain: who is meant, what the caller hears, and what becomes of the slots. */
#include "proc/farewell.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/sock.h"
#include "proc/process.h"
#include "support/fake_clock.h"
#include "support/tmpdir.h"

static void retreat(void *self, uint64_t per_second, uint64_t seconds)
{
}

static const struct role roles[] = {{.kind = "gateway", .retreat = retreat}, {.kind = "worker"}};
static const struct conf_section sections[] = {{.name = "a"}, {.name = "b"}, {.name = "a"}};

/* Two gateways in section a, one in b, and a worker in another a; a control socket beside them. */
enum { GROUPS_N = 3, SLOTS_N = 4 };

struct scene {
    struct tmpdir dir;
    struct fleet fleet;
    struct group groups[GROUPS_N];
    struct slot slots[SLOTS_N];
    struct farewell farewell;
    struct ctl *ctl;
    int listen_fd;
    char path[128];
};

static void on_change(struct task *t)
{
    struct fleet *f = CONTAINER_OF(t, struct fleet, changed);
    farewell_step(&((struct scene *)f->owner)->farewell);
}

/* What a slot starts ends at once. */
static void on_fork(void *owner)
{
    _exit(0);
}

static void on_command(void *owner, struct ctl_session *session, const char *line)
{
    struct scene *s = owner;
    if (strncmp(line, "drain ", 6) == 0)
        farewell_drain(&s->farewell, session, line + 6);
    else
        farewell_undrain(&s->farewell, session, line + 8);
}

static void put_process(struct scene *s, int slot, pid_t pid)
{
    struct process *p = mem_zalloc(sizeof *p);
    p->slot = &s->slots[slot];
    p->pid = pid;
    p->status.connections_n = 7;
    list_append(&s->fleet.processes, &p->node);
    s->slots[slot].current = p;
}

static void plan(struct scene *s, int group, int first_slot, int slots_n, const struct role *role)
{
    struct group *g = &s->groups[group];
    *g = (struct group){.role = role,
                        .section = &sections[group],
                        .slots = &s->slots[first_slot],
                        .slots_n = slots_n};
    snprintf(g->name, sizeof g->name, "%s:%s", role->kind, g->section->name);
    snprintf(g->title, sizeof g->title, "%s %s", role->kind, g->section->name);
    for (int i = 0; i < slots_n; i++) {
        g->slots[i] = (struct slot){.fleet = &s->fleet, .group = g, .pos = i};
        put_process(s, first_slot + i, 100000 + first_slot + i);
    }
}

static void set_up(struct scene *s)
{
    *s = (struct scene){.dir = tmpdir_make()};
    s->fleet = (struct fleet){.loop = loop_new(),
                              .groups = s->groups,
                              .groups_n = GROUPS_N,
                              .changed.run = on_change,
                              .on_fork = on_fork,
                              .owner = s};
    s->fleet.conns = conn_pool_new(s->fleet.loop);
    list_init(&s->fleet.processes);
    plan(s, 0, 0, 2, &roles[0]);
    plan(s, 1, 2, 1, &roles[0]);
    plan(s, 2, 3, 1, &roles[1]);
    farewell_init(&s->farewell, &s->fleet);
    snprintf(s->path, sizeof s->path, "%s", tmpdir_path(&s->dir, "ctl.sock"));
    s->listen_fd = sock_listen_unix(s->path, 0600);
    assert_true(s->listen_fd >= 0);
    s->ctl = ctl_start(s->fleet.loop, s->fleet.conns, s->listen_fd, on_command, s);
    assert_non_null(s->ctl);
}

/* A process ended; the fleet tells whoever waits. */
static void end(struct scene *s, int slot)
{
    struct process *p = s->slots[slot].current;
    s->slots[slot].current = NULL;
    if (p && p->pid < 100000)
        assert_int_equal(waitpid(p->pid, NULL, 0), p->pid);
    process_free(p);
    fleet_touch(&s->fleet);
}

static void turn(const struct scene *s)
{
    for (int i = 0; i < 20; i++)
        loop_turn(s->fleet.loop, 1);
}

static void tear_down(struct scene *s)
{
    farewell_fini(&s->farewell);
    for (int i = 0; i < SLOTS_N; i++)
        end(s, i);
    turn(s);
    ctl_free(s->ctl);
    conn_pool_free(s->fleet.conns);
    loop_free(s->fleet.loop);
    close(s->listen_fd);
    unlink(s->path);
    tmpdir_remove(&s->dir);
}

static int call(const struct scene *s, const char *line)
{
    int fd = sock_connect_unix(s->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, line, strlen(line)), strlen(line));
    turn(s);
    return fd;
}

/* What has come to the caller since; valid until the next call. */
static const char *heard(const struct scene *s, int fd)
{
    static char text[1024];
    turn(s);
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* One letter per slot: it is out of service or not. */
static const char *out(const struct scene *s)
{
    static char text[SLOTS_N + 1];
    for (int i = 0; i < SLOTS_N; i++)
        text[i] = s->slots[i].is_out ? 'o' : '-';
    return text;
}

static void drains_those_who_are_meant(void **state)
{
    static const struct {
        const char *who, *out;
    } cases[] = {
        {"gateway", "ooo-"},   {"a", "oo--"},      {"b", "--o-"},
        {"gateway:a", "oo--"}, {"100001", "-o--"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scene s;
        char line[64];
        set_up(&s);
        snprintf(line, sizeof line, "drain %s 5 0 0\n", cases[i].who);
        int fd = call(&s, line);
        assert_string_equal(out(&s), cases[i].out);
        close(fd);
        tear_down(&s);
    }
}

/* Workers are drained by reloads; there is nothing to wait for then. */
static void refuses_who_is_not_there(void **state)
{
    static const char *const lines[] = {
        "drain nobody 5 0 0\n", "drain worker 5 0 0\n", "drain worker:a 5 0 0\n",
        "drain 100003 5 0 0\n", "undrain nobody\n",     "undrain worker\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct scene s;
        set_up(&s);
        int fd = call(&s, lines[i]);
        assert_non_null(strstr(heard(&s, fd), "no gateway has that name or pid\nexit 1\n"));
        assert_string_equal(out(&s), "----");
        close(fd);
        tear_down(&s);
    }
}

static void words_that_lack_a_number_are_refused(void **state)
{
    struct scene s;
    set_up(&s);
    int fd = call(&s, "drain a 5 0\n");
    assert_non_null(strstr(heard(&s, fd), "exit 1\n"));
    assert_string_equal(out(&s), "----");
    close(fd);
    tear_down(&s);
}

static void while_the_server_stops_nobody_is_drained(void **state)
{
    struct scene s;
    set_up(&s);
    s.fleet.is_stopping = true;
    int fd = call(&s, "drain a 5 0 0\n");
    assert_non_null(strstr(heard(&s, fd), "exit 1\n"));
    assert_string_equal(out(&s), "----");
    close(fd);
    fd = call(&s, "undrain a\n");
    assert_non_null(strstr(heard(&s, fd), "exit 1\n"));
    close(fd);
    tear_down(&s);
}

static void the_caller_hears_how_far_it_is_each_second_and_waits_for_all(void **state)
{
    struct scene s;
    fake_clock_start(clock_mono_ms());
    set_up(&s);
    int fd = call(&s, "drain gateway:a 5 0 0\n");
    assert_string_equal(heard(&s, fd), "");
    fake_clock_advance(1000);
    assert_string_equal(heard(&s, fd),
                        "gateway a #0: 7 clients left\ngateway a #1: 7 clients left\n");
    end(&s, 0);
    fake_clock_advance(1000);
    assert_string_equal(heard(&s, fd), "gateway a #1: 7 clients left\n");
    end(&s, 1);
    const char *last = heard(&s, fd);
    assert_non_null(strstr(last, "undrain"));
    assert_non_null(strstr(last, "exit 0\n"));
    assert_string_equal(out(&s), "oo--");
    assert_null(s.slots[0].current);
    fake_clock_advance(5000); /* nobody is told any more */
    turn(&s);
    close(fd);
    fake_clock_stop();
    tear_down(&s);
}

static void with_restart_new_ones_follow_when_all_are_gone(void **state)
{
    struct scene s;
    set_up(&s);
    int fd = call(&s, "drain gateway:a 5 0 1\n");
    end(&s, 1);
    turn(&s);
    assert_null(s.slots[1].current);
    end(&s, 0);
    assert_string_equal(heard(&s, fd), "empty; a new process starts\nexit 0\n");
    assert_string_equal(out(&s), "----");
    assert_non_null(s.slots[0].current);
    assert_non_null(s.slots[1].current);
    close(fd);
    tear_down(&s);
}

static void undrain_starts_those_who_are_gone_and_names_those_who_are_not(void **state)
{
    struct scene s;
    set_up(&s);
    int fd = call(&s, "drain gateway 5 0 0\n");
    end(&s, 2);
    turn(&s);
    int other = call(&s, "undrain gateway\n");
    assert_string_equal(heard(&s, other),
                        "1 started\n2 still have clients; ask again when they are gone\nexit 1\n");
    assert_string_equal(out(&s), "oo--");
    assert_non_null(s.slots[2].current);
    end(&s, 0);
    end(&s, 1);
    assert_non_null(strstr(heard(&s, fd), "exit 0\n"));
    close(other);
    other = call(&s, "undrain gateway\n");
    assert_string_equal(heard(&s, other), "2 started\nexit 0\n");
    assert_string_equal(out(&s), "----");
    close(other);
    close(fd);
    tear_down(&s);
}

static void a_stop_overtakes_it(void **state)
{
    struct scene s;
    set_up(&s);
    int fd = call(&s, "drain b 5 0 1\n");
    s.fleet.is_stopping = true;
    end(&s, 2);
    assert_string_equal(heard(&s, fd), "ended with the server, which stops\nexit 1\n");
    assert_null(s.slots[2].current);
    close(fd);
    tear_down(&s);
}

/* ^C: the processes leave nevertheless, and nothing is told to a caller who is gone. */
static void a_caller_may_go_away(void **state)
{
    struct scene s;
    fake_clock_start(clock_mono_ms());
    set_up(&s);
    close(call(&s, "drain b 5 0 0\n"));
    turn(&s);
    fake_clock_advance(1000);
    turn(&s);
    assert_string_equal(out(&s), "--o-");
    end(&s, 2);
    turn(&s);
    assert_true(list_is_empty(&s.farewell.callers));
    fake_clock_stop();
    tear_down(&s);
}

/* Killed before it could: nobody would answer who connects. */
static void the_doors_of_who_is_gone_are_closed(void **state)
{
    struct scene s;
    struct addr at;
    set_up(&s);
    assert_int_equal(addr_parse("127.0.0.1:0", &at), 0);
    int keeper = sock_listen(&at, true, 8);
    assert_int_equal(sock_local(keeper, &at), 0);
    s.slots[2].fds[0] = sock_listen(&at, true, 8);
    s.slots[2].listens_n = 1;
    close(keeper);
    int fd = call(&s, "drain b 5 0 0\n");
    end(&s, 2);
    turn(&s);
    int refused = sock_connect(&at);
    struct pollfd writable = {.fd = refused, .events = POLLOUT};
    if (refused >= 0) {
        assert_int_equal(poll(&writable, 1, 5000), 1);
        assert_int_equal(sock_error(refused), -ECONNREFUSED);
        close(refused);
    }
    close(call(&s, "undrain b\n"));
    int taken = sock_connect(&at);
    writable.fd = taken;
    assert_int_equal(poll(&writable, 1, 5000), 1);
    assert_int_equal(sock_error(taken), 0);
    close(taken);
    close(fd);
    close(s.slots[2].fds[0]);
    s.slots[2].listens_n = 0;
    tear_down(&s);
}

static void callers_who_still_wait_at_the_end_are_told(void **state)
{
    struct scene s;
    set_up(&s);
    int fd = call(&s, "drain b 5 0 0\n");
    farewell_fini(&s.farewell);
    assert_string_equal(heard(&s, fd), "exit 1\n");
    assert_null(s.slots[2].farewell);
    close(fd);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drains_those_who_are_meant),
        cmocka_unit_test(refuses_who_is_not_there),
        cmocka_unit_test(words_that_lack_a_number_are_refused),
        cmocka_unit_test(while_the_server_stops_nobody_is_drained),
        cmocka_unit_test(the_caller_hears_how_far_it_is_each_second_and_waits_for_all),
        cmocka_unit_test(with_restart_new_ones_follow_when_all_are_gone),
        cmocka_unit_test(undrain_starts_those_who_are_gone_and_names_those_who_are_not),
        cmocka_unit_test(a_stop_overtakes_it),
        cmocka_unit_test(a_caller_may_go_away),
        cmocka_unit_test(the_doors_of_who_is_gone_are_closed),
        cmocka_unit_test(callers_who_still_wait_at_the_end_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
