/* Texts for the error codes of the public interface. */
#include <gw/err.h>

#include <stddef.h>
#include <string.h>

static const struct {
    int code;
    const char *text;
} texts[] = {
    {0, "success"},
    {GW_ECLOSED, "the connection is closed"},
    {GW_EFULL, "the queue is full"},
    {GW_EPROTO, "the peer broke the protocol"},
    {GW_ETOOBIG, "larger than the limit"},
    {GW_EUTF8, "text is not valid UTF-8"},
    {GW_EAUTH, "wrong or missing secret key"},
    {GW_ETIMEOUT, "timed out"},
    {GW_ENOGATEWAY, "no gateway can be reached"},
    {GW_ENOREGISTRY, "no registry answered"},
    {GW_EBADID, "a client id is 20 hexadecimal digits"},
    {GW_EBADNAME, "a uid or group needs 1 to 255 bytes"},
    {GW_ENOTFOUND, "not found"},
    {GW_ECONF, "the configuration is wrong"},
    {GW_EPARTIAL, "only some of the gateways answered"},
    {GW_ECONTEXT, "not allowed at this place"},
    {GW_EABI, "the module was built for another version"},
    {GW_EREFUSED, "the other side refused"},
    {GW_EAWAY, "the store is away"},
};

const char *gw_strerror(int code)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].code == code)
            return texts[i].text;
    /* strerror() would share one writable buffer between threads. */
    const char *text = code < 0 && code > GW_ECLOSED ? strerrordesc_np(-code) : NULL;
    return text ? text : "unknown error";
}
