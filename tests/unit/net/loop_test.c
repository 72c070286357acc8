/* The loop: order of the phases, watches that change under their events, waiting, stopping. */
#include "net/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "support/fake_clock.h"

static struct loop *loop;
static char seen[64]; /* one letter per callback */

static void note(char letter)
{
    size_t len = strlen(seen);
    assert_true(len + 1 < sizeof seen);
    seen[len] = letter;
    seen[len + 1] = '\0';
}

static int setup(void **state)
{
    loop = loop_new();
    seen[0] = '\0';
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    loop_free(loop);
    fake_clock_stop();
    return 0;
}

struct letter_task {
    struct task task;
    char letter;
    void (*then)(void);
};

static void run_letter(struct task *t)
{
    struct letter_task *l = CONTAINER_OF(t, struct letter_task, task);
    note(l->letter);
    if (l->then)
        l->then();
}

static struct letter_task read_task = {.task.run = run_letter, .letter = 'A'};
static struct letter_task flush_task = {.task.run = run_letter, .letter = 'F'};
static struct letter_task second_flush = {.task.run = run_letter, .letter = 'f'};
static struct letter_task end_task = {.task.run = run_letter, .letter = 'E'};
static struct letter_task soon_task = {.task.run = run_letter, .letter = 'S'};

static void fire_letter(struct timer *t)
{
    note('T');
}

static void read_letter(struct watch *w, unsigned ready)
{
    char byte;
    assert_int_equal(ready, LOOP_READ);
    assert_int_equal(read(w->fd, &byte, 1), 1);
    note('R');
    loop_at_end(loop, &end_task.task);
    loop_after_read(loop, &read_task.task);
    loop_at_flush(loop, &flush_task.task);
    loop_at_flush(loop, &flush_task.task); /* twice is once */
}

static void queue_second_flush(void)
{
    loop_at_flush(loop, &second_flush.task);
}

