/* run_dir/NAME-SERIAL.so: written under another name, loaded once, then renamed. Whatever is wrong
 * with a module is found here, before any process that serves is touched. */
#include "module/build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/vec.h"

enum { ARTIFACTS_KEPT = 3 };

extern char **environ;

/* ---- the compiler ---- */

/* Beside the program: build/gatehouse has the tree's include, PREFIX/bin/gatehouse PREFIX/include.
 * 0 or -errno, and a line that says what to do. */
static int find_headers(struct buf *out)
{
    const char *set = getenv("GATEHOUSE_INCLUDE");
    char exe[PATH_MAX];

    if (set && set[0] != '\0')
        buf_puts(out, set);
    else {
        ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
        if (len < 0) {
            int rc = -errno;
            fprintf(stderr, "/proc/self/exe: %s; set GATEHOUSE_INCLUDE to the folder with gw/\n",
                    gw_strerror(rc));
            return rc;
        }
        exe[len] = '\0';
        char *slash = strrchr(exe, '/');
        if (slash)
            *slash = '\0';
        buf_printf(out, "%s/../include", exe);
    }
    struct buf probe = {0};
    buf_printf(&probe, "%s/gw/module.h", buf_cstr(out));
    int rc = access(buf_cstr(&probe), R_OK) == 0 ? 0 : -errno;
    if (rc < 0)
        fprintf(stderr,
                "cannot read %s: %s; its user must be able to, or set GATEHOUSE_INCLUDE to the "
                "folder with gw/\n",
                buf_cstr(&probe), gw_strerror(rc));
    buf_fini(&probe);
    return rc;
}

/* Splits at blanks; the words are freed by free_words(). */
static void add_words(struct vec *words, const char *text)
{
    struct span rest = span_str(text);

    while (rest.len > 0) {
        struct span word = span_trim(span_cut(&rest, ' '));
        if (word.len > 0)
            vec_push(words, mem_strndup(word.at, word.len));
    }
}

static void free_words(struct vec *words)
{
    for (size_t i = 0; i < words->len; i++)
        mem_free(words->at[i]);
    vec_fini(words);
}

/* The exit status, 128 + signal, or -errno when it cannot be started. */
static int run(struct vec *words)
{
    pid_t pid;
    int status;

    vec_push(words, NULL);
    int rc = posix_spawnp(&pid, words->at[0], NULL, NULL, (char *const *)words->at, environ);
    (void)vec_pop(words);
    if (rc != 0)
        return -rc;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_compiler(const char *cc, const struct module_conf *c, const char *source,
                        const char *headers, const char *out)
{
    struct vec words = {0};
    struct buf include = {0};

    add_words(&words, cc);
    buf_printf(&include, "-I%s", headers);
    add_words(&words, "-std=c17 -D_GNU_SOURCE -O2 -g -fPIC -shared -Wall");
    vec_push(&words, mem_strdup(buf_cstr(&include)));
    vec_push(&words, mem_strdup("-o"));
    vec_push(&words, mem_strdup(out));
    vec_push(&words, mem_strdup(source));
    if (c->cflags)
        add_words(&words, c->cflags);
    int status = run(&words);
    free_words(&words);
    buf_fini(&include);
    return status;
}

/* cc, $CC or the first compiler that is there. */
static int run_some_compiler(const struct module_conf *c, const char *source, const char *headers,
                             const char *out)
{
    static const char *const known[] = {"cc", "gcc", "clang"};
    const char *asked = c->cc ? c->cc : getenv("CC");
    int status = -ENOENT;

    if (asked && span_trim(span_str(asked)).len > 0)
        return run_compiler(asked, c, source, headers, out);
    for (size_t i = 0; i < ARRAY_LEN(known) && status == -ENOENT; i++)
        status = run_compiler(known[i], c, source, headers, out);
    return status;
}

static int compile(const struct module_conf *c, const char *source, const char *out)
{
    struct buf headers = {0};
    if (find_headers(&headers) < 0) { /* said there */
        buf_fini(&headers);
        return GW_ECONF;
    }
    int status = run_some_compiler(c, source, buf_cstr(&headers), out);
    buf_fini(&headers);
    if (status < 0)
        fprintf(stderr, "cannot run the compiler for %s: %s; install gcc, or name one with cc =\n",
                source, gw_strerror(status));
    else if (status > 0)
        fprintf(stderr, "%s does not compile: see the messages above\n", source);
    return status == 0 ? 0 : GW_ECONF;
}

/* ---- a ready .so ---- */

/* Copied, so that a new version written over it does not pull the code from under a worker. */
static int copy_file(const char *from, const char *to)
{
    struct stat st = {0};
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int rc = in < 0 ? -errno : 0;
    int out = rc < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    if (rc == 0 && (out < 0 || fstat(in, &st) < 0))
        rc = -errno;
    for (off_t left = rc == 0 ? st.st_size : 0; left > 0;) {
        ssize_t n = sendfile(out, in, NULL, (size_t)left);
        if (n <= 0) {
            rc = n < 0 ? -errno : -EIO;
            break;
        }
        left -= n;
    }
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) < 0 && rc == 0)
        rc = -errno;
    if (rc < 0)
        fprintf(stderr, "cannot copy %s to %s: %s\n", from, to, gw_strerror(rc));
    return rc;
}

