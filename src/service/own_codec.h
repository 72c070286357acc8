/* A module's gw_codec behind the interface of every codec. */
#ifndef SERVICE_OWN_CODEC_H
#define SERVICE_OWN_CODEC_H

#include <gw/service.h>

#include "base/buf.h"
#include "base/span.h"
#include "chan/chan.h"

/* What listeners and dialled connections are made with; own_codec finds the module's functions
 * from the conf that it is given. */
struct service_kind {
    struct chan_kind chan;
    const struct gw_codec *own; /* NULL: chan.codec is one of proto/ */
};

/* Makes the kind speak the module's codec; `codec` is filled, and outlives the kind. */
void own_codec_use(struct service_kind *kind, struct codec *codec, const struct gw_codec *own);
/* Frames a payload behind what `out` holds. */
void own_codec_encode(const struct gw_codec *own, struct buf *out, struct span payload);

#endif
