/* Looks at a process that does not answer: what counts as silence, and after how many it is killed.
 */
#include "proc/stuck.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/fleet.h"
#include "proc/process.h"

enum { LOOKS_MAX = 10 };

static const struct role role = {.kind = "worker"};

/* A process that is asked for its status. It only says back what it is told, which shows that it
 * lives: after a SIGKILL no process does anything any more. */
struct scene {
    int line;
    struct group group;
    struct slot slot;
    struct process process;
    struct activity activity;
};

static void echo(int fd)
{
    char byte;
    while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
        continue;
    _exit(0);
}

static void begin(struct scene *s, uint64_t stuck_timeout_ms)
{
    int fds[2];
    *s = (struct scene){.group = {.role = &role, .stuck_timeout_ms = stuck_timeout_ms}};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    s->slot.group = &s->group;
    s->process = (struct process){.slot = &s->slot, .activity = &s->activity, .is_asked = true};
    s->line = fds[0];
    s->process.pid = fork();
    assert_true(s->process.pid >= 0);
    if (s->process.pid == 0) {
        close(fds[0]);
        echo(fds[1]);
    }
    close(fds[1]);
}

static bool lives(const struct scene *s)
{
    char byte = 'x';
    return send(s->line, &byte, 1, MSG_NOSIGNAL) == 1 && recv(s->line, &byte, 1, 0) == 1;
}

static void end(struct scene *s)
{
    close(s->line);
    assert_int_equal(waitpid(s->process.pid, NULL, 0), s->process.pid);
}

/* The look after which it is gone; 0: never. */
static int looks_until_killed(struct scene *s)
{
    for (int i = 1; i <= LOOKS_MAX; i++) {
        stuck_look(&s->process);
        if (!lives(s))
            return i;
    }
    return 0;
}

static void it_is_killed_after_so_many_seconds(void **state)
{
    static const struct {
        uint64_t timeout_ms;
        int look;
    } rows[] = {{1, 1}, {1000, 1}, {1001, 2}, {3000, 3}, {4000, 4}, {0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scene s;
        begin(&s, rows[i].timeout_ms);
        assert_int_equal(looks_until_killed(&s), rows[i].look);
        end(&s);
    }
}

static void an_answer_begins_anew(void **state)
{
    struct scene s;
    begin(&s, 3000);
    stuck_look(&s.process);
    stuck_look(&s.process);
    s.process.is_asked = false; /* it answered */
    stuck_look(&s.process);
    assert_int_equal(s.process.silent_n, 0);
    s.process.is_asked = true;
    assert_int_equal(looks_until_killed(&s), 3);
    end(&s);
}

/* Silent, but each time in another callback: it is busy, not stuck. */
static void one_that_goes_from_callback_to_callback_is_busy(void **state)
{
    const struct activity_note note = {.kind = ACTIVITY_ON_MESSAGE, .id = 7};
    struct scene s;
    begin(&s, 2000);
    for (int i = 0; i < LOOKS_MAX; i++) {
        activity_show(&s.activity, &note); /* the same client again: another run of the callback */
        stuck_look(&s.process);
        assert_int_equal(s.process.silent_n, 0);
    }
    assert_int_equal(looks_until_killed(&s), 2);
    end(&s);
}

static void without_a_page_silence_alone_counts(void **state)
{
    struct scene s;
    begin(&s, 2000);
    s.process.activity = NULL;
    assert_int_equal(looks_until_killed(&s), 2);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_killed_after_so_many_seconds),
        cmocka_unit_test(an_answer_begins_anew),
        cmocka_unit_test(one_that_goes_from_callback_to_callback_is_busy),
        cmocka_unit_test(without_a_page_silence_alone_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
