/* Names on NATS: every byte string is one token, no two names are the same one. */
#include "cluster/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char text[SUBJECT_MAX];

static void fixed_subjects_follow_the_prefix(void **state)
{
    subject_all("chat", text);
    assert_string_equal(text, "chat.all");
    subject_parts("chat", text);
    assert_string_equal(text, "chat.parts");
    subject_at("a.b", (struct gateway_at){.ip = 0x0a000001, .port = 2300}, text);
    assert_string_equal(text, "a.b.at.0a00000108fc");
    subject_inbox("chat", 0xabc, text);
    assert_string_equal(text, "chat.re.0000000000000abc");
}

/* The vectors of RFC 4648 §10, and the two characters of §5. */
static void names_are_base64url_without_padding(void **state)
{
    static const struct {
        const char *name, *encoded;
    } names[] = {{"f", "Zg"},        {"fo", "Zm8"},        {"foo", "Zm9v"},
                 {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
                 {"a.*>", "YS4qPg"}, {"\xfb\xff", "-_8"},  {"0", "MA"}};
    char expected[64];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        subject_name("p", SUBJECT_GROUP, span_str(names[i].name), text);
        snprintf(expected, sizeof expected, "p.g.%s", names[i].encoded);
        assert_string_equal(text, expected);
    }
    subject_name("p", SUBJECT_UID, span_of("\0\0", 2), text);
    assert_string_equal(text, "p.u.AAA");
}

static void longest_name_and_prefix_fit(void **state)
{
    char prefix[SUBJECT_PREFIX_MAX + 1];
    uint8_t name[255];

    memset(prefix, 'p', SUBJECT_PREFIX_MAX);
    prefix[SUBJECT_PREFIX_MAX] = '\0';
    memset(name, 0xff, sizeof name);
    subject_name(prefix, SUBJECT_UID, span_of(name, sizeof name), text);
    assert_int_equal(strlen(text), SUBJECT_PREFIX_MAX + 3 + 340);
    assert_int_equal(strspn(text + SUBJECT_PREFIX_MAX + 3, "_"), 340);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_subjects_follow_the_prefix),
        cmocka_unit_test(names_are_base64url_without_padding),
        cmocka_unit_test(longest_name_and_prefix_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
