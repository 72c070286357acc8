/* A gateway that fails costs its own share: what the others did is told beside the failures. */
#include "web/api_act.h"

#include <gw/gateway.h>

#include "web/api_ops.h"
#include "web/api_tell.h"

/* ---- sending ---- */

static int send_as_asked(struct api_run *r, const struct gw_receipt **receipt)
{
    const struct api_args *a = r->args;
    struct gw_bytes message =
        gw_bytes(a->message.len > 0 ? (const char *)a->message.at : "", a->message.len);
    struct gw_send how = {.is_binary = a->is_binary,
                          .is_raw = a->is_raw,
                          .exclude_ids = (const char *const *)a->exclude.texts,
                          .exclude_n = a->exclude.n,
                          .receipt = receipt};
    if (a->clients.n == 1)
        return gw_send_to_client_with(r->gw, a->clients.texts[0], message, &how);
    if (a->uids.n > 0)
        return gw_send_to_uids(r->gw, a->uids.at, a->uids.n, message, &how);
    if (a->groups.n > 0)
        return gw_send_to_groups(r->gw, a->groups.at, a->groups.n, message, &how);
    how.only_ids = (const char *const *)a->clients.texts;
    how.only_n = a->clients.n;
    return gw_send_to_all(r->gw, message, &how);
}

static void tell_deliveries(struct api_run *r, const struct gw_receipt *receipt)
{
    struct gw_json *list = gw_json_array();
    for (size_t i = 0; receipt && i < receipt->n; i++) {
        const struct gw_delivery *d = &receipt->gateways[i];
        if (d->rc < 0) {
            api_tell_failure(r, "gateway", d->address, d->rc);
            continue;
        }
        struct gw_json *entry = gw_json_object();
        gw_json_set_str(entry, "gateway", d->address);
        if (d->receivers >= 0)
            gw_json_set_int(entry, "receivers", d->receivers);
        else
            gw_json_set_null(entry, "receivers"); /* one of the original, which does not count */
        gw_json_append(list, entry);
    }
    gw_json_set_int(r->out, "receivers", receipt ? (int64_t)receipt->receivers : 0);
    gw_json_set(r->out, "gateways", list);
}

void api_act_send(struct api_run *r)
{
    const struct gw_receipt *receipt = NULL;
    int rc = send_as_asked(r, &receipt);
    if (rc < 0 && rc != GW_EPARTIAL && !api_is_gone(r, rc))
        api_fault_from(&r->fault, rc);
    else
        tell_deliveries(r, receipt);
    gw_result_free(receipt);
}

/* ---- one client after the other ---- */

struct tally {
    int64_t applied_n;
    size_t failed_n;
    int first_rc;
    struct gw_json *missing;
};

/* rc: 1 done, 0 or a gateway that nobody knows: there is no such client. */
static void count_client(struct api_run *r, struct tally *t, const char *id, int rc)
{
    if (rc > 0) {
        t->applied_n++;
    } else if (rc == 0 || api_is_gone(r, rc)) {
        gw_json_append(t->missing, gw_json_from_str(id));
    } else {
        api_tell_failure(r, "client", id, rc);
        if (t->failed_n++ == 0)
            t->first_rc = rc;
    }
}

static void tell_tally(struct api_run *r, struct tally *t, const char *field)
{
    size_t missing_n = gw_json_len(t->missing);
    gw_json_set_int(r->out, "applied", t->applied_n);
    gw_json_set(r->out, "missing", t->missing);
    if (t->applied_n > 0)
        return;
    if (t->failed_n > 0)
        api_fault_from(&r->fault, t->first_rc);
    else if (missing_n > 0)
        (void)api_fault_set(&r->fault, 404, "not_found", field,
                            missing_n == 1 ? "nobody has it" : "nobody has any of them");
}

typedef int act_fn(struct api_run *r, const char *id);

static void each_client(struct api_run *r, act_fn *act)
{
    const struct api_names *clients = &r->args->clients;
    struct tally t = {.missing = gw_json_array()};
    for (size_t i = 0; i < clients->n; i++) {
        int rc = act(r, clients->texts[i]);
        if (rc == 0)
            rc = gw_is_online(r->gw, clients->texts[i]);
        count_client(r, &t, clients->texts[i], rc);
    }
    tell_tally(r, &t, "client");
}

