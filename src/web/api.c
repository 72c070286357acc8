/* Life of a call: routed and parsed at once, run on a coroutine of its own, answered when it ends.
 * Its number is bounded; a batch is one call, whose parts run one after the other. */
#include "web/api.h"

#include <string.h>

#include <gw/err.h>
#include <gw/json.h>

#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/api_conf.h"
#include "web/api_key.h"
#include "web/api_links.h"
#include "web/api_ops.h"
#include "web/api_route.h"
#include "web/openapi.h"

enum {
    CLOSE_MAX_MS = 1000,
    JSON_DEPTH_MAX = 64,
};

struct api {
    struct api_links links;
    const struct web_conf *conf;
    struct api_keys keys;
    struct api_limits limits;
    struct list calls; /* that run */
    struct task look;  /* whether the last call has ended, once it is closing */
    struct timer closing;
    void (*on_closed)(void *owner);
    void *owner;
};

struct api_call {
    struct list node;
    struct api *api;
    struct api_route route;
    struct gw_json *in;
    struct api_answer answer;
    uint64_t began_ms;
    bool is_starting; /* api_start() has not returned yet, and frees it when it is done by then */
    bool is_done;
    api_done_fn *on_done; /* NULL: forgotten */
    void *owner;
};

void api_answer_fini(struct api_answer *a)
{
    buf_fini(&a->lines);
    buf_fini(&a->body);
}

static void put_json(struct buf *out, const struct gw_json *json)
{
    if (json_write(out, json, GW_JSON_PLAIN) < 0)
        log_fatal("web: an answer cannot be written as JSON");
}

static void put_fault(struct api_answer *a, const struct api_fault *fault)
{
    struct gw_json *json = api_fault_json(fault);
    a->status = fault->status;
    put_json(&a->body, json);
    gw_json_free(json);
    if (fault->status == 503)
        buf_puts(&a->lines, "Retry-After: 1\r\n");
}

void api_refuse(int status, const char *code, const char *text, struct api_answer *out)
{
    struct api_fault fault;
    (void)api_fault_set(&fault, status, code, NULL, "%s", text);
    put_fault(out, &fault);
    out->is_last = true;
}

/* ---- the process ---- */

static void on_closing(struct timer *t)
{
    struct api *a = CONTAINER_OF(t, struct api, closing);
    void (*on_closed)(void *owner) = a->on_closed;
    a->on_closed = NULL;
    mesh_leave(&a->links.mesh);
    if (on_closed)
        on_closed(a->owner);
}

static void look(struct task *t)
{
    struct api *a = CONTAINER_OF(t, struct api, look);
    if (!list_is_empty(&a->calls) || gateways_up_n(&a->links.mesh.gateways) > 0)
        return;
    timer_stop(a->links.mesh.loop, &a->closing);
    on_closing(&a->closing);
}

static void look_soon(void *owner)
{
    struct api *a = owner;
    if (a->on_closed)
        loop_soon(a->links.mesh.loop, &a->look);
}

int api_open(const struct role_env *env, const struct web_conf *conf, const struct peer_tls *tls,
             struct span *credentials, struct api **out)
{
    *out = NULL;
    if (!api_conf_is_on(env->conf))
        return 0;
    struct api *a = mem_zalloc(sizeof *a);
    a->conf = conf;
    a->limits = (struct api_limits){.targets_n = (size_t)conf->api_max_targets,
                                    .results_n = (size_t)conf->api_max_results};
    a->look.run = look;
    a->closing.fire = on_closing;
    list_init(&a->calls);
    int rc = api_keys_load(&a->keys, env->conf, credentials, loop_now_ms(env->loop));
    if (rc == 0)
        rc = api_links_open(&a->links, env, conf, tls, look_soon, a);
    if (rc < 0) {
        log_error("web: the HTTP API cannot start: %s", gw_strerror(rc));
        api_keys_fini(&a->keys);
        mem_free(a);
        return rc;
    }
    *out = a;
    return 0;
}

