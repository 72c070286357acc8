/* docs/openapi.json describes every row; a test walks it. */
#include "web/api_ops.h"

#include <gw/err.h>

#include "web/api_act.h"
#include "web/api_ask.h"

static int judge_send(const struct api_args *a, struct api_fault *fault)
{
    if (!(a->given & API_ANY_MESSAGE))
        return api_fault_set(fault, 400, "missing_field", "message",
                             "message, json or base64 is missing");
    if (a->exclude.n > 0 && !(a->given & (API_ALL | API_GROUP)))
        return api_fault_set(fault, 400, "bad_field", "exclude", "goes with all or group");
    if (a->is_raw && a->is_binary)
        return api_fault_set(fault, 400, "bad_field", "binary", "raw bytes are framed already");
    return 0;
}

/* Each client joins each group: the product is what one call costs. */
static int judge_pairs(const struct api_args *a, struct api_fault *fault)
{
    size_t max = a->limits->targets_n;
    if (a->clients.n * a->groups.n <= max)
        return 0;
    return api_fault_set(fault, 400, "too_many", "group",
                         "%zu clients with %zu groups; one call takes %zu pairs at most",
                         a->clients.n, a->groups.n, max);
}

static int judge_kick(const struct api_args *a, struct api_fault *fault)
{
    if (a->is_at_once && (a->given & (API_UID | API_ANY_MESSAGE)))
        return api_fault_set(fault, 400, "bad_field", "at_once",
                             "goes with client, and leaves no time for a message");
    return 0;
}

const struct api_op api_ops[API_OPS_N] = {
    {"send",
     false,
     {.takes = API_ALL | API_GROUP | API_UID | API_CLIENT | API_EXCLUDE | API_ANY_MESSAGE |
               API_RAW | API_BINARY,
      .one_of = API_ALL | API_GROUP | API_UID | API_CLIENT},
     judge_send,
     api_act_send},
    {"bind",
     false,
     {.takes = API_CLIENT | API_UID, .needs = API_CLIENT | API_UID, .is_single_uid = true},
     NULL,
     api_act_bind},
    {"unbind", false, {.takes = API_CLIENT, .needs = API_CLIENT}, NULL, api_act_unbind},
    {"join",
     false,
     {.takes = API_CLIENT | API_GROUP, .needs = API_CLIENT | API_GROUP},
     judge_pairs,
     api_act_join},
    {"leave",
     false,
     {.takes = API_CLIENT | API_GROUP, .needs = API_CLIENT | API_GROUP},
     judge_pairs,
     api_act_leave},
    {"ungroup", false, {.takes = API_GROUP, .needs = API_GROUP}, NULL, api_act_ungroup},
    {"kick",
     false,
     {.takes = API_CLIENT | API_UID | API_ANY_MESSAGE | API_AT_ONCE,
      .one_of = API_CLIENT | API_UID},
     judge_kick,
     api_act_kick},
    {"session",
     false,
     {.takes = API_CLIENT | API_SET | API_UPDATE,
      .needs = API_CLIENT,
      .one_of = API_SET | API_UPDATE},
     NULL,
     api_act_session},
    {"online",
     true,
     {.takes = API_CLIENT | API_UID | API_GROUP | API_LIMIT,
      .at_most_one = API_CLIENT | API_UID | API_GROUP},
     NULL,
     api_ask_online},
    {"sessions", true, {.takes = API_GROUP | API_LIMIT}, NULL, api_ask_sessions},
    {"groups", true, {.takes = API_MEMBERS | API_LIMIT}, NULL, api_ask_groups},
    {"uids",
     true,
     {.takes = API_UID | API_GROUP | API_LIMIT, .at_most_one = API_UID | API_GROUP},
     NULL,
     api_ask_uids},
    {"count", true, {.takes = API_GROUP}, NULL, api_ask_count},
    {"client", true, {.takes = API_CLIENT, .needs = API_CLIENT}, NULL, api_ask_client},
};

const struct api_op *api_op_find(struct span name)
{
    for (size_t i = 0; i < API_OPS_N; i++)
        if (span_is(name, api_ops[i].name))
            return &api_ops[i];
    return NULL;
}

unsigned api_op_pos(const struct api_op *op)
{
    return (unsigned)(op - api_ops);
}

bool api_ops_named(struct span word, uint32_t *calls)
{
    bool is_all = span_is(word, "*");
    bool is_read = span_is(word, "read");
    *calls = 0;
    for (size_t i = 0; i < API_OPS_N; i++)
        if (is_all || (is_read && api_ops[i].is_asking) || span_is(word, api_ops[i].name))
            *calls |= 1U << i;
    return *calls != 0;
}

/* What a key with groups may not do: name a group that is none of them, or, where a call could name
 * one, reach clients without. Calls that know no groups are governed by `calls` alone. */
static int judge_scope(const struct api_op *op, const struct api_key *key, const struct api_args *a,
                       struct api_fault *fault)
{
    if (!api_key_may_call(key, api_op_pos(op)))
        return api_fault_set(fault, 403, "forbidden", NULL, "this key may not call %s", op->name);
    if (!api_key_is_confined(key))
        return 0;
    for (size_t i = 0; i < a->groups.n; i++)
        if (!api_key_may_group(key, span_of(a->groups.at[i].data, a->groups.at[i].len)))
            return api_fault_set(fault, 403, "forbidden", "group",
                                 "this key is not for the group %s", a->groups.texts[i]);
    if ((op->shape.takes & API_GROUP) && a->groups.n == 0)
        return api_fault_set(fault, 403, "forbidden", "group",
                             "this key reaches clients through its groups only");
    return 0;
}

static int status_of(const struct api_run *run)
{
    if (run->fault.status > 0)
        return run->fault.status;
    return gw_json_len(run->failures) > 0 ? 207 : 200;
}

int api_op_run(const struct api_op *op, const struct api_key *key, struct gw *gw,
               const struct api_limits *limits, const struct gw_json *in, struct gw_json **out)
{
    struct api_args args;
    struct api_run run = {
        .gw = gw, .key = key, .args = &args, .out = gw_json_object(), .failures = gw_json_array()};
    int rc = api_args_read(&args, in, &op->shape, limits, &run.fault);
    if (rc == 0)
        rc = judge_scope(op, key, &args, &run.fault);
    if (rc == 0 && op->judge)
        rc = op->judge(&args, &run.fault);
    if (rc == 0)
        op->run(&run);
    api_args_fini(&args);
    int status = status_of(&run);
    if (run.fault.status > 0) {
        gw_json_free(run.out);
        gw_json_free(run.failures);
        *out = api_fault_json(&run.fault);
        return status;
    }
    if (status == 207)
        gw_json_set(run.out, "failures", run.failures);
    else
        gw_json_free(run.failures);
    *out = run.out;
    return status;
}
