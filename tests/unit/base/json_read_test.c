/* The quick reader against jansson: what it accepts, jansson accepts, and makes the same of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_read.h"

enum { CHANGES_N = 200000, TEXT_MAX = 4096 };

static const char *const common[] = {
    "{\"type\":\"say\",\"to_client_name\":\"\xe6\x89\x80\xe6\x9c\x89\",\"content\":\"x\"}",
    " {\n\t\"a\" : [ 1 , -2,0,-0 ] ,\r\"b\":{\"c\":null,\"d\":true},\"e\":false } ",
    "{\"z\":1,\"a\":2,\"z\":{\"m\":4}}",
    "\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\xf0\x9f\x98\x80\x7f\"",
    "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
    "[]",
    "{}",
    "\"\"",
    "{\"\":\"\"}",
    "-999999999999999999",
    "true",
};

static const char *const left_to_jansson[] = {
    "",
    " ",
    "1.5",
    "1e3",
    "01",
    "-",
    "1 2",
    "\"\\u4f60\"",
    "\"\\x\"",
    "[1,]",
    "{\"a\":1,}",
    "{\"a\" 1}",
    "{a:1}",
    "[1",
    "\"",
    "\"a\\",
    "tru",
    "truex",
    "nul",
    "\"\x01\"",
    "\"\xff\"",
    "]",
    "[1}",
    "{\"a\"}",
    "1000000000000000000",
    "\"\\\"",
    "[\"a\"",
    "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
};

static bool are_same(json_t *a, json_t *b)
{
    char *first = json_dumps(a, JSON_ENCODE_ANY);
    char *second = json_dumps(b, JSON_ENCODE_ANY);
    bool is_same = first && second && strcmp(first, second) == 0; /* the order of members, too */
    free(first);
    free(second);
    return is_same && json_equal(a, b);
}

/* Whether it was read; fails when jansson sees something else in it. */
static bool check(const char *at, size_t len)
{
    json_t *mine = (json_t *)(void *)json_read_common(gw_bytes(at, len), 512);
    if (!mine)
        return false;
    json_t *its = json_loadb(at, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!its || !are_same(mine, its))
        fail_msg("read otherwise than by jansson: %.*s", (int)len, at);
    json_decref(mine);
    json_decref(its);
    return true;
}

static void what_messages_are_made_of_is_read(void **state)
{
    for (size_t i = 0; i < sizeof common / sizeof common[0]; i++)
        if (!check(common[i], strlen(common[i])))
            fail_msg("not read: %s", common[i]);
}

static void the_rest_is_not(void **state)
{
    for (size_t i = 0; i < sizeof left_to_jansson / sizeof left_to_jansson[0]; i++)
        if (check(left_to_jansson[i], strlen(left_to_jansson[i])))
            fail_msg("read: %s", left_to_jansson[i]);
    assert_false(check("1\0", 2));
    assert_false(check("[1\0]", 4));
}

static void limits(void **state)
{
    char text[TEXT_MAX] = "";
    assert_null(json_read_common(gw_str("[[1]]"), 1));
    assert_null(json_read_common(gw_str("[]"), 0));
    /* A name of 64 bytes; text with an escape beyond what is unescaped here, and just not so. */
    snprintf(text, sizeof text, "{\"%064d\":1}", 0);
    assert_false(check(text, strlen(text)));
    snprintf(text, sizeof text, "{\"%063d\":1}", 0);
    assert_true(check(text, strlen(text)));
    snprintf(text, sizeof text, "\"\\n%01023d\"", 0);
    assert_false(check(text, strlen(text)));
    snprintf(text, sizeof text, "\"\\n%01022d\"", 0);
    assert_true(check(text, strlen(text)));
    snprintf(text, sizeof text, "\"%03000d\"", 0);
    assert_true(check(text, strlen(text)));
}

/* One to three bytes replaced, taken out or put in, mostly by bytes that mean something. */
static size_t change(char *text, size_t len)
{
    static const char bytes[] = "{}[]\",:\\ntfu0123456789-.eE/ \n\x1f\x7f\x80\xe4\xbd";
    for (int n = 1 + rand() % 3; n > 0 && len > 0; n--) {
        size_t place = (size_t)rand() % len;
        char byte = bytes[(size_t)rand() % sizeof bytes];
        switch (rand() % 3) {
        case 0:
            text[place] = byte;
            break;
        case 1:
            memmove(text + place, text + place + 1, --len - place);
            break;
        default:
            memmove(text + place + 1, text + place, len++ - place);
            text[place] = byte;
        }
    }
    return len;
}

static void changed_texts_are_read_alike(void **state)
{
    size_t read_n = 0;
    srand(1);
    for (size_t i = 0; i < CHANGES_N; i++) {
        const char *seed = common[i % (sizeof common / sizeof common[0])];
        size_t len = strlen(seed);
        char *text = malloc(len + 3);
        assert_non_null(text);
        memcpy(text, seed, len);
        len = change(text, len);
        char *exact = malloc(len ? len : 1); /* so that a sanitizer sees a byte too many */
        assert_non_null(exact);
        memcpy(exact, text, len);
        read_n += check(exact, len);
        free(exact);
        free(text);
    }
    assert_in_range(read_n, CHANGES_N / 100, CHANGES_N - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_messages_are_made_of_is_read),
        cmocka_unit_test(the_rest_is_not),
        cmocka_unit_test(limits),
        cmocka_unit_test(changed_texts_are_read_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