void api_renew(struct api *a, struct span *credentials)
{
    if (a && api_keys_renew(&a->keys, credentials) < 0)
        log_warn("web: the old tokens of the HTTP API stay in use");
}

void api_close(struct api *a, void (*on_closed)(void *owner), void *owner)
{
    if (!a) {
        on_closed(owner);
        return;
    }
    if (a->on_closed || a->links.is_closing)
        return;
    a->on_closed = on_closed;
    a->owner = owner;
    api_links_close(&a->links);
    timer_start(a->links.mesh.loop, &a->closing, CLOSE_MAX_MS);
    look_soon(a);
}

/* ---- one call ---- */

static void call_free(struct api_call *c)
{
    gw_json_free(c->in);
    api_answer_fini(&c->answer);
    mem_free(c);
}

static void finish(struct api_call *c)
{
    struct api *a = c->api;
    list_remove(&c->node);
    if (c->on_done)
        c->on_done(c->owner, &c->answer);
    c->is_done = true;
    if (!c->is_starting)
        call_free(c);
    look_soon(a);
}

static int run_op(struct api_call *c, const struct api_op *op, const struct gw_json *in,
                  struct gw_json **out)
{
    return api_op_run(op, c->route.key, &c->api->links.mesh.gw, &c->api->limits, in, out);
}

/* ---- batches ---- */

static int fail_item(struct gw_json **out, int status, const char *code, const char *field,
                     const char *text)
{
    struct api_fault fault;
    (void)api_fault_set(&fault, status, code, field, "%s", text);
    *out = api_fault_json(&fault);
    return status;
}

/* An item is the arguments of a call and, beside them, its name. */
static int run_item(struct api_call *c, const struct gw_json *item, struct gw_json **out)
{
    const struct api *a = c->api;
    const char *name = gw_json_str(item, "call", NULL);
    if (gw_json_type(item) != GW_JSON_OBJECT)
        return fail_item(out, 400, "bad_json", NULL, "an object is wanted");
    if (!name)
        return fail_item(out, 400, "missing_field", "call", "call is missing");
    const struct api_op *op = api_op_find(span_str(name));
    if (!op)
        return fail_item(out, 404, "no_such_call", "call", "see /api/openapi.json");
    if (loop_now_ms(a->links.mesh.loop) - c->began_ms > a->conf->api_timeout_ms)
        return fail_item(out, 504, "timeout", NULL, "the calls before took all of the time");
    struct gw_json *in = gw_json_copy(item);
    (void)gw_json_unset(in, "call");
    int status = run_op(c, op, in, out);
    gw_json_free(in);
    return status;
}

static int run_batch(struct api_call *c, struct gw_json **out)
{
    bool is_all_well = true;
    *out = gw_json_array();
    for (size_t i = 0; i < gw_json_len(c->in); i++) {
        struct gw_json *result = NULL;
        struct gw_json *entry = gw_json_object();
        int status = run_item(c, gw_json_at(c->in, i), &result);
        is_all_well = is_all_well && status == 200;
        gw_json_set_int(entry, "status", status);
        gw_json_set(entry, "body", result);
        gw_json_append(*out, entry);
    }
    return is_all_well ? 200 : 207;
}

/* ---- running ---- */

static void run_call(void *arg)
{
    struct api_call *c = arg;
    struct gw_json *out = NULL;
    api_links_settle(&c->api->links);
    c->answer.status = c->route.place == API_PLACE_BATCH ? run_batch(c, &out)
                                                         : run_op(c, c->route.op, c->in, &out);
    if (c->answer.status == 503)
        buf_puts(&c->answer.lines, "Retry-After: 1\r\n");
    put_json(&c->answer.body, out);
    gw_json_free(out);
    finish(c);
}

