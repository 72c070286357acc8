/* The web role: serves the static files of a [web] section. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "proc/role.h"

extern const struct role web_role;

#endif
