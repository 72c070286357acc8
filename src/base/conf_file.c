/* Reads config files through libinih.
 *
 * libinih as packaged tells its handler neither line numbers nor empty or repeated sections, and
 * only the first line it could not read. It does take its lines from a reader of ours, so the
 * reader counts them; it slips a line with a key that no file can contain behind each section head,
 * which makes the handler hear of the section; and it sees whether the handler heard of each line.
 */
#include "base/conf_file.h"

#include <errno.h>
#include <glob.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <gw/err.h>

#include "base/mem.h"
#include "base/span.h"

enum {
    LINE_MAX_BYTES = 4096,
    LINES_MAX = 100 * 1000, /* so that a wrong path, /dev/zero say, ends */
    HEAD_MAX = 48,          /* libinih keeps 49 bytes of a section head */
    DEPTH_MAX = 8,
};

enum { MARK = 1 }; /* the byte that no line of a file may contain */
static const char new_section_key[] = {MARK, '\0'};

struct source {
    struct conf_text *text;
    struct buf *errors;
    const struct source *includer;
    struct stat id; /* to notice a file that includes itself */
    const char *file;
    FILE *stream;
    int line;
    bool is_section_due; /* the last line was a section head: its marker line comes next */
    bool is_event_due;   /* the last line must reach the handler */
    struct conf_block *block;
    size_t depth;
};

static int read_file(struct source *s, const char *path);

const char *conf_text_keepn(struct conf_text *text, const void *at, size_t len)
{
    char *copy = mem_strndup(at, len);
    vec_push(&text->strings, copy);
    return copy;
}

const char *conf_text_keep(struct conf_text *text, const char *string)
{
    return conf_text_keepn(text, string, strlen(string));
}

void conf_text_fini(struct conf_text *text)
{
    for (size_t i = 0; i < text->blocks.len; i++) {
        struct conf_block *b = text->blocks.at[i];
        for (size_t j = 0; j < b->lines.len; j++)
            mem_free(b->lines.at[j]);
        vec_fini(&b->lines);
        mem_free(b);
    }
    for (size_t i = 0; i < text->strings.len; i++)
        mem_free(text->strings.at[i]);
    vec_fini(&text->blocks);
    vec_fini(&text->strings);
}

static PRINTF_LIKE(2, 3) void complain(struct source *s, const char *fmt, ...)
{
    va_list args;
    buf_puts(s->errors, s->file);
    if (s->line)
        buf_printf(s->errors, ":%d", s->line);
    buf_puts(s->errors, ": ");
    va_start(args, fmt);
    buf_vprintf(s->errors, fmt, args);
    va_end(args);
    buf_putc(s->errors, '\n');
}

/* Of "[gateway chat]": what stands between the brackets. */
static bool is_section_head(struct source *s, struct span line)
{
    struct span head = span_of(line.at + 1, line.len - 1);
    if (span_find(head, ']') != (ptrdiff_t)head.len - 1) {
        complain(s, "a section is written [kind] or [kind name], alone on its line");
        return false;
    }
    if (head.len - 1 > HEAD_MAX) {
        complain(s, "what stands in the brackets is longer than %d bytes", HEAD_MAX);
        return false;
    }
    return true;
}

/* Judges a line before libinih sees it; false: it is to be skipped. */
static bool look_at(struct source *s, struct span line)
{
    if (span_find(line, '\0') >= 0 || span_find(line, MARK) >= 0) {
        complain(s, "the line holds a control character: is this a config file?");
        return false;
    }
    line = span_trim(line);
    if (line.len == 0 || line.at[0] == '#' || line.at[0] == ';')
        return true;
    if (line.at[0] == '[') {
        s->is_section_due = is_section_head(s, line);
        return s->is_section_due;
    }
    s->is_event_due = true;
    return true;
}

/* The next line of the file in s->line, without a line end; false at the end of the file. */
static bool next_line(struct source *s, char *out, size_t room)
{
    size_t len = 0;
    int c = getc(s->stream);
    if (c == EOF)
        return false;
    s->line++;
    for (; c != EOF && c != '\n' && len < room - 1; c = getc(s->stream))
        out[len++] = (char)c;
    out[len] = '\0';
    if (s->line > LINES_MAX || (c != EOF && c != '\n')) {
        complain(s, "%s; reading stops here",
                 s->line > LINES_MAX ? "too many lines" : "the line is longer than 4096 bytes");
        return false;
    }
    if (s->line == 1 && strncmp(out, "\xef\xbb\xbf", 3) == 0) {
        len -= 3; /* the byte order mark of some editors */
        memmove(out, out + 3, len + 1);
    }
    if (!look_at(s, span_of(out, len)))
        out[0] = '\0';
    return true;
}

/* libinih's reader: fgets() with our eyes on every line. */
static char *read_line(char *out, int room, void *arg)
{
    struct source *s = arg;
    if (s->is_event_due)
        complain(s, "neither a [section] nor \"key = value\" nor a comment");
    s->is_event_due = false;
    if (s->is_section_due) {
        s->is_section_due = false;
        snprintf(out, (size_t)room, "%s=", new_section_key);
        return out;
    }
    return next_line(s, out, (size_t)room) ? out : NULL;
}

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c >= 0x80;
}

static bool is_word(const char *text)
{
    while (is_name_byte((uint8_t)*text))
        text++;
    return *text == '\0';
}

static const char *where(struct source *s)
{
    struct buf out = {0};
    buf_printf(&out, "%s:%d", s->file, s->line);
    const char *kept = conf_text_keep(s->text, buf_cstr(&out));
    buf_fini(&out);
    return kept;
}