/* The arguments as JSON. 0, or GW_EPROTO with the fault. */
static int read_input(struct api_call *c, const struct http_request *r, struct span body,
                      struct api_fault *fault)
{
    if (c->route.place == API_PLACE_OP && c->route.op->is_asking) {
        c->in = api_args_of_query(r->query, fault);
        return c->in ? 0 : GW_EPROTO;
    }
    char error[120];
    c->in = gw_json_parse_within(gw_bytes(body.at, body.len), body.len, JSON_DEPTH_MAX, error,
                                 sizeof error);
    if (!c->in)
        return api_fault_set(fault, 400, "bad_json", NULL, "%s", error);
    if (c->route.place != API_PLACE_BATCH)
        return 0;
    size_t n = gw_json_len(c->in);
    size_t max = (size_t)c->api->conf->api_max_batch;
    if (gw_json_type(c->in) != GW_JSON_ARRAY || n == 0)
        return api_fault_set(fault, 400, "bad_json", NULL, "a list of calls is wanted");
    if (n > max)
        return api_fault_set(fault, 400, "too_many", NULL, "%zu calls; a batch takes %zu at most",
                             n, max);
    return 0;
}

/* 0, or GW_EPROTO with the fault, before anything was done. */
static int take_place(struct api_call *c, struct api_fault *fault)
{
    struct api *a = c->api;
    bool is_batch = c->route.place == API_PLACE_BATCH;
    size_t n = is_batch ? gw_json_len(c->in) : 1;
    if (!fibers_has_room(&a->links.mesh.fibers))
        return api_fault_set(fault, 503, "busy", NULL, "%lld calls are under way",
                             (long long)a->conf->api_max_calls);
    unsigned wait_s = api_key_charge(c->route.key, n, loop_now_ms(a->links.mesh.loop));
    if (wait_s == 0)
        return 0;
    buf_printf(&c->answer.lines, "Retry-After: %u\r\n", wait_s);
    return api_fault_set(fault, 429, "too_fast", NULL, "this key makes more calls than its rate");
}

/* What needs no gateway. */
static void answer_here(struct api_call *c)
{
    c->answer.status = c->route.place == API_PLACE_PREFLIGHT ? 204 : 200;
    if (c->route.place == API_PLACE_OPENAPI)
        buf_put(&c->answer.body, openapi_json, (size_t)(openapi_json_end - openapi_json));
    finish(c);
}

static void begin(struct api_call *c, const struct http_request *r, struct span body)
{
    struct api *a = c->api;
    struct api_fault fault = {0};
    if (!api_route_find(a->conf, &a->keys, r, &c->route, &c->answer)) {
        finish(c);
    } else if (c->route.place == API_PLACE_OPENAPI || c->route.place == API_PLACE_PREFLIGHT) {
        answer_here(c);
    } else if (read_input(c, r, body, &fault) < 0 || take_place(c, &fault) < 0) {
        put_fault(&c->answer, &fault);
        finish(c);
    } else if (fibers_start(&a->links.mesh.fibers, run_call, c, NULL) < 0) {
        (void)api_fault_set(&fault, 503, "busy", NULL, "no memory for another call");
        put_fault(&c->answer, &fault);
        finish(c);
    }
}

struct api_call *api_start(struct api *a, const struct http_request *r, struct span body,
                           api_done_fn *on_done, void *owner)
{
    struct api_call *c = mem_zalloc(sizeof *c);
    c->api = a;
    c->began_ms = loop_now_ms(a->links.mesh.loop);
    c->on_done = on_done;
    c->owner = owner;
    c->is_starting = true;
    list_append(&a->calls, &c->node);
    begin(c, r, body);
    c->is_starting = false;
    if (!c->is_done)
        return c;
    call_free(c);
    return NULL;
}

void api_forget(struct api_call *c)
{
    c->on_done = NULL;
}

/* ---- at the door ---- */

bool api_serves(const struct api *a, struct span path)
{
    size_t len = strlen(API_PREFIX);
    return a && path.len >= len && memcmp(path.at, API_PREFIX, len) == 0;
}

bool api_admit(struct api *a, const struct http_request *r, struct api_answer *out)
{
    struct api_route route;
    return api_route_find(a->conf, &a->keys, r, &route, out);
}
