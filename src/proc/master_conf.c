/* The [master] section: where the server keeps its files, who it runs as, how long it waits. */
#include "proc/master_conf.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "proc/sandbox.h"

#define MASTER_KEY(key_name, key_type, field, ...)                                                 \
    {                                                                                              \
        .name = key_name, .type = key_type, .offset = offsetof(struct master_conf, field),         \
        __VA_ARGS__                                                                                \
    }

enum {
    STOP_TIMEOUT_MS = 2000,
    GRACEFUL_TIMEOUT_MS = 30000,
    READY_TIMEOUT_MS = 10000,
    PREPARE_TIMEOUT_MS = 60000,
    RESTART_DELAY_MAX_MS = 3000,
    OPEN_FILES = 1048576,
};

static const struct conf_key master_keys[] = {
    MASTER_KEY(
        "pid_file", CONF_STR, pid_file, .unit = "",
        .meaning =
            "Holds the master's pid and, by a lock on it, lets only one server run per config. "
            "Unset: var/NAME.pid beside the config file NAME.conf."),
    MASTER_KEY(
        "control_socket", CONF_STR, control_socket, .unit = "",
        .meaning =
            "Unix socket through which stop, reload, status and connections reach the master "
            "(mode 0600). Unset: pid_file with .sock for .pid."),
    MASTER_KEY("run_dir", CONF_STR, run_dir, .unit = "",
               .meaning = "Folder for sockets between processes and compiled modules (mode 0711). "
                          "Unset: pid_file with .run for .pid."),
    MASTER_KEY("log_file", CONF_STR, log_file, .unit = "",
               .meaning = "The server's log. Unset: var/NAME.log beside the config file."),
    MASTER_KEY("log_level", CONF_ENUM, log_level, .def = "info", .choices = "error|warn|info|debug",
               .unit = "", .meaning = "The least important kind of line that is written."),
    MASTER_KEY("stdout_file", CONF_STR, stdout_file, .def = "/dev/null", .unit = "",
               .meaning = "Takes what modules print, after start -d; in the foreground that goes "
                          "to the terminal."),
    MASTER_KEY("user", CONF_STR, user, .unit = "",
               .meaning = "User of the role processes; the master stays who started it (root is "
                          "needed to change)."),
    MASTER_KEY("group", CONF_STR, group, .unit = "",
               .meaning = "Group of the role processes. Unset: the user's own."),
    MASTER_KEY(
        "stop_timeout", CONF_SECONDS, stop_timeout_ms, .def = "2", .max = 3600000, .unit = "s",
        .meaning = "How long a process may take to flush and end at stop before it is killed."),
    MASTER_KEY("graceful_timeout", CONF_SECONDS, graceful_timeout_ms, .def = "30", .max = 86400000,
               .unit = "s",
               .meaning =
                   "How long processes may go on with work in hand at stop -g and after reload."),
    MASTER_KEY("ready_timeout", CONF_SECONDS, ready_timeout_ms, .def = "10", .min = 100,
               .max = 3600000, .unit = "s",
               .meaning = "How long a new process may take until it serves; past that a reload "
                          "keeps the old one."),
    MASTER_KEY("prepare_timeout", CONF_SECONDS, prepare_timeout_ms, .def = "60", .min = 1000,
               .max = 3600000, .unit = "s", .meaning = "How long compiling a module may take."),
    MASTER_KEY("restart_delay_max", CONF_SECONDS, restart_delay_max_ms, .def = "3", .max = 3600000,
               .unit = "s",
               .meaning = "A crashed process is restarted at once, then after 0.1, 0.2, 0.4 … "
                          "seconds, at most this; "
                          "after a life of 10 s at once again."),
    MASTER_KEY("open_files", CONF_INT, open_files, .def = "1048576", .min = 64, .max = 1073741824,
               .unit = "",
               .meaning =
                   "Wanted limit of open files per process; taken as far as the system allows."),
    MASTER_KEY("sandbox", CONF_ENUM, sandbox, .def = "auto", .choices = "off|auto|on|log",
               .unit = "",
               .meaning = "Filter of system calls (seccomp) for the role processes. on: a call "
                          "that is not allowed fails with EPERM, and a line in the log names it; "
                          "log: it is made, and the kernel's audit log names it; auto: on, where "
                          "the build and the kernel have it."),
};

const struct conf_table master_table = {
    .kind = "master",
    .meaning = "The process that starts, watches, reloads and stops all others.",
    .keys = master_keys,
    .keys_n = ARRAY_LEN(master_keys),
    .conf_bytes = sizeof(struct master_conf),
    .is_single = true,
};

/* What the table's defaults say, for a file without [master]; a unit test compares the two. */
static const struct master_conf no_section = {
    .log_level = LOG_INFO,
    .stdout_file = "/dev/null",
    .stop_timeout_ms = STOP_TIMEOUT_MS,
    .graceful_timeout_ms = GRACEFUL_TIMEOUT_MS,
    .ready_timeout_ms = READY_TIMEOUT_MS,
    .prepare_timeout_ms = PREPARE_TIMEOUT_MS,
    .restart_delay_max_ms = RESTART_DELAY_MAX_MS,
    .open_files = OPEN_FILES,
    .sandbox = SANDBOX_AUTO,
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static size_t stem_len(const char *name, const char *suffix)
{
    size_t len = strlen(name), cut = strlen(suffix);
    return len > cut && strcmp(name + len - cut, suffix) == 0 ? len - cut : len;
}

/* prefix + from without old_suffix + new_suffix, as conf_path() places it. */
static const char *beside(struct conf *c, const char *prefix, const char *from,
                          const char *old_suffix, const char *new_suffix, char **owned)
{
    struct buf path = {0};
    buf_puts(&path, prefix);
    buf_put(&path, from, stem_len(from, old_suffix));
    buf_puts(&path, new_suffix);
    *owned = mem_strdup(conf_path(c, buf_cstr(&path)));
    buf_fini(&path);
    return *owned;
}

void master_conf_fill(struct conf *c, const char *conf_file, struct master_conf *out)
{
    *out = no_section;
    if (!c)
        return;
    for (size_t i = 0; i < conf_sections_n(c); i++)
        if (conf_section_at(c, i)->table == &master_table)
            memcpy(out, conf_section_at(c, i)->conf, sizeof *out);
    const char *name = base_name(conf_file);
    char **owned = out->owned;
    out->pid_file = out->pid_file ? conf_path(c, out->pid_file)
                                  : beside(c, "var/", name, ".conf", ".pid", &owned[0]);
    out->log_file = out->log_file ? conf_path(c, out->log_file)
                                  : beside(c, "var/", name, ".conf", ".log", &owned[1]);
    out->control_socket = out->control_socket
                              ? conf_path(c, out->control_socket)
                              : beside(c, "", out->pid_file, ".pid", ".sock", &owned[2]);
    out->run_dir = out->run_dir ? conf_path(c, out->run_dir)
                                : beside(c, "", out->pid_file, ".pid", ".run", &owned[3]);
    out->stdout_file = conf_path(c, out->stdout_file);
}

void master_conf_fini(struct master_conf *m)
{
    for (size_t i = 0; i < ARRAY_LEN(m->owned); i++) {
        mem_free(m->owned[i]);
        m->owned[i] = NULL;
    }
}

void master_conf_default_socket(const char *conf_file, struct buf *out)
{
    const char *name = base_name(conf_file);
    buf_clear(out);
    buf_put(out, conf_file, (size_t)(name - conf_file));
    buf_puts(out, "var/");
    buf_put(out, name, stem_len(name, ".conf"));
    buf_puts(out, ".sock");
}