/* ---- artifacts ---- */

static int check_loads(const char *path, const struct module_kind *kind)
{
    struct buf error = {0};
    struct statvfs place = {0};
    const void *module = module_open(path, kind, &error);

    if (!module)
        fprintf(stderr, "%s\n", buf_cstr(&error));
    if (!module && statvfs(path, &place) == 0 && (place.f_flag & ST_NOEXEC))
        fprintf(stderr, "that folder is mounted noexec; choose another run_dir =\n");
    buf_fini(&error);
    return module ? 0 : GW_ECONF;
}

/* The serial of "NAME-7.so", 0 for other files. */
static uint64_t serial_of(const char *file, const char *name)
{
    size_t name_len = strlen(name);
    uint64_t serial;

    if (strncmp(file, name, name_len) != 0 || file[name_len] != '-')
        return 0;
    struct span rest = span_str(file + name_len + 1);
    struct span number = span_cut(&rest, '.');
    return span_is(rest, "so") && span_to_u64(number, &serial) ? serial : 0;
}

/* A process keeps what it has mapped; a file is needed only to restart a crashed one, and those are
 * started from the newest. A few older ones stay for debuggers. */
static void remove_old(const char *run_dir, const char *name, unsigned serial)
{
    DIR *dir = opendir(run_dir);

    if (!dir)
        return;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        uint64_t old = serial_of(e->d_name, name);
        if (old != 0 && old + ARTIFACTS_KEPT <= serial)
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    }
    closedir(dir);
}

static bool is_source(const char *path)
{
    size_t len = strlen(path);

    return len > 2 && strcmp(path + len - 2, ".c") == 0;
}

int build_module(const struct build *b, const char *run_dir, unsigned serial, struct buf *artifact)
{
    struct buf draft = {0};

    buf_printf(artifact, "%s/%s-%u.so", run_dir, b->name, serial);
    buf_printf(&draft, "%s.tmp", buf_cstr(artifact));
    const char *to = buf_cstr(&draft);
    int rc = is_source(b->source) ? compile(b->conf, b->source, to) : copy_file(b->source, to);
    if (rc == 0)
        rc = check_loads(to, b->kind);
    if (rc == 0 && rename(to, buf_cstr(artifact)) < 0) {
        rc = -errno;
        fprintf(stderr, "cannot rename %s: %s\n", to, gw_strerror(rc));
    }
    if (rc < 0)
        (void)unlink(to);
    else
        remove_old(run_dir, b->name, serial);
    buf_fini(&draft);
    return rc;
}
