/* How a service ends: its connections go on for a while, are told goodbye, then on_stop. */
#ifndef SERVICE_ENDING_H
#define SERVICE_ENDING_H

#include "service/self.h"

void ending_init(struct service *s);
void ending_drain(struct service *s);
void ending_stop(struct service *s);
void ending_link_down(struct service *s); /* told by the mesh */

#endif
