/* The codes are part of the interface: docs/openapi.json lists them. */
#include "web/api_fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#include "base/utf8.h"

static const struct {
    int rc;
    int status;
    const char *code;
} errors[] = {
    {GW_ENOGATEWAY, 503, "no_gateway"}, {GW_ENOREGISTRY, 503, "no_gateway"},
    {GW_ECLOSED, 503, "gateway_lost"},  {GW_EFULL, 503, "gateway_busy"},
    {GW_ETIMEOUT, 504, "timeout"},      {GW_ETOOBIG, 413, "too_large"},
    {GW_EPROTO, 502, "bad_answer"},     {GW_EPARTIAL, 502, "partial"},
    {GW_EBADID, 400, "bad_field"},      {GW_EBADNAME, 400, "bad_field"},
    {GW_EUTF8, 400, "bad_field"},
};

static void make_text(char *text)
{
    if (utf8_is_valid(span_str(text)))
        return;
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            *text = '?';
}

int api_fault_set(struct api_fault *f, int status, const char *code, const char *field,
                  const char *fmt, ...)
{
    va_list args;
    f->status = status;
    f->code = code;
    snprintf(f->field, sizeof f->field, "%s", field ? field : "");
    va_start(args, fmt);
    vsnprintf(f->message, sizeof f->message, fmt, args);
    va_end(args);
    make_text(f->field); /* a name may have been cut within a character */
    make_text(f->message);
    return GW_EPROTO;
}

const char *api_fault_code(int rc)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (errors[i].rc == rc)
            return errors[i].code;
    return "internal";
}

void api_fault_from(struct api_fault *f, int rc)
{
    int status = 500;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (errors[i].rc == rc)
            status = errors[i].status;
    (void)api_fault_set(f, status, api_fault_code(rc), NULL, "%s", gw_strerror(rc));
}

struct gw_json *api_fault_json(const struct api_fault *f)
{
    struct gw_json *error = gw_json_object();
    struct gw_json *out = gw_json_object();
    gw_json_set_str(error, "code", f->code);
    if (f->field[0] != '\0')
        gw_json_set_str(error, "field", f->field);
    gw_json_set_str(error, "message", f->message);
    gw_json_set(out, "error", error);
    return out;
}
