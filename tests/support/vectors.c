/* The recorded vectors in tests/vectors: loading, walking, hex, and comparing bytes. */
#include "support/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

json_t *vectors_load(const char *file)
{
    char path[256];
    json_error_t error;

    snprintf(path, sizeof path, "tests/vectors/%s", file);
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!root)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return root;
}

void vectors_walk(json_t *root, void (*visit)(json_t *object, void *ctx), void *ctx)
{
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_object(root))
        visit(root, ctx);
    json_object_foreach(root, key, child) vectors_walk(child, visit, ctx);
    json_array_foreach(root, i, child) vectors_walk(child, visit, ctx);
}

bool vectors_hex(const json_t *object, const char *key, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    struct span text = vectors_text(object, key);

    buf_clear(out);
    if (!json_is_string(json_object_get(object, key)) || text.len % 2 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 2) {
        const char *high = memchr(digits, text.at[i], 16);
        const char *low = memchr(digits, text.at[i + 1], 16);
        if (!high || !low)
            return false;
        buf_putc(out, (uint8_t)((high - digits) << 4 | (low - digits)));
    }
    return true;
}

struct span vectors_text(const json_t *object, const char *key)
{
    const json_t *text = json_object_get(object, key);

    return span_of(json_is_string(text) ? json_string_value(text) : "", json_string_length(text));
}

static void put_printable(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.len && i < 2000; i++) {
        if (s.at[i] >= ' ' && s.at[i] < 0x7f)
            buf_putc(out, s.at[i]);
        else
            buf_printf(out, "\\x%02x", s.at[i]);
    }
}

void assert_bytes(const char *what, struct span got, struct span want)
{
    struct buf text = {0};

    if (span_eq(got, want))
        return;
    buf_printf(&text, "%s\n got %zu bytes: ", what, got.len);
    put_printable(&text, got);
    buf_printf(&text, "\nwant %zu bytes: ", want.len);
    put_printable(&text, want);
    print_error("%s\n", buf_cstr(&text));
    buf_fini(&text);
    fail();
}