static void pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static void close_pair(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static void a_turn_runs_its_phases_in_order(void **state)
{
    int fds[2];
    pair(fds);
    struct watch w = {.fd = fds[0], .on_ready = read_letter};
    struct timer t = {.fire = fire_letter};
    flush_task.then = queue_second_flush;
    assert_int_equal(watch_start(loop, &w, LOOP_READ), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    timer_start(loop, &t, 0);
    loop_soon(loop, &soon_task.task);
    assert_string_equal(seen, ""); /* never from inside the call */
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_string_equal(seen, "STRAFfE");
    flush_task.then = NULL;
    watch_stop(loop, &w);
    close_pair(fds);
}

static void queue_soon(void)
{
    loop_soon(loop, &soon_task.task);
}

static void soon_again_is_the_next_turn(void **state)
{
    soon_task.then = queue_soon;
    loop_soon(loop, &soon_task.task);
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_string_equal(seen, "S");
    soon_task.then = NULL;
    assert_int_equal(loop_turn(loop, -1), 0); /* does not wait */
    assert_string_equal(seen, "SS");
}

static void a_cancelled_task_does_not_run(void **state)
{
    loop_soon(loop, &soon_task.task);
    loop_at_flush(loop, &flush_task.task);
    loop_at_flush(loop, &second_flush.task);
    task_cancel(loop, &second_flush.task);
    task_cancel(loop, &soon_task.task);
    task_cancel(loop, &soon_task.task);
    loop_at_flush(loop, &end_task.task); /* the end of the queue is still right */
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_string_equal(seen, "FE");
}

static struct watch twins[2];

static void stop_the_other(struct watch *w, unsigned ready)
{
    note('W');
    watch_stop(loop, &twins[0]);
    watch_stop(loop, &twins[1]);
}

static void a_stopped_watch_hears_nothing_in_the_same_turn(void **state)
{
    int fds[2][2];
    for (int i = 0; i < 2; i++) {
        pair(fds[i]);
        twins[i] = (struct watch){.fd = fds[i][0], .on_ready = stop_the_other};
        assert_int_equal(watch_start(loop, &twins[i], LOOP_READ), 0);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
    }
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_string_equal(seen, "W");
    watch_stop(loop, &twins[0]); /* twice is fine */
    close_pair(fds[0]);
    close_pair(fds[1]);
}

static int quiet[2];

/* Stops the other watch and starts it again on a descriptor that has nothing to read. */
static void restart_the_other(struct watch *w, unsigned ready)
{
    struct watch *other = w == &twins[0] ? &twins[1] : &twins[0];
    note('W');
    watch_stop(loop, other);
    other->fd = quiet[0];
    assert_int_equal(watch_start(loop, other, LOOP_READ), 0);
}

static void a_restarted_watch_does_not_hear_old_events(void **state)
{
    int fds[2][2];
    pair(quiet);
    for (int i = 0; i < 2; i++) {
        pair(fds[i]);
        twins[i] = (struct watch){.fd = fds[i][0], .on_ready = restart_the_other};
        assert_int_equal(watch_start(loop, &twins[i], LOOP_READ), 0);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
    }
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_string_equal(seen, "W");
    watch_stop(loop, &twins[0]);
    watch_stop(loop, &twins[1]);
    close_pair(fds[0]);
    close_pair(fds[1]);
    close_pair(quiet);
}

static void disarm_the_other(struct watch *w, unsigned ready)
{
    note('W');
    watch_change(loop, w == &twins[0] ? &twins[1] : &twins[0], 0);
    watch_change(loop, w, 0);
}

static void a_disarmed_watch_hears_nothing_in_the_same_turn(void **state)
{
    int fds[2][2];
    for (int i = 0; i < 2; i++) {
        pair(fds[i]);
        twins[i] = (struct watch){.fd = fds[i][0], .on_ready = disarm_the_other};
        assert_int_equal(watch_start(loop, &twins[i], LOOP_READ), 0);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
    }
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_string_equal(seen, "W");
    for (int i = 0; i < 2; i++) {
        watch_stop(loop, &twins[i]);
        close_pair(fds[i]);
    }
}

static unsigned heard;

static void hear(struct watch *w, unsigned ready)
{
    heard = ready;
}

static void a_hang_up_is_told_without_asking(void **state)
{
    int fds[2];
    pair(fds);
    struct watch w = {.fd = fds[0], .on_ready = hear};
    heard = 0;
    assert_int_equal(watch_start(loop, &w, 0), 0);
    close(fds[1]);
    assert_int_equal(loop_turn(loop, -1), 0);
    assert_int_equal(heard, LOOP_HANGUP);
    watch_stop(loop, &w);
    close(fds[0]);
}

static void note_ready(struct watch *w, unsigned ready)
{
    note(ready & LOOP_END ? 'E' : ready & LOOP_WRITE ? 'W' : 'R');
}

/* Each letter is a turn's event; the byte is never read. */
static void who_reads_all_is_told_what_is_new(void **state)
{
    int fds[2];
    pair(fds);
    struct watch w = {.fd = fds[0], .reads_all = true, .on_ready = note_ready};
    assert_int_equal(watch_start(loop, &w, LOOP_READ), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    assert_string_equal(seen, "R");
    assert_int_equal(write(fds[1], "y", 1), 1);
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    assert_string_equal(seen, "RR");
    watch_change(loop, &w, 0);
    watch_change(loop, &w, LOOP_READ); /* tells again what is there */
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    assert_string_equal(seen, "RRR");
    watch_change(loop, &w, LOOP_WRITE); /* told in every turn, as to others */
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    assert_string_equal(seen, "RRRWW");
    watch_change(loop, &w, LOOP_READ);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    loop_turn(loop, 0);
    loop_turn(loop, 0);
    assert_string_equal(seen, "RRRWWE");
    watch_stop(loop, &w);
    close_pair(fds);
}

static void time_is_that_of_the_turn(void **state)
{
    struct timer t = {.fire = fire_letter};
    uint64_t begin_ms = loop_now_ms(loop) + 1;
    fake_clock_start(begin_ms);
    assert_int_equal(loop_turn(loop, 0), 0);
    timer_start(loop, &t, 100);
    assert_int_equal(loop_timers_n(loop), 1);
    fake_clock_advance(99);
    assert_int_equal(loop_now_ms(loop), begin_ms);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(loop_now_ms(loop), begin_ms + 99);
    assert_string_equal(seen, "");
    fake_clock_advance(1);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_string_equal(seen, "T");
    assert_int_equal(loop_timers_n(loop), 0);
}

static void stop_loop(struct timer *t)
{
    loop_stop(loop);
}

static void runs_until_it_is_stopped(void **state)
{
    struct timer t = {.fire = stop_loop};
    timer_start(loop, &t, 1);
    assert_int_equal(loop_run(loop), 0);
    loop_stop(loop); /* before the first turn: counts too */
    assert_int_equal(loop_run(loop), 0);
    struct loop_stats stats;
    loop_stats(loop, &stats);
    assert_true(stats.turns_n >= 1);
}

/* A child that abandons the loop must not take the parent's descriptors out of it. */
static void an_abandoned_copy_leaves_the_original_alone(void **state)
{
    int fds[2];
    pair(fds);
    struct watch w = {.fd = fds[0], .on_ready = read_letter};
    assert_int_equal(watch_start(loop, &w, LOOP_READ), 0);
    pid_t pid = fork();
    if (pid == 0) {
        loop_abandon(loop);
        watch_stop(loop, &w);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(loop_turn(loop, 1000), 0);
    assert_string_equal(seen, "RAFE");
    watch_stop(loop, &w);
    close_pair(fds);
}

/* More ready descriptors than one wait returns: all are read before anything is flushed. */
static void reads_all_before_it_flushes(void **state)
{
    enum { N = 1500 };
    static struct watch watches[N];
    static int fds[N][2];
    for (int i = 0; i < N; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds[i]) < 0)
            skip(); /* few descriptors are allowed here */
        watches[i] = (struct watch){.fd = fds[i][0], .on_ready = hear};
        assert_int_equal(watch_start(loop, &watches[i], LOOP_READ), 0);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
    }
    assert_int_equal(loop_turn(loop, -1), 0);
    struct loop_stats stats;
    loop_stats(loop, &stats);
    assert_true(stats.events_n >= N);
    assert_int_equal(stats.turns_n, 1);
    for (int i = 0; i < N; i++) {
        watch_stop(loop, &watches[i]);
        close_pair(fds[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_turn_runs_its_phases_in_order),
        TEST(soon_again_is_the_next_turn),
        TEST(a_cancelled_task_does_not_run),
        TEST(a_stopped_watch_hears_nothing_in_the_same_turn),
        TEST(a_restarted_watch_does_not_hear_old_events),
        TEST(a_disarmed_watch_hears_nothing_in_the_same_turn),
        TEST(a_hang_up_is_told_without_asking),
        TEST(who_reads_all_is_told_what_is_new),
        TEST(time_is_that_of_the_turn),
        TEST(runs_until_it_is_stopped),
        TEST(an_abandoned_copy_leaves_the_original_alone),
        TEST(reads_all_before_it_flushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
