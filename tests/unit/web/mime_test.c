/* mime: endings known and unknown. */
#include "web/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void endings(void **state)
{
    static const struct {
        const char *path;
        const char *type;
    } rows[] = {
        {"index.html", "text/html; charset=utf-8"},
        {"a/b/chat.css", "text/css; charset=utf-8"},
        {"chat.js", "text/javascript; charset=utf-8"},
        {"LOGO.SVG", "image/svg+xml"},
        {"photo.JPeG", "image/jpeg"},
        {"a.tar.gz", "application/gzip"},
        {"data.json", "application/json"},
        {"font.woff2", "font/woff2"},
        {"README", "application/octet-stream"},
        {"", "application/octet-stream"},
        {"name.", "application/octet-stream"},
        {"folder.html/README", "application/octet-stream"},
        {"html", "application/octet-stream"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(mime_type(span_str(rows[i].path)), rows[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(endings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
