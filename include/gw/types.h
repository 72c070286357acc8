/* Small types that every header of Gatehouse shares. */
#ifndef GW_TYPES_H
#define GW_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where calls go: the worker that runs the module, or the cluster that gw_open() connected to. */
struct gw;

/* Bytes with a length: messages, uids, group names. Not NUL-terminated unless a call says so. */
struct gw_bytes {
    const char *data;
    size_t len;
};

/* A C string as bytes: gw_send_to_group(gw, gw_str("lobby"), gw_str("hello")). */
static inline struct gw_bytes gw_str(const char *text)
{
    struct gw_bytes b = {text, text ? strlen(text) : 0};
    return b;
}

static inline struct gw_bytes gw_bytes(const void *data, size_t len)
{
    struct gw_bytes b = {(const char *)data, len};
    return b;
}

enum { GW_CLIENT_ID_LEN = 20, GW_NAME_MAX = 255 };

#ifdef __cplusplus
}
#endif
#endif
