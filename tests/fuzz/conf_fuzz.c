/* Config files: whatever stands in them is read, or complained about by file and line. The input is
 * the main file and, behind a byte 0xff, another one that it can include. */
#include <ctype.h>
#include <dirent.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/roles.h"
#include "fuzz/both_ways.h"

enum { OTHER = 0xff };

static char folder[] = "/tmp/conf_fuzz-XXXXXX";

static void remove_folder(void)
{
    if (chdir(folder) == 0) {
        (void)unlink("a.conf");
        (void)unlink("b.conf");
        (void)rmdir(folder);
    }
}

static void write_file(const char *name, struct span bytes)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || (bytes.len > 0 && fwrite(bytes.at, 1, bytes.len, file) != bytes.len) ||
        fclose(file) != 0)
        abort();
}

/* Names are not looked up: a run depends on its input alone. */
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **out)
{
    return EAI_NONAME;
}

/* A config that is read and judged makes nothing, whatever paths stand in it. */
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
    abort();
}

/* "/tmp/conf_fuzz-XXXXXX/a.conf:12: …"; the number is missing where a file cannot be read at all.
 */
static void check_complaint(struct span line)
{
    struct span rest = line;
    struct span path = span_cut(&rest, ':');
    bool has_line = rest.len > 0 && isdigit(rest.at[0]);
    struct span number = has_line ? span_cut(&rest, ':') : span_of(NULL, 0);
    for (size_t i = 0; i < number.len; i++)
        if (!isdigit(number.at[i]))
            abort();
    if (path.len <= strlen(folder) || memcmp(path.at, folder, strlen(folder)) != 0 ||
        rest.len < 2 || rest.at[0] != ' ')
        abort();
}

static void check_complaints(const struct buf *errors)
{
    struct span rest = buf_span(errors);
    if (rest.len > 0 && rest.at[rest.len - 1] != '\n')
        abort();
    while (rest.len > 0)
        check_complaint(span_cut(&rest, '\n'));
}

/* What the roles say about a file that could be read. */
static void judge(const struct conf *conf, struct buf *errors)
{
    size_t roles_n;
    const struct role *const *roles = roles_all(&roles_n);
    struct role_listen listen[ROLE_LISTENERS_MAX];
    for (size_t i = 0; i < conf_sections_n(conf); i++) {
        const struct conf_section *s = conf_section_at(conf, i);
        for (size_t j = 0; j < roles_n; j++) {
            if (roles[j]->table != s->table)
                continue;
            size_t before = errors->len;
            int rc = roles[j]->check ? roles[j]->check(conf, s, errors) : 0;
            if ((rc == 0) != (errors->len == before))
                abort();
            if (rc == 0 && roles[j]->plan(conf, s, 0, listen, errors) > ROLE_LISTENERS_MAX)
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static bool is_begun;
    if (!is_begun && (!mkdtemp(folder) || log_open("/dev/null", LOG_INFO, false) < 0))
        abort();
    if (!is_begun)
        atexit(remove_folder);
    is_begun = true;
    /* Other files of this machine stay out of it. */
    if (memmem(at, len, "include", 7) && memchr(at, '/', len))
        return 0;
    struct span rest = span_of(at, len);
    struct span main_file = span_cut(&rest, OTHER);
    write_file("a.conf", main_file);
    write_file("b.conf", rest);

    char path[64];
    size_t tables_n;
    struct conf *conf = NULL;
    struct buf errors = {0};
    const struct conf_table *const *tables = roles_tables(&tables_n);
    snprintf(path, sizeof(path), "%s/a.conf", folder);
    int rc = conf_load(path, tables, tables_n, &errors, &conf);
    if ((rc == 0) != (conf != NULL) || (rc == 0) != (errors.len == 0))
        abort();
    if (conf)
        judge(conf, &errors);
    check_complaints(&errors);
    buf_fini(&errors);
    conf_free(conf);
    return 0;
}
