/* The process title that `ps` shows, written over the memory of argv and the environment. */
#include "proc/title.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* The kernel keeps one such area per process, so it is process-wide by nature. */
static char *title_at;
static size_t title_bytes;

/* The end of the run of strings that begins at `end`, when `text` continues it. */
static char *extend(char *end, char *text)
{
    return text == end ? text + strlen(text) + 1 : end;
}

void title_init(int argc, char **argv)
{
    if (argc < 1)
        return;
    char *end = argv[0];
    for (int i = 0; i < argc; i++)
        end = extend(end, argv[i]);
    size_t env_n = 0;
    while (environ[env_n])
        end = extend(end, environ[env_n++]);
    char **copy = mem_alloc((env_n + 1) * sizeof *copy);
    for (size_t i = 0; i < env_n; i++)
        copy[i] = mem_strdup(environ[i]);
    copy[env_n] = NULL;
    environ = copy;
    title_at = argv[0];
    title_bytes = (size_t)(end - argv[0]);
}

void title_set(const char *fmt, ...)
{
    if (!title_at)
        return;
    va_list args;
    va_start(args, fmt);
    memset(title_at, 0, title_bytes);
    vsnprintf(title_at, title_bytes, fmt, args);
    va_end(args);
}