static int bind_one(struct api_run *r, const char *id)
{
    return gw_bind_uid(r->gw, id, r->args->uids.at[0]);
}

static int unbind_one(struct api_run *r, const char *id)
{
    return gw_unbind_uid(r->gw, id);
}

static int join_one(struct api_run *r, const char *id)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->args->groups.n; i++)
        rc = gw_join_group(r->gw, id, r->args->groups.at[i]);
    return rc;
}

static int leave_one(struct api_run *r, const char *id)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->args->groups.n; i++)
        rc = gw_leave_group(r->gw, id, r->args->groups.at[i]);
    return rc;
}

static int write_session(struct api_run *r, const char *id)
{
    const char *json = (const char *)r->args->session.at;
    return r->args->given & API_SET ? gw_set_session(r->gw, id, json)
                                    : gw_update_session(r->gw, id, json);
}

void api_act_bind(struct api_run *r)
{
    each_client(r, bind_one);
}

void api_act_unbind(struct api_run *r)
{
    each_client(r, unbind_one);
}

void api_act_join(struct api_run *r)
{
    each_client(r, join_one);
}

void api_act_leave(struct api_run *r)
{
    each_client(r, leave_one);
}

void api_act_session(struct api_run *r)
{
    each_client(r, write_session);
}

/* ---- farewells ---- */

static struct gw_bytes farewell(const struct api_args *a)
{
    if (!(a->given & API_ANY_MESSAGE))
        return gw_bytes(NULL, 0);
    return gw_bytes(a->message.len > 0 ? (const char *)a->message.at : "", a->message.len);
}

/* Asked for before, since it is gone afterwards. */
static int kick_one(struct api_run *r, const char *id)
{
    int rc = gw_is_online(r->gw, id);
    if (rc <= 0)
        return rc;
    int sent = r->args->is_at_once ? gw_destroy_client(r->gw, id)
                                   : gw_close_client(r->gw, id, farewell(r->args));
    return sent < 0 ? sent : 1;
}

static void kick_uids(struct api_run *r)
{
    const struct api_names *uids = &r->args->uids;
    struct tally t = {.missing = gw_json_array()};
    for (size_t i = 0; i < uids->n; i++) {
        int rc = gw_close_uid(r->gw, uids->at[i], farewell(r->args));
        if (rc > 0) {
            t.applied_n += rc;
        } else if (rc == 0) {
            gw_json_append(t.missing, gw_json_from_strn(uids->at[i]));
        } else {
            api_tell_failure(r, "uid", uids->texts[i], rc);
            if (t.failed_n++ == 0)
                t.first_rc = rc;
        }
    }
    /* Some of a uid's clients may be gone now although a gateway did not answer. */
    if (t.first_rc == GW_EPARTIAL && t.applied_n == 0) {
        gw_json_set_int(r->out, "applied", 0);
        gw_json_set(r->out, "missing", t.missing);
        return;
    }
    tell_tally(r, &t, "uid");
}

void api_act_kick(struct api_run *r)
{
    const struct api_names *clients = &r->args->clients;
    if (r->args->given & API_UID) {
        kick_uids(r);
        return;
    }
    struct tally t = {.missing = gw_json_array()};
    for (size_t i = 0; i < clients->n; i++)
        count_client(r, &t, clients->texts[i], kick_one(r, clients->texts[i]));
    tell_tally(r, &t, "client");
}

/* ---- whole groups ---- */

/* Their counts are asked for behind the commands, to know who has done it. */
void api_act_ungroup(struct api_run *r)
{
    const struct api_names *groups = &r->args->groups;
    const struct gw_name_count_list *left = NULL;
    int rc = 0;
    for (size_t i = 0; i < groups->n && (rc == 0 || rc == GW_EPARTIAL); i++)
        rc = gw_ungroup(r->gw, groups->at[i]);
    if (rc < 0 && rc != GW_EPARTIAL) {
        api_fault_from(&r->fault, rc);
        return;
    }
    rc = gw_get_client_counts_by_groups(r->gw, groups->at, groups->n, &left);
    if (!api_has_list(r, rc))
        return;
    api_tell_failures(r, left->failures, left->failures_n);
    gw_result_free(left);
    gw_json_set_int(r->out, "applied", (int64_t)groups->n);
    gw_json_set(r->out, "missing", gw_json_array());
}