static void start_block(struct source *s, const char *section)
{
    struct span rest = span_trim(span_str(section));
    struct span kind = span_cut(&rest, ' ');
    struct conf_block *b = mem_zalloc(sizeof *b);
    b->kind = conf_text_keepn(s->text, kind.at, kind.len);
    rest = span_trim(rest);
    b->name = conf_text_keepn(s->text, rest.at, rest.len);
    b->file = s->file;
    b->line = s->line;
    b->where = where(s);
    if (!b->kind[0] || !is_word(b->kind) || !is_word(b->name))
        complain(s, "[%s]: kind and name are single words of letters, digits, '_', '-' and '.'",
                 section);
    vec_push(&s->text->blocks, b);
    s->block = b;
}

/* Appends value with ${NAME} replaced by the environment's; what comes from there is text. */
static bool expand(struct source *s, const char *value, struct buf *out)
{
    const char *at;
    while ((at = strstr(value, "${"))) {
        size_t len = strcspn(at + 2, "}");
        if (at[2 + len] != '}' || len == 0 || len > 255) {
            complain(s, "${ begins the name of an environment variable and needs a }");
            return false;
        }
        char name[256];
        memcpy(name, at + 2, len);
        name[len] = '\0';
        const char *found = getenv(name);
        if (!found) {
            complain(s, "${%s}: there is no such environment variable; set it before the start",
                     name);
            return false;
        }
        buf_put(out, value, (size_t)(at - value));
        buf_puts(out, found);
        value = at + 2 + len + 1;
    }
    buf_puts(out, value);
    return true;
}

/* A pattern below the folder of the file that includes; a plain name must exist. */
static void include(struct source *s, const char *pattern)
{
    struct buf full = {0};
    const char *slash = strrchr(s->file, '/');
    if (pattern[0] != '/' && slash)
        buf_put(&full, s->file, (size_t)(slash - s->file) + 1);
    buf_puts(&full, pattern);
    glob_t found = {0};
    int rc = glob(buf_cstr(&full), 0, NULL, &found); /* sorted */
    if (rc == GLOB_NOMATCH && !strpbrk(pattern, "*?["))
        complain(s, "include: %s does not exist", buf_cstr(&full));
    else if (rc != 0 && rc != GLOB_NOMATCH)
        complain(s, "include: %s cannot be searched", buf_cstr(&full));
    for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++) {
        struct source sub = {
            .text = s->text, .errors = s->errors, .includer = s, .depth = s->depth + 1};
        int read_rc = read_file(&sub, found.gl_pathv[i]);
        if (read_rc < 0)
            complain(s, "include: %s: %s", found.gl_pathv[i],
                     read_rc == -ELOOP ? "includes run in a circle or are nested too deep"
                                       : gw_strerror(read_rc));
    }
    globfree(&found);
    buf_fini(&full);
}

static void add_line(struct source *s, const char *key, const char *value)
{
    struct conf_line *l = mem_alloc(sizeof *l);
    l->key = conf_text_keep(s->text, key);
    l->value = conf_text_keep(s->text, value);
    l->file = s->file;
    l->line = s->line;
    l->where = where(s);
    vec_push(&s->block->lines, l);
}

/* libinih's handler. Complaints are ours, so it never asks for one of libinih's. */
static int on_event(void *arg, const char *section, const char *key, const char *value)
{
    struct source *s = arg;
    struct buf expanded = {0};
    s->is_event_due = false;
    if (strcmp(key, new_section_key) == 0)
        start_block(s, section);
    else if (key[0] == '\0')
        complain(s, "there is no key before the '='");
    else if (!expand(s, value, &expanded))
        ; /* said there */
    else if (s->block)
        add_line(s, key, buf_cstr(&expanded));
    else if (strcmp(key, "include") == 0)
        include(s, buf_cstr(&expanded));
    else
        complain(s, "%s: a key must stand below a [section]", key);
    buf_fini(&expanded);
    return 1;
}

static bool is_open_already(const struct source *s)
{
    for (const struct source *up = s->includer; up; up = up->includer)
        if (up->id.st_dev == s->id.st_dev && up->id.st_ino == s->id.st_ino)
            return true;
    return false;
}

/* libinih's behaviour hangs on variables of its own, for the whole process; nobody else here uses
 * it. A value may hold ';' and '#', and a line that is indented is no continuation. */
static void run_inih(struct source *s)
{
    ini_allow_inline_comments = false;
    ini_allow_multiline = false;
    ini_use_stack = false;
    ini_max_line = ini_initial_alloc = LINE_MAX_BYTES + 3;
    if (ini_parse_stream(read_line, s, on_event, s) == -2)
        complain(s, "out of memory");
}

/* Complaints about the content go to s->errors; an error returned is about opening. */
static int read_file(struct source *s, const char *path)
{
    int rc = 0;
    s->file = conf_text_keep(s->text, path);
    if (s->depth > DEPTH_MAX)
        return -ELOOP;
    s->stream = fopen(path, "re");
    if (!s->stream)
        return -errno;
    if (fstat(fileno(s->stream), &s->id) < 0)
        rc = -errno;
    else if (S_ISDIR(s->id.st_mode))
        rc = -EISDIR;
    else if (is_open_already(s))
        rc = -ELOOP;
    else
        run_inih(s);
    fclose(s->stream);
    return rc;
}

int conf_text_read(struct conf_text *text, const char *path, struct buf *errors)
{
    struct source s = {.text = text, .errors = errors};
    size_t before = errors->len;
    int rc = read_file(&s, path);
    if (rc < 0) {
        s.line = 0;
        complain(&s, "cannot be read: %s", gw_strerror(rc));
    }
    return errors->len == before ? 0 : GW_ECONF;
}
