/* The control socket: whose descriptors it closes, and what becomes of callers it cannot serve. */
#include "proc/ctl.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/sock.h"
#include "support/tmpdir.h"

struct scene {
    struct tmpdir dir;
    const char *path;
    int listen_fd;
    struct loop *loop;
    struct loop *conns_loop;
    struct conn_pool *conns;
    struct ctl *ctl;
};

static void on_command(void *owner, struct ctl_session *session, const char *line)
{
    ctl_end(session, 0);
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){.dir = tmpdir_make(), .loop = loop_new(), .conns_loop = loop_new()};
    s->path = tmpdir_path(&s->dir, "ctl.sock");
    s->conns = conn_pool_new(s->conns_loop);
    s->listen_fd = sock_listen_unix(s->path, 0600);
    assert_true(s->listen_fd >= 0);
    s->ctl = ctl_start(s->loop, s->conns, s->listen_fd, on_command, NULL);
    assert_non_null(s->ctl);
}

static void close_scene(struct scene *s)
{
    ctl_free(s->ctl);
    close(s->listen_fd);
    conn_pool_free(s->conns);
    loop_free(s->conns_loop);
    loop_free(s->loop);
    tmpdir_remove(&s->dir);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void no_descriptor_of_others_is_closed(void **state)
{
    struct scene s;
    int null_fd = open("/dev/null", O_RDONLY);
    assert_int_equal(dup2(null_fd, STDIN_FILENO), STDIN_FILENO);
    open_scene(&s);
    ctl_abandon(s.ctl);
    assert_true(is_open(STDIN_FILENO));
    ctl_stop_listening(s.ctl);
    assert_true(is_open(STDIN_FILENO));
    assert_true(is_open(s.listen_fd));
    close_scene(&s);
    if (null_fd > STDIN_FILENO)
        close(null_fd);
}

/* As at the limit of watches that a user may have (epoll(7), max_user_watches): here the set of the
 * connections is closed. */
static void a_caller_that_cannot_be_watched_takes_no_place(void **state)
{
    struct scene s;
    char answer;
    ssize_t n = -1;
    open_scene(&s);
    loop_abandon(s.conns_loop);
    int fd = sock_connect_unix(s.path);
    assert_true(fd >= 0);
    for (int i = 0; i < 50 && n < 0; i++) {
        assert_int_equal(loop_turn(s.loop, 100), 0);
        n = read(fd, &answer, 1);
    }
    assert_int_equal(n, 0);
    assert_int_equal(ctl_sessions_n(s.ctl), 0);
    close(fd);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_descriptor_of_others_is_closed),
        cmocka_unit_test(a_caller_that_cannot_be_watched_takes_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
