/* Long answers in pieces: together they are the array, wherever an entry is cut. */
#include "gateway/parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/chunk.h"
#include "gateway/inner.h"

static struct chunk_pool *chunks;

static int set_up(void **state)
{
    chunks = chunk_pool_new(0);
    return 0;
}

static int tear_down(void **state)
{
    assert_int_equal(chunk_pool_bytes(chunks), 0); /* every piece was given back */
    chunk_pool_free(chunks);
    return 0;
}

static void check_head(uint64_t n, const char *want)
{
    uint8_t room[ARRAY_HEAD_MAX + 1];
    memset(room, '#', sizeof(room));
    const uint8_t *head = parts_head(room + ARRAY_HEAD_MAX, n);
    assert_in_range(head - room, 0, ARRAY_HEAD_MAX);
    struct span got = span_of(head, (size_t)(room + ARRAY_HEAD_MAX - head));
    if (!span_is(got, want))
        fail_msg("%.*s instead of %s", (int)got.len, (const char *)got.at, want);
    assert_int_equal(room[ARRAY_HEAD_MAX], '#');
}

static void heads_of_all_lengths_fit(void **state)
{
    check_head(0, "a:0:{");
    check_head(9, "a:9:{");
    check_head(10, "a:10:{");
    check_head(UINT32_MAX, "a:4294967295:{");
    check_head(UINT64_MAX, "a:18446744073709551615:{");
}

/* All pieces behind one another, as the peer gets them. */
static void join(const struct parts *a, struct buf *out)
{
    for (size_t i = 0; i < a->pieces.len; i++) {
        const struct chunk *piece = a->pieces.at[i];
        uint32_t off = i == 0 ? a->off : 0;
        assert_in_range(piece->len - off, 1, REPLY_PART_MAX);
        buf_put(out, piece->at + off, piece->len - off);
    }
}

/* Entries of these lengths; the last is what is added at once. */
static void check(const size_t *lens, size_t lens_n)
{
    static char text[3 * REPLY_PART_MAX];
    struct parts a = {0};
    struct buf want = {0}, got = {0};
    buf_printf(&want, "a:%zu:{", lens_n);
    for (size_t i = 0; i < lens_n; i++) {
        memset(text, 'a' + (int)(i % 26), lens[i]);
        parts_add(&a, chunks, span_of(text, lens[i]));
        buf_put(&want, text, lens[i]);
    }
    parts_end(&a, chunks, lens_n);
    buf_putc(&want, '}');
    join(&a, &got);
    assert_int_equal(a.bytes, want.len);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.at, want.at, want.len);
    parts_fini(&a);
    parts_fini(&a);
    buf_fini(&want);
    buf_fini(&got);
}

/* The first piece has ARRAY_HEAD_MAX bytes less; each edge is met exactly, missed and passed. */
static void pieces_end_anywhere(void **state)
{
    enum { FIRST = REPLY_PART_MAX - ARRAY_HEAD_MAX };
    for (int miss = -2; miss <= 2; miss++) {
        check((size_t[]){(size_t)(FIRST + miss)}, 1);
        check((size_t[]){1, (size_t)(FIRST + miss), 7}, 3);
        check((size_t[]){FIRST, (size_t)(REPLY_PART_MAX + miss)}, 2);
        check((size_t[]){FIRST, (size_t)(2 * REPLY_PART_MAX + miss), 1}, 3);
    }
}

static void an_empty_array_is_one_piece(void **state)
{
    check(NULL, 0);
}

/* A peer that leaves: what was not sent is given back with what was begun. */
static void what_is_not_sent_is_freed(void **state)
{
    struct parts a = {0};
    static char text[2 * REPLY_PART_MAX];
    parts_add(&a, chunks, span_of(text, sizeof(text)));
    assert_int_equal(a.pieces.len, 3);
    chunk_unref(a.pieces.at[0]); /* as parts_send() does with what it has queued */
    a.sent_n = 1;
    parts_fini(&a);
}

#define PARTS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARTS_TEST(heads_of_all_lengths_fit),
        PARTS_TEST(pieces_end_anywhere),
        PARTS_TEST(an_empty_array_is_one_piece),
        PARTS_TEST(what_is_not_sent_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
