/* Session values of a client: kept by its gateway, so that they survive reloads and worker changes. */
#ifndef GW_SESSION_H
#define GW_SESSION_H

#include <gw/err.h>
#include <gw/json.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* $_SESSION: a map from names to values as PHP serializes them (64 KiB suggested at most). Inside a
 * callback client->session can be read and changed; what changed is written to the gateway when the
 * callback returns. In query results a session is read-only (changes are refused with GW_ECONTEXT).
 * No call here suspends. Names are C strings. */
struct gw_session;

/* Text (NUL-terminated, borrowed until the value changes or the session is gone); numbers are given
 * as text too. `def` when absent or an array. */
GW_API const char *gw_session_str(const struct gw_session *s, const char *name, const char *def);
/* The same with its length, for bytes with NULs; {NULL, 0} when absent. */
GW_API struct gw_bytes gw_session_bytes(const struct gw_session *s, const char *name);
GW_API int64_t gw_session_int(const struct gw_session *s, const char *name, int64_t def);
GW_API double gw_session_real(const struct gw_session *s, const char *name, double def);
GW_API bool gw_session_bool(const struct gw_session *s, const char *name, bool def);
GW_API bool gw_session_has(const struct gw_session *s, const char *name);
GW_API size_t gw_session_len(const struct gw_session *s);
/* The whole map or one value (NULL: the whole) as JSON; free with gw_free(); NULL when absent or not
 * expressible. */
GW_API char *gw_session_json(const struct gw_session *s, const char *name);

/* 0, GW_ECONTEXT (read-only or no session), GW_EBADNAME (no name), GW_ETOOBIG (above 4 MiB; the
 * gateway's max_session_bytes holds for the whole). Values are copied. */
GW_API int gw_session_set_str(struct gw_session *s, const char *name, const char *value);
GW_API int gw_session_set_bytes(struct gw_session *s, const char *name, struct gw_bytes value);
GW_API int gw_session_set_int(struct gw_session *s, const char *name, int64_t value);
GW_API int gw_session_set_real(struct gw_session *s, const char *name, double value);
GW_API int gw_session_set_bool(struct gw_session *s, const char *name, bool value);
/* Any JSON value, arrays and maps included; GW_EPROTO when the text is not JSON. */
GW_API int gw_session_set_json(struct gw_session *s, const char *name, const char *json);
GW_API int gw_session_unset(struct gw_session *s, const char *name); /* absent is fine */
GW_API int gw_session_clear(struct gw_session *s);

#ifdef __cplusplus
}
#endif
#endif
