/* What calls of the HTTP API have in common when they tell what became of them. */
#ifndef WEB_API_TELL_H
#define WEB_API_TELL_H

#include <stdbool.h>

#include <gw/gateway.h>

#include "web/api_ops.h"

/* Adds {KIND: name, "code": …, "message": …} to the failures; kind is "gateway", "client"… */
void api_tell_failure(struct api_run *r, const char *kind, const char *name, int rc);
void api_tell_failures(struct api_run *r, const struct gw_failure *failures, size_t n);
/* True when there is a list to take; else the fault is set. */
bool api_has_list(struct api_run *r, int rc);
/* Whether an error means that a client id names a gateway that is not there, among others that are:
 * then its client is not there either. */
bool api_is_gone(const struct api_run *r, int rc);

#endif
