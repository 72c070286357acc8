/* web/gatehouse.js, as it was when the server was built. */
#ifndef WEB_GATEHOUSE_JS_H
#define WEB_GATEHOUSE_JS_H

extern const char gatehouse_js[];
extern const char gatehouse_js_end[];

#endif
