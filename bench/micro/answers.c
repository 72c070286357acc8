/* How long a worker or a client library takes to read an answer about 100,000 clients. */
#include <gw/gateway.h>

#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "bench/micro/micro.h"
#include "client/reply.h"
#include "proto/phpser.h"

enum { CLIENTS_N = 100000, GROUPS_N = 1000, SESSION_BYTES = 100 };

static void put_sessions(struct buf *out)
{
    static uint8_t session[SESSION_BYTES];
    php_put_array(out, CLIENTS_N);
    for (int64_t id = 1; id <= CLIENTS_N; id++) {
        php_put_int(out, id);
        php_put_string(out, span_of(session, sizeof session));
    }
    php_put_array_end(out);
}

static void put_groups(struct buf *out)
{
    php_put_array(out, CLIENTS_N);
    for (int64_t id = 1; id <= CLIENTS_N; id++) {
        char name[24];
        php_put_int(out, id);
        php_put_array(out, 1);
        php_put_string(out, span_str("groups"));
        php_put_array(out, 1);
        int n = snprintf(name, sizeof name, "room%d", (int)id % GROUPS_N);
        php_put_string(out, span_of(name, (size_t)n));
        php_put_string(out, span_of(name, (size_t)n));
        php_put_array_end(out);
        php_put_array_end(out);
    }
    php_put_array_end(out);
}

static void read_answer(struct fanout *f, struct buf *bytes, const char *what)
{
    int err;
    struct fanout_target *t = &f->targets[0];
    t->doc = php_doc_new();
    uint64_t begin_ns = micro_now_ns();
    t->value = php_read(t->doc, buf_span(bytes), &err);
    micro_tell(what, CLIENTS_N, begin_ns, micro_now_ns());
}

int main(void)
{
    struct buf bytes = {0};
    struct fanout f = {.n = 1, .targets = mem_zalloc(sizeof *f.targets)};
    put_sessions(&bytes);
    read_answer(&f, &bytes, "sessions: decoded, per client of 100,000");
    uint64_t begin_ns = micro_now_ns();
    const void *list = reply_sessions(&f, NULL, span_of(NULL, 0));
    micro_tell("sessions: listed", CLIENTS_N, begin_ns, micro_now_ns());
    begin_ns = micro_now_ns();
    gw_result_free(list);
    php_doc_free(f.targets[0].doc);
    micro_tell("sessions: freed", CLIENTS_N, begin_ns, micro_now_ns());

    buf_clear(&bytes);
    put_groups(&bytes);
    read_answer(&f, &bytes, "groups: decoded");
    begin_ns = micro_now_ns();
    list = reply_group_clients(&f);
    micro_tell("groups: turned round", CLIENTS_N, begin_ns, micro_now_ns());
    begin_ns = micro_now_ns();
    gw_result_free(list);
    php_doc_free(f.targets[0].doc);
    micro_tell("groups: freed", CLIENTS_N, begin_ns, micro_now_ns());
}
