/* notices: what one process puts on its page, as the others of the server see it. */
#include "base/notices.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAGES_N = 3, GROUPS = 0, UIDS = 1 };

static bool is_news(const struct notice_page *p, const char *name, uint32_t heard)
{
    return notice_is_news(p, GROUPS, span_str(name), heard);
}

static void what_a_child_puts_is_news_until_it_is_heard(void **state)
{
    struct notices *n = notices_new(PAGES_N);
    assert_non_null(n);
    struct notice_page *p = notices_page(n, 1);
    assert_false(is_news(p, "a", 0));
    pid_t pid = fork();
    if (pid == 0) {
        notice_put(notices_page(n, 1), GROUPS, span_str("a"));
        _exit((int)notice_say(notices_page(n, 1)));
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    uint32_t said = (uint32_t)WEXITSTATUS(status);
    assert_int_equal(notice_said(p), said);
    assert_true(is_news(p, "a", said - 1));
    assert_false(is_news(p, "a", said));
    assert_false(notice_is_news(p, UIDS, span_str("a"), said - 1));
    assert_false(is_news(notices_page(n, 0), "a", said - 1)); /* another page */
    notices_free(n);
}

static void what_was_heard_stays_heard(void **state)
{
    struct notices *n = notices_new(PAGES_N);
    struct notice_page *p = notices_page(n, 0);
    notice_put(p, GROUPS, span_str("a"));
    uint32_t heard = notice_say(p);
    notice_put(p, GROUPS, span_str("b"));
    assert_int_equal(notice_say(p), heard + 1);
    assert_false(is_news(p, "a", heard));
    assert_true(is_news(p, "b", heard));
    assert_false(is_news(p, "b", heard + 1));
    notices_free(n);
}

static void who_only_reads_cannot_write(void **state)
{
    struct notices *n = notices_new(PAGES_N);
    struct notice_page *p = notices_page(n, 0);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGSEGV, SIG_DFL); /* cmocka and sanitizers have handlers */
        notices_protect(n);
        notice_put(p, GROUPS, span_str("a"));
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    (void)notice_say(p);
    assert_false(is_news(p, "a", 0));
    notices_free(n);
}

/* After four thousand million numbers. */
static void numbers_go_round(void **state)
{
    struct notices *n = notices_new(PAGES_N);
    struct notice_page *p = notices_page(n, 0);
    notice_put(p, GROUPS, span_str("a"));
    uint32_t said = notice_say(p);
    assert_true(is_news(p, "a", said - 2)); /* heard last: 2^32 - 1 */
    notices_free(n);
}

static void pages_are_found_by_name_in_their_own_server_only(void **state)
{
    struct notices *ours = notices_new(PAGES_N), *theirs = notices_new(PAGES_N);
    char name[NOTICES_NAME_MAX];
    notices_name(ours, 2, name);
    assert_ptr_equal(notices_find(ours, span_str(name)), notices_page(ours, 2));
    assert_null(notices_find(theirs, span_str(name)));
    assert_null(notices_find(ours, span_str("2")));
    assert_null(notices_find(NULL, span_str(name)));
    assert_null(notices_page(ours, PAGES_N));
    assert_null(notices_page(NULL, 0));
    notices_free(ours);
    notices_free(theirs);
    notices_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_child_puts_is_news_until_it_is_heard),
        cmocka_unit_test(what_was_heard_stays_heard),
        cmocka_unit_test(who_only_reads_cannot_write),
        cmocka_unit_test(numbers_go_round),
        cmocka_unit_test(pages_are_found_by_name_in_their_own_server_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
