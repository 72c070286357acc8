/* Media types of files, by the ending of their names. */
#ifndef WEB_MIME_H
#define WEB_MIME_H

#include "base/span.h"

/* The value for Content-Type, text types with their charset. Never NULL: what is not known is
 * "application/octet-stream". */
const char *mime_type(struct span path);

#endif
