/* Processes that do not answer: noticed, named by the callback that they sit in, killed if asked.
 */
#include "proc/stuck.h"

#include <inttypes.h>
#include <signal.h>

#include "base/log.h"
#include "proc/fleet.h"
#include "proc/process.h"

enum { REPORT_LOOKS_N = 3 };

static bool is_elsewhere(struct process *p)
{
    uint32_t serial = p->activity ? activity_serial(p->activity) : 0;
    bool is_other = serial != p->seen_serial;
    p->seen_serial = serial;
    return is_other;
}

/* "on_message of client …", or what stands for it. */
static const char *place_of(const struct process *p, char text[ACTIVITY_TEXT_MAX])
{
    text[0] = '\0';
    if (p->activity)
        activity_text(p->activity, text);
    return text[0] ? text : "code of the server or a stopped process";
}

static void report(const struct process *p, uint64_t limit_s)
{
    char who[192], place[ACTIVITY_TEXT_MAX];
    if (limit_s > 0)
        log_warn("%s (pid %d) is stuck in %s for %u s and serves nobody; after %" PRIu64
                 " s (stuck_timeout) it is killed",
                 process_who(p, who), (int)p->pid, place_of(p, place), p->silent_n, limit_s);
    else
        log_warn("%s (pid %d) is stuck in %s for %u s and serves nobody; with stuck_timeout in its "
                 "section it would be killed and started again",
                 process_who(p, who), (int)p->pid, place_of(p, place), p->silent_n);
}

static void end(struct process *p)
{
    char who[192], place[ACTIVITY_TEXT_MAX];
    log_error("%s (pid %d) is killed: stuck in %s for %u s (stuck_timeout)", process_who(p, who),
              (int)p->pid, place_of(p, place), p->silent_n);
    if (p->is_leaving)
        process_kill(p);
    else
        kill(p->pid, SIGKILL); /* to the fleet this is a crash */
}

void stuck_look(struct process *p)
{
    uint64_t limit_s = (p->slot->group->stuck_timeout_ms + 999) / 1000;
    bool is_other = is_elsewhere(p);
    if (!p->is_asked || is_other) {
        p->silent_n = 0;
        return;
    }
    p->silent_n++;
    if (p->silent_n == REPORT_LOOKS_N && limit_s != REPORT_LOOKS_N)
        report(p, limit_s);
    if (limit_s > 0 && p->silent_n == limit_s)
        end(p);
}
