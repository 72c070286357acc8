/* Questions to gateways that NATS leads to, over a bus that the test is: which answer is whose. */
#include "mesh/beyond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/command.h"
#include "cluster/bus.h"
#include "cluster/cluster_conf.h"
#include "cluster/envelope.h"
#include "support/tmpdir.h"

enum { STACK_BYTES = 64 * 1024, NUMBERS_N = UINT16_MAX };

static const struct gateway_at far_one = {.ip = 0x0a000001, .port = 2300};

/* ---- the bus ---- */

struct bus {
    const struct bus_events *events;
    void *owner;
    uint32_t question; /* of what was published last */
};

static struct bus the_bus;

struct bus *bus_open(struct loop *loop, const struct nats_conf *conf,
                     const struct bus_events *events, void *owner)
{
    the_bus = (struct bus){.events = events, .owner = owner};
    return &the_bus;
}

void bus_close(struct bus *b)
{
}

int bus_publish(struct bus *b, const char *subject, const char *reply, struct span data)
{
    struct envelope e;
    assert_true(envelope_read(data, &e));
    b->question = e.question;
    return 0;
}

void bus_subscribe(struct bus *b, const char *subject)
{
}

void bus_unsubscribe(struct bus *b, const char *subject)
{
}

bool bus_is_up(const struct bus *b)
{
    return true;
}

bool bus_is_full(struct bus *b)
{
    return false;
}

bool bus_is_flushed(struct bus *b)
{
    return true;
}

void bus_pause(struct bus *b)
{
}

void bus_resume(struct bus *b)
{
}

void bus_status(struct bus *b, struct role_status *out)
{
}

static void bring(const struct envelope *e, struct span rest)
{
    struct buf text = {0};
    envelope_put(&text, e);
    buf_put_span(&text, rest);
    the_bus.events->on_message(the_bus.owner, "", buf_span(&text));
    buf_fini(&text);
}

static void answer(uint32_t question, const char *value)
{
    struct wire_packet p = command_of(CMD_REPLY);
    struct buf packet = {0};
    p.body = span_str(value);
    wire_put(&packet, &p);
    bring(&(struct envelope){.kind = ENVELOPE_ANSWER, .question = question, .at = far_one},
          buf_span(&packet));
    buf_fini(&packet);
}

/* ---- who asks ---- */

struct scene {
    struct tmpdir dir;
    struct conf *conf;
    struct loop *loop;
    struct fibers fibers;
    struct gateways gateways;
    struct beyond *beyond;
};

struct asker {
    struct scene *scene;
    uint32_t question;
    int rc;
    char value[16];
};

static void ask(void *arg)
{
    struct asker *a = arg;
    struct fanout_target target = {.at = far_one};
    struct fanout f = {.targets = &target, .n = 1};
    struct wire_packet p = command_of(CMD_IS_ONLINE);
    struct query q;
    query_init(&q, a->scene->loop, &a->scene->fibers);
    beyond_ask(a->scene->beyond, &p, &q, &f);
    a->question = the_bus.question;
    query_wait(&q);
    a->rc = target.rc;
    snprintf(a->value, sizeof a->value, "%s", target.answer.len ? buf_cstr(&target.answer) : "");
    buf_fini(&target.answer);
}

static void start(struct scene *s, struct asker *a)
{
    *a = (struct asker){.scene = s};
    assert_int_equal(fibers_start(&s->fibers, ask, a, NULL), 0);
}

static void open_scene(struct scene *s)
{
    static const struct conf_table *const tables[] = {&cluster_table};
    static const struct role role = {.kind = "worker"};
    static const struct conf_section section = {.name = "test"};
    static const struct gateways_conf links;
    struct buf errors = {0};
    *s = (struct scene){.dir = tmpdir_make(), .loop = loop_new()};
    const char *file =
        tmpdir_write(&s->dir, "test.conf", "[cluster]\nnats = nats://127.0.0.1:4222\n");
    if (conf_load(file, tables, ARRAY_LEN(tables), &errors, &s->conf) < 0)
        fail_msg("%s", buf_cstr(&errors));
    const struct role_env env = {
        .loop = s->loop, .conf = s->conf, .role = &role, .section = &section};
    assert_int_equal(fibers_init(&s->fibers, STACK_BYTES, 4), 0);
    gateways_init(&s->gateways, &links, NULL, NULL);
    s->beyond = beyond_new(&env, &s->gateways, &s->fibers);
    assert_non_null(s->beyond);
    bring(&(struct envelope){.kind = ENVELOPE_HERE, .at = far_one, .life = 1}, span_str("host"));
}

static void close_scene(struct scene *s)
{
    assert_int_equal(fibers_alive_n(&s->fibers), 0);
    beyond_end(s->beyond);
    assert_true(loop_turn(s->loop, 0) >= 0);
    idmap_free(s->gateways.up);
    fibers_fini(&s->fibers);
    loop_free(s->loop);
    conf_free(s->conf);
    tmpdir_remove(&s->dir);
}

/* ---- tests ---- */

static void answers_find_their_questions(void **state)
{
    struct scene s;
    struct asker first, second;
    open_scene(&s);
    start(&s, &first);
    start(&s, &second);
    answer(second.question, "i:2;");
    answer(first.question, "i:1;");
    assert_int_equal(first.rc, 0);
    assert_string_equal(first.value, "i:1;");
    assert_string_equal(second.value, "i:2;");
    close_scene(&s);
}

/* The numbers come round while the gateway still owes the first answer. */
static void a_question_keeps_its_number(void **state)
{
    struct scene s;
    struct asker first, other;
    open_scene(&s);
    start(&s, &first);
    for (int i = 0; i < NUMBERS_N; i++) {
        start(&s, &other);
        answer(other.question, "i:2;");
        assert_string_equal(other.value, "i:2;");
    }
    answer(first.question, "i:1;");
    assert_string_equal(first.value, "i:1;");
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_find_their_questions),
        cmocka_unit_test(a_question_keeps_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
