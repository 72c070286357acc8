/* The web role: static files of a [web] section, the HTTP API and metrics. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "proc/role.h"

extern const struct role web_role;

#endif
