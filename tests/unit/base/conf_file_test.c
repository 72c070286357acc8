/* Config text: lines numbered and kept as written, includes, environment, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/conf_file.h"
#include "support/tmpdir.h"

static struct tmpdir dir;
static struct conf_text text;
static struct buf errors;

static int begin(void **state)
{
    dir = tmpdir_make();
    assert_int_equal(chdir(dir.path), 0); /* so that complaints show short names */
    return 0;
}

static int end(void **state)
{
    assert_int_equal(chdir("/"), 0);
    tmpdir_remove(&dir);
    conf_text_fini(&text);
    text = (struct conf_text){0};
    buf_fini(&errors);
    return 0;
}

static int read_text(const char *content)
{
    tmpdir_write(&dir, "a.conf", content);
    return conf_text_read(&text, "a.conf", &errors);
}

static const struct conf_block *block(size_t pos)
{
    assert_true(pos < text.blocks.len);
    return text.blocks.at[pos];
}

static const struct conf_line *line(size_t block_pos, size_t pos)
{
    assert_true(pos < block(block_pos)->lines.len);
    return block(block_pos)->lines.at[pos];
}

static void refused(const char *content, const char *complaint)
{
    buf_clear(&errors);
    assert_int_equal(read_text(content), GW_ECONF);
    assert_string_equal(buf_cstr(&errors), complaint);
}

static void sections_and_lines(void **state)
{
    assert_int_equal(read_text("# comment\n"
                               "[gateway  chat ]\r\n"
                               "\n"
                               "  listen = websocket://0.0.0.0:7272  \r\n"
                               "; comment\n"
                               "\t# comment\n"
                               "tag=a\n"
                               "    tag = b\n"
                               "[web]\n"
                               "[web]\n"
                               "root = x"),
                     0);
    assert_string_equal(buf_cstr(&errors), "");
    assert_int_equal(text.blocks.len, 3);
    assert_string_equal(block(0)->kind, "gateway");
    assert_string_equal(block(0)->name, "chat");
    assert_string_equal(block(0)->where, "a.conf:2");
    assert_int_equal(block(0)->lines.len, 3);
    assert_string_equal(line(0, 0)->key, "listen");
    assert_string_equal(line(0, 0)->value, "websocket://0.0.0.0:7272");
    assert_int_equal(line(0, 0)->line, 4);
    assert_string_equal(line(0, 2)->value, "b");
    assert_string_equal(line(0, 2)->where, "a.conf:8");
    assert_string_equal(block(1)->name, "");
    assert_int_equal(block(1)->lines.len, 0);
    assert_int_equal(block(2)->line, 10);
    assert_int_equal(line(2, 0)->line, 11);
}

static void values_are_kept_as_written(void **state)
{
    assert_int_equal(read_text("[s]\n"
                               "a = {\"type\":\"ping\"} ; # \"x\"\n"
                               "b = x=y:z\n"
                               "c =\n"
                               "d = $HOME $$ {x} $\n"
                               "e = 'quoted'\n"
                               "f: colon\n"),
                     0);
    assert_string_equal(line(0, 0)->value, "{\"type\":\"ping\"} ; # \"x\"");
    assert_string_equal(line(0, 1)->value, "x=y:z");
    assert_string_equal(line(0, 2)->value, "");
    assert_string_equal(line(0, 3)->value, "$HOME $$ {x} $");
    assert_string_equal(line(0, 4)->value, "'quoted'");
    assert_string_equal(line(0, 5)->value, "colon");
}

static void byte_order_mark(void **state)
{
    assert_int_equal(read_text("\xef\xbb\xbf[s]\na=1\n"), 0);
    assert_string_equal(line(0, 0)->where, "a.conf:2");
}

static void environment(void **state)
{
    setenv("GW_TEST_A", "${B} one", 1);
    assert_int_equal(read_text("[s]\nx = <${GW_TEST_A}${GW_TEST_A}>\n"), 0);
    assert_string_equal(line(0, 0)->value, "<${B} one${B} one>");
    unsetenv("GW_TEST_A");
    refused("[s]\n\nx = ${GW_TEST_A}\n", "a.conf:3: ${GW_TEST_A}: there is no such environment "
                                         "variable; set it before the start\n");
    refused("[s]\nx = ${GW\n",
            "a.conf:2: ${ begins the name of an environment variable and needs a }\n");
}

static void lines_of_all_lengths(void **state)
{
    char content[5000] = "[s]\nk=";
    memset(content + 6, 'x', 4096 - 2);
    assert_int_equal(read_text(content), 0);
    assert_int_equal(strlen(line(0, 0)->value), 4094);
    memset(content + 6, 'x', 4096 + 1);
    refused(content, "a.conf:2: the line is longer than 4096 bytes; reading stops here\n");
}

