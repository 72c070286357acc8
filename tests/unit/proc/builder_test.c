/* Builds: what they print and make, and that what they leave behind holds up nobody. */
#include "proc/builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/clock.h"
#include "proc/role.h"

enum { PATIENCE_MS = 20 * 1000 };

/* The test holds the writing end: what reads from it ends with the test. */
static int leash[2];

/* A program that outlives the build and has its output, as the servers of compiler caches do. */
static void leave_a_program(void)
{
    if (fork() != 0)
        return;
    setsid();
    dup2(leash[0], STDIN_FILENO);
    close(leash[1]);
    execlp("cat", "cat", (char *)NULL);
    _exit(127);
}

static int prepare(const struct conf *conf, const struct conf_section *s, const char *run_dir,
                   unsigned serial, struct buf *artifact)
{
    const char *what = s->name;
    if (strcmp(what, "leaves") == 0 || strcmp(what, "hangs") == 0)
        leave_a_program();
    dprintf(STDERR_FILENO, "built %s\n", what);
    if (strcmp(what, "hangs") == 0)
        pause();
    buf_printf(artifact, "/nowhere/%s-%u", what, serial);
    return strcmp(what, "fails") == 0 ? GW_ECONF : 0;
}

static void on_fork(void *owner)
{
}

struct scene {
    struct master_conf settings;
    struct privileges privileges;
    struct role role;
    struct conf_section section;
    struct group group;
    struct fleet fleet;
    struct loop *loop;
    bool is_done;
    int rc;
    char artifact[64], output[64];
};

static void on_done(void *owner, int rc, const char *artifact, struct span output)
{
    struct scene *s = owner;
    s->is_done = true;
    s->rc = rc;
    snprintf(s->artifact, sizeof s->artifact, "%s", artifact ? artifact : "");
    snprintf(s->output, sizeof s->output, "%.*s", (int)output.len, (const char *)output.at);
}

/* How long it took, in milliseconds. */
static uint64_t build(struct scene *s, const char *what, uint64_t timeout_ms)
{
    *s = (struct scene){.settings = {.run_dir = "/nowhere", .prepare_timeout_ms = timeout_ms},
                        .role = {.kind = "lamp", .prepare = prepare},
                        .section = {.name = what},
                        .loop = loop_new()};
    s->group = (struct group){.role = &s->role, .section = &s->section};
    s->fleet = (struct fleet){.settings = &s->settings,
                              .privileges = &s->privileges,
                              .loop = s->loop,
                              .groups = &s->group,
                              .groups_n = 1,
                              .on_fork = on_fork};
    uint64_t since_ms = clock_mono_ms();
    assert_non_null(builder_start(&s->fleet, s->loop, &s->group, on_done, s));
    while (!s->is_done && clock_mono_ms() - since_ms < PATIENCE_MS)
        assert_int_equal(loop_turn(s->loop, 100), 0);
    assert_true(s->is_done);
    loop_free(s->loop);
    return clock_mono_ms() - since_ms;
}

static void a_build_tells_what_it_made(void **state)
{
    struct scene s;
    (void)build(&s, "plain", PATIENCE_MS);
    assert_int_equal(s.rc, 0);
    assert_string_equal(s.artifact, "/nowhere/plain-1");
    assert_string_equal(s.output, "built plain\n");
}

static void a_build_that_fails_made_nothing(void **state)
{
    struct scene s;
    (void)build(&s, "fails", PATIENCE_MS);
    assert_int_equal(s.rc, GW_ECONF);
    assert_string_equal(s.artifact, "");
    assert_string_equal(s.output, "built fails\n");
}

static void what_a_build_leaves_running_is_not_waited_for(void **state)
{
    struct scene s;
    assert_true(build(&s, "leaves", PATIENCE_MS) < PATIENCE_MS);
    assert_int_equal(s.rc, 0);
    assert_string_equal(s.artifact, "/nowhere/leaves-1");
    assert_string_equal(s.output, "built leaves\n");
}

static void a_build_that_hangs_is_ended_with_what_it_left(void **state)
{
    struct scene s;
    assert_true(build(&s, "hangs", 500) < PATIENCE_MS);
    assert_int_equal(s.rc, GW_ETIMEOUT);
    assert_string_equal(s.output, "built hangs\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_tells_what_it_made),
        cmocka_unit_test(a_build_that_fails_made_nothing),
        cmocka_unit_test(what_a_build_leaves_running_is_not_waited_for),
        cmocka_unit_test(a_build_that_hangs_is_ended_with_what_it_left),
    };
    assert_int_equal(pipe(leash), 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
