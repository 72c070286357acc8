/* What the files of an uplink share: its life, what comes, what is sent. */
#ifndef MESH_UPLINK_INTERNAL_H
#define MESH_UPLINK_INTERNAL_H

#include "mesh/uplink.h"

/* uplink_input.c: a packet came, as chan_events.on_message(). */
void uplink_input(struct chan *ch, void *owner, const struct codec_event *ev);

/* uplink_send.c */
void uplink_tell_init(struct uplink *u);
void uplink_tell_stop(struct uplink *u);
void uplink_tell_now(struct uplink *u); /* CMD_DONE, when there is something to tell */
void uplink_ping(struct uplink *u);
void uplink_resume_stalled(struct uplink *u); /* those in uplink_make_room() look again */

/* uplink.c: it said something; from now on its silence means something. */
void uplink_hear(struct uplink *u);
void uplink_watch_pulse(struct uplink *u);

#endif
