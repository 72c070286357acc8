/* Failures carry the same codes as faults, so that a caller needs one table. */
#include "web/api_tell.h"

#include <string.h>

#include "client/io.h"

/* A call that asks several times would tell of the same gateway each time. */
static bool is_told(const struct api_run *r, const char *kind, const char *name)
{
    for (size_t i = 0; i < gw_json_len(r->failures); i++)
        if (strcmp(gw_json_str(gw_json_at(r->failures, i), kind, ""), name) == 0)
            return true;
    return false;
}

void api_tell_failure(struct api_run *r, const char *kind, const char *name, int rc)
{
    if (is_told(r, kind, name))
        return;
    struct gw_json *entry = gw_json_object();
    gw_json_set_str(entry, kind, name);
    gw_json_set_str(entry, "code", api_fault_code(rc));
    gw_json_set_str(entry, "message", gw_strerror(rc));
    gw_json_append(r->failures, entry);
}

void api_tell_failures(struct api_run *r, const struct gw_failure *failures, size_t n)
{
    for (size_t i = 0; i < n; i++)
        api_tell_failure(r, "gateway", failures[i].address, failures[i].rc);
}

bool api_has_list(struct api_run *r, int rc)
{
    if (rc == 0 || rc == GW_EPARTIAL)
        return true;
    api_fault_from(&r->fault, rc);
    return false;
}

bool api_is_gone(const struct api_run *r, int rc)
{
    const struct addr_book *book = NULL;
    return rc == GW_ENOGATEWAY && r->gw->io->gateways(r->gw, &book) == 0;
}
