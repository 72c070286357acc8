/* docs/openapi.json, as it was when the server was built. */
#ifndef WEB_OPENAPI_H
#define WEB_OPENAPI_H

extern const char openapi_json[];
extern const char openapi_json_end[];

#endif
