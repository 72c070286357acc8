/* What a server holds besides its processes: pid file, log, run folder, ports, control socket. */
#include "proc/premises.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/log.h"
#include "net/sock.h"
#include "proc/builder.h"
#include "proc/pidfile.h"

static const struct conf_section *master_section(const struct conf *c)
{
    for (size_t i = 0; i < conf_sections_n(c); i++)
        if (conf_section_at(c, i)->table == &master_table)
            return conf_section_at(c, i);
    return NULL;
}

void premises_complain(const struct premises *p, const char *key, const char *value,
                       const char *what, struct buf *errors)
{
    const struct conf_section *s = master_section(p->fleet->conf);
    buf_printf(errors, "%s: [master] %s: \"%s\": %s\n",
               s ? conf_where(p->fleet->conf, s, key) : p->conf_file, key, value, what);
}

static const char *hint(int rc)
{
    switch (rc) {
    case -EACCES:
    case -EPERM:
    case -EROFS:
        return "no permission to write there; write a path that this user may write to";
    case -ENOENT:
    case -ENOTDIR:
        return "its folder cannot be made; write another path";
    case -ENAMETOOLONG:
        return "a unix socket's path has 107 bytes at most; write a shorter one";
    case -ELOOP:
        return "it is a link that another user made; remove it or write another path";
    case -EADDRINUSE:
        return "another program uses it, or it is no socket; remove it or write another path";
    default:
        return gw_strerror(rc);
    }
}

static int complain_path(const struct premises *p, const char *key, const char *path, int rc,
                         struct buf *errors)
{
    premises_complain(p, key, path, hint(rc), errors);
    return rc;
}

int premises_make_run_dir(const struct premises *p, struct buf *errors)
{
    const char *path = p->fleet->settings->run_dir;
    int rc = pidfile_make_folder(path, 0755);
    if (rc == 0 && mkdir(path, 0711) < 0 && errno != EEXIST)
        rc = -errno;
    if (rc == 0)
        rc = privileges_give(p->fleet->privileges, path);
    return rc < 0 ? complain_path(p, "run_dir", path, rc, errors) : 0;
}

static int open_log(struct premises *p, struct buf *errors)
{
    const struct master_conf *settings = p->fleet->settings;
    const char *path = settings->log_file;
    struct stat before;
    int rc = pidfile_make_folder(path, 0755);
    p->log_offset = stat(path, &before) == 0 ? before.st_size : 0;
    if (rc == 0)
        rc = log_open(path, (enum log_level)settings->log_level, true);
    if (rc == 0)
        rc = privileges_give_log(p->fleet->privileges);
    return rc < 0 ? complain_path(p, "log_file", path, rc, errors) : 0;
}

static int take_pid_file(struct premises *p, struct buf *errors)
{
    const char *path = p->fleet->settings->pid_file;
    pid_t holder = 0;
    int fd = pidfile_open(path, &holder);
    if (fd == -EEXIST) {
        buf_printf(errors, "%s: already running (pid %d)\n", p->fleet->conf_name, (int)holder);
        return fd;
    }
    if (fd < 0)
        return complain_path(p, "pid_file", path, fd, errors);
    p->pid_fd = fd;
    /* At once: commands show it while modules are built, and what a killed server left names a
     * stranger. A server that leaves the terminal writes its new one. */
    int rc = pidfile_write(fd, getpid());
    return rc < 0 ? complain_path(p, "pid_file", path, rc, errors) : 0;
}

static int listen_ctl(struct premises *p, struct buf *errors)
{
    const char *path = p->fleet->settings->control_socket;
    int fd = pidfile_make_folder(path, 0755);
    if (fd == 0)
        fd = sock_listen_unix(path, 0600);
    if (fd < 0)
        return complain_path(p, "control_socket", path, fd, errors);
    p->ctl_fd = fd;
    return 0;
}

/* Below that a chat server runs into its limit on an ordinary day. */
enum { FILES_FEW = 4096 };

static void report_files(const struct fleet *f, unsigned long files)
{
    unsigned long wanted = (unsigned long)f->settings->open_files;
    if (files >= wanted)
        log_info("each process may open %lu files", files);
    else
        log_write(files < FILES_FEW ? LOG_WARN : LOG_INFO,
                  "each process may open %lu files, not the %lu of open_files: the system's hard "
                  "limit is lower; raise it with ulimit -Hn (LimitNOFILE in systemd) and "
                  "fs.nr_open. A client takes one",
                  files, wanted);
}

/* The kernel cuts every backlog to that, silently (listen(2)). */
static void report_backlog(void)
{
    int most = sock_backlog_max();
    if (most > 0 && most < SOMAXCONN)
        log_info("the kernel lets %d connections of a port wait to be accepted, not %d; raise "
                 "net.core.somaxconn for storms of new ones",
                 most, SOMAXCONN);
}

int premises_take(struct premises *p, struct buf *errors)
{
    struct fleet *f = p->fleet;
    unsigned long files = 0;
    int rc = take_pid_file(p, errors);
    if (rc == 0)
        rc = open_log(p, errors);
    if (rc == 0)
        rc = premises_make_run_dir(p, errors);
    if (rc == 0)
        rc = builder_run_all(f, errors);
    bool has_files = sock_raise_files((unsigned long)f->settings->open_files, &files) == 0;
    if (rc == 0)
        rc = group_bind_all(f->groups, f->groups_n, f->conf, errors);
    if (rc == 0)
        rc = listen_ctl(p, errors);
    if (rc == 0 && has_files)
        report_files(f, files);
    if (rc == 0)
        report_backlog();
    return rc;
}

void premises_release(struct premises *p)
{
    const struct master_conf *settings = p->fleet->settings;
    fleet_fini(p->fleet);
    if (p->ctl_fd >= 0) {
        close(p->ctl_fd);
        unlink(settings->control_socket);
    }
    if (p->pid_fd >= 0)
        rmdir(settings->run_dir); /* stays when a role left files there */
    pidfile_close(settings->pid_file, p->pid_fd, true);
    p->pid_fd = p->ctl_fd = -1;
}
