/* The output queue: messages that are taken out of it, and those that must stay. */
#include "net/outq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bench {
    struct chunk_pool *chunks;
    struct outring_pool rings;
    struct outq queue;
};

static void begin(struct bench *b)
{
    *b = (struct bench){.chunks = chunk_pool_new(0)};
}

static void end(struct bench *b)
{
    outq_clear(&b->queue, &b->rings);
    outring_pool_fini(&b->rings);
    chunk_pool_free(b->chunks);
}

static void add(struct bench *b, const char *text, bool is_message)
{
    struct chunk *chunk = chunk_new(b->chunks, 64);
    size_t len = strlen(text);
    memcpy(chunk->at, text, len);
    chunk->len = (uint32_t)len;
    outq_push(&b->queue, &b->rings, chunk, 0, (uint32_t)len, is_message);
    b->queue.bytes += len;
    chunk_unref(chunk);
}

static void assert_holds(const struct bench *b, const char *expected)
{
    struct iovec iov[128];
    char text[1024];
    size_t len = 0;
    int n = outq_iov(&b->queue, iov, 128);
    for (int i = 0; i < n; i++) {
        memcpy(text + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    text[len] = '\0';
    assert_string_equal(text, expected);
    assert_int_equal(b->queue.bytes, len);
    /* Nobody else has chunks, and none comes back in the queue behind another. */
    assert_int_equal(b->queue.held - outq_ring_held(&b->queue), chunk_pool_bytes(b->chunks));
}

/* Until no more than so many chunks of the standard size are held. */
static size_t drop(struct bench *b, uint64_t spared_bytes, uint64_t chunks_n)
{
    uint64_t held_max = outq_ring_held(&b->queue) + chunks_n * chunk_held_max(CHUNK_STD);
    return outq_drop_messages(&b->queue, &b->rings, spared_bytes, held_max);
}

static void the_oldest_go_until_there_is_room(void **state)
{
    struct bench b;
    begin(&b);
    assert_int_equal(drop(&b, 0, 0), 0);
    add(&b, "one ", true);
    add(&b, "two ", true);
    add(&b, "three ", true);
    add(&b, "four ", true);
    assert_int_equal(drop(&b, 0, 4), 0);
    assert_int_equal(drop(&b, 0, 3), 1);
    assert_holds(&b, "two three four ");
    assert_int_equal(drop(&b, 0, 1), 2);
    assert_holds(&b, "four ");
    assert_int_equal(drop(&b, 0, 0), 1);
    assert_holds(&b, "");
    add(&b, "five", true);
    assert_holds(&b, "five");
    end(&b);
}

static void what_was_begun_or_is_no_message_stays(void **state)
{
    struct bench b;
    begin(&b);
    add(&b, "head ", false);
    add(&b, "one ", true);
    add(&b, "two ", true);
    assert_int_equal(drop(&b, 0, 0), 2);
    assert_holds(&b, "head ");
    add(&b, "three ", true);
    add(&b, "pong ", false);
    add(&b, "four ", true);
    outq_consume(&b.queue, &b.rings, 6);
    assert_holds(&b, "hree pong four ");
    assert_int_equal(drop(&b, 0, 2), 1);
    assert_holds(&b, "hree pong ");
    end(&b);
}

static void what_a_transport_may_hold_stays(void **state)
{
    struct bench b;
    begin(&b);
    for (int i = 0; i < 6; i++)
        add(&b, "four", true);
    assert_int_equal(drop(&b, 5, 3), 3); /* two begin within the first five bytes */
    assert_int_equal(b.queue.bytes, 12);
    assert_int_equal(drop(&b, 100, 0), 0);
    end(&b);
}

static void a_copy_keeps_them_apart(void **state)
{
    struct bench b;
    begin(&b);
    add(&b, "one ", true);
    add(&b, "two ", true);
    add(&b, "three", true);
    outq_consume(&b.queue, &b.rings, 1);
    outq_compact_each(&b.queue, b.chunks);
    assert_holds(&b, "ne two three");
    assert_int_equal(drop(&b, 0, 0), 2); /* what was begun keeps the copy */
    assert_holds(&b, "ne ");
    end(&b);
}

/* Random adds, sends and drops beside a model that is a list of whole messages. */
static void it_is_as_a_list_of_messages(void **state)
{
    enum { STEPS_N = 20000, MODEL_MAX = 100 };
    char model[MODEL_MAX][8];
    bool is_cut = false;
    size_t model_n = 0;
    unsigned number = 0;
    struct bench b;
    begin(&b);
    srandom(5);
    for (int step = 0; step < STEPS_N; step++) {
        char all[MODEL_MAX * 8] = "";
        long dice = random() % 4;
        if (dice < 2 && model_n < MODEL_MAX) {
            snprintf(model[model_n], sizeof(model[0]), "%u,", number++ % 100000);
            add(&b, model[model_n++], true);
        } else if (dice == 2 && model_n > 0) {
            size_t first = strlen(model[0]);
            size_t n = (size_t)random() % (first + 1);
            outq_consume(&b.queue, &b.rings, n);
            memmove(model[0], model[0] + n, first - n + 1);
            is_cut = is_cut || n > 0;
            if (n == first) {
                memmove(model[0], model[1], --model_n * sizeof(model[0]));
                is_cut = false;
            }
        } else if (dice == 3 && model_n > 0) {
            size_t dropped_n = (size_t)random() % (model_n / 4 + 1);
            size_t kept = is_cut;
            assert_int_equal(drop(&b, 0, model_n - dropped_n), dropped_n);
            model_n -= dropped_n;
            memmove(model[kept], model[kept + dropped_n], (model_n - kept) * sizeof(model[0]));
        }
        for (size_t i = 0; i < model_n; i++)
            strcat(all, model[i]);
        assert_holds(&b, all);
    }
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_go_until_there_is_room),
        cmocka_unit_test(what_was_begun_or_is_no_message_stays),
        cmocka_unit_test(what_a_transport_may_hold_stays),
        cmocka_unit_test(a_copy_keeps_them_apart),
        cmocka_unit_test(it_is_as_a_list_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
