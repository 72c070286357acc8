/* Media types of files (RFC 9110 §8.3.1, the IANA registry): a table, because what a server says
 * must not depend on which other software is installed beside it. */
#include "web/mime.h"

#include "base/compiler.h"

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"}, /* RFC 9239 */
    {"mjs", "text/javascript; charset=utf-8"},
    {"json", "application/json"},
    {"map", "application/json"},
    {"webmanifest", "application/manifest+json"},
    {"xml", "application/xml"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"svg", "image/svg+xml"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"avif", "image/avif"},
    {"ico", "image/vnd.microsoft.icon"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"ttf", "font/ttf"},
    {"otf", "font/otf"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"wav", "audio/wav"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
    {"pdf", "application/pdf"},
    {"wasm", "application/wasm"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tar", "application/x-tar"},
};

/* What follows the last dot of the last segment; empty when there is no dot. */
static struct span ending_of(struct span path)
{
    size_t from = path.len;
    while (from > 0 && path.at[from - 1] != '.' && path.at[from - 1] != '/')
        from--;
    bool has_dot = from > 0 && path.at[from - 1] == '.';
    return has_dot ? span_skip(path, from) : span_of(NULL, 0);
}

const char *mime_type(struct span path)
{
    struct span ending = ending_of(path);
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (span_eq_nocase(ending, types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}