static void every_bad_line_is_told(void **state)
{
    refused("k = 1\n[s]\nfoo\n[s\n[s] x = 1\n= 2\nbar\n",
            "a.conf:1: k: a key must stand below a [section]\n"
            "a.conf:3: neither a [section] nor \"key = value\" nor a comment\n"
            "a.conf:4: a section is written [kind] or [kind name], alone on its line\n"
            "a.conf:5: a section is written [kind] or [kind name], alone on its line\n"
            "a.conf:6: there is no key before the '='\n"
            "a.conf:7: neither a [section] nor \"key = value\" nor a comment\n");
    refused("[a b c]\n", "a.conf:1: [a b c]: kind and name are single words of letters, digits, "
                         "'_', '-' and '.'\n");
    refused("[a \"b\"]\n",
            "a.conf:1: [a \"b\"]: kind and name are single words of letters, digits, "
            "'_', '-' and '.'\n");
    refused("[a 0123456789012345678901234567890123456789012345678]\n",
            "a.conf:1: what stands in the brackets is longer than 48 bytes\n");
    refused("\001= 1\n", "a.conf:1: the line holds a control character: is this a config file?\n");
    refused("[]\n", "a.conf:1: []: kind and name are single words of letters, digits, '_', '-' and "
                    "'.'\n");
}

static void longest_section_head(void **state)
{
    assert_int_equal(read_text("[a 0123456789012345678901234567890123456789012345]\n"), 0);
    assert_string_equal(block(0)->name, "0123456789012345678901234567890123456789012345");
}

static void files_that_cannot_be_read(void **state)
{
    assert_int_equal(conf_text_read(&text, "none.conf", &errors), GW_ECONF);
    assert_string_equal(buf_cstr(&errors),
                        "none.conf: cannot be read: No such file or directory\n");
    buf_clear(&errors);
    assert_int_equal(conf_text_read(&text, ".", &errors), GW_ECONF);
    assert_string_equal(buf_cstr(&errors), ".: cannot be read: Is a directory\n");
    buf_clear(&errors);
    assert_int_equal(conf_text_read(&text, "/dev/zero", &errors), GW_ECONF);
    assert_non_null(strstr(buf_cstr(&errors), "/dev/zero:1: "));
}

static void includes(void **state)
{
    tmpdir_mkdir(&dir, "d");
    tmpdir_write(&dir, "d/2.conf", "[two]\nk=2\n");
    tmpdir_write(&dir, "d/1.conf", "include = sub.inc\n[one]\nk=1\n");
    tmpdir_write(&dir, "d/sub.inc", "[sub]\n");
    assert_int_equal(read_text("include = d/*.conf\ninclude = none/*.conf\n[main]\nk=0\n"), 0);
    assert_int_equal(text.blocks.len, 4);
    assert_string_equal(block(0)->where, "d/sub.inc:1"); /* beside the file that includes it */
    assert_string_equal(block(1)->where, "d/1.conf:2");
    assert_string_equal(block(2)->where, "d/2.conf:1");
    assert_string_equal(line(3, 0)->where, "a.conf:4");
}

static void bad_includes(void **state)
{
    refused("include = gone.conf\n", "a.conf:1: include: gone.conf does not exist\n");
    refused("\ninclude = a.conf\n",
            "a.conf:2: include: a.conf: includes run in a circle or are nested too deep\n");
    tmpdir_write(&dir, "b.conf", "bad\ninclude = ./a.conf\n");
    refused("include = b.conf\n",
            "b.conf:1: neither a [section] nor \"key = value\" nor a comment\n"
            "b.conf:2: include: ./a.conf: includes run in a circle or are "
            "nested too deep\n");
}

static void includes_are_not_endless(void **state)
{
    char name[] = "0.inc", content[] = "include = 0.inc\n";
    for (char c = '0'; c <= '9'; c++) {
        name[0] = c;
        content[10] = (char)(c + 1);
        tmpdir_write(&dir, name, content);
    }
    refused("include = 0.inc\n",
            "7.inc:1: include: 8.inc: includes run in a circle or are nested too deep\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sections_and_lines, begin, end),
        cmocka_unit_test_setup_teardown(values_are_kept_as_written, begin, end),
        cmocka_unit_test_setup_teardown(byte_order_mark, begin, end),
        cmocka_unit_test_setup_teardown(environment, begin, end),
        cmocka_unit_test_setup_teardown(lines_of_all_lengths, begin, end),
        cmocka_unit_test_setup_teardown(every_bad_line_is_told, begin, end),
        cmocka_unit_test_setup_teardown(longest_section_head, begin, end),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_read, begin, end),
        cmocka_unit_test_setup_teardown(includes, begin, end),
        cmocka_unit_test_setup_teardown(bad_includes, begin, end),
        cmocka_unit_test_setup_teardown(includes_are_not_endless, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
