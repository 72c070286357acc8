/* The log: one line per event, written for a person. One of two process-wide states we allow. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Opens (creating it, 0640) the file; NULL means stderr only. Lines also go to stderr while
 * is_echoing. Format: "2026-11-20 12:00:00 pid:123 gateway chat #0: text". Returns 0 or -errno. */
int log_open(const char *path, enum log_level level, bool is_echoing) NODISCARD;
/* Such a file for another purpose: made when it is missing, to be appended to. Of links it follows
 * those that root or this user made. The descriptor or -errno, -ELOOP for another user's link. */
int log_open_file(const char *path) NODISCARD;
int log_give(uid_t uid, gid_t gid) NODISCARD; /* makes the open file that user's; 0 or -errno */
int log_reopen(void); /* after rotation; keeps the old file on failure and returns -errno */
/* What is written behind the pid, e.g. "gateway chat #0"; copied; "" for none. */
void log_set_who(const char *who);
void log_set_level(enum log_level level);
void log_set_echo(bool is_echoing);

/* errno is left as it was. A full disk loses lines, never the process; lost lines are counted
 * and told when writing works again. */
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3) COLD;
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* For what a peer can cause at will: at most one line per second and place, with a count of the
 * lines held back. Zero-initialised static storage at the place of the call. */
struct log_rate {
    uint64_t last_ms;
    uint64_t held_n;
};
void log_limited(struct log_rate *rate, enum log_level level, const char *fmt, ...)
    PRINTF_LIKE(3, 4) COLD;

/* Logs and aborts: a broken invariant of ours. */
void log_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN COLD;

#endif
