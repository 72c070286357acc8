/* What a process does right now, on a page that it shares with whoever watches it. */
#include "base/activity.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

static const char *const names[ACTIVITY_KINDS] = {
    [ACTIVITY_NONE] = "",
    [ACTIVITY_ON_START] = "on_start",
    [ACTIVITY_ON_STOP] = "on_stop",
    [ACTIVITY_ON_CONNECT] = "on_connect",
    [ACTIVITY_ON_HANDSHAKE] = "on_handshake",
    [ACTIVITY_ON_WEBSOCKET_CONNECT] = "on_websocket_connect",
    [ACTIVITY_ON_MESSAGE] = "on_message",
    [ACTIVITY_ON_REQUEST] = "on_request",
    [ACTIVITY_ON_CLOSE] = "on_close",
    [ACTIVITY_ON_BUFFER_FULL] = "on_buffer_full",
    [ACTIVITY_ON_BUFFER_DRAIN] = "on_buffer_drain",
    [ACTIVITY_TIMER] = "a timer",
};

struct activity *activity_new(void)
{
    void *at = mmap(NULL, sizeof(struct activity), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void activity_free(struct activity *a)
{
    if (a)
        munmap(a, sizeof(*a));
}

void activity_text(const struct activity *a, char out[ACTIVITY_TEXT_MAX])
{
    struct activity_note note = a->note;
    const char *name = note.kind < ACTIVITY_KINDS ? names[note.kind] : "";
    if (note.id == 0)
        snprintf(out, ACTIVITY_TEXT_MAX, "%s", name);
    else if (note.port == 0)
        snprintf(out, ACTIVITY_TEXT_MAX, "%s of connection %" PRIu64, name, note.id);
    else /* as proto/client_id.c writes it */
        snprintf(out, ACTIVITY_TEXT_MAX, "%s of client %08" PRIx32 "%04" PRIx32 "%08" PRIx32, name,
                 note.ip, note.port & UINT16_MAX, (uint32_t)note.id);
}
