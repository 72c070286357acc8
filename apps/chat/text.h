/* Text that people wrote: what is accepted of it, and how it becomes HTML. */
#ifndef CHAT_TEXT_H
#define CHAT_TEXT_H

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <gw/types.h>

enum { ESCAPED_MAX = sizeof "&quot;" - 1 /* the longest thing one byte becomes */ };

/* What PHP's htmlspecialchars() makes of a byte, and line ends, which may become more; NULL for a
 * byte that stays as it is. */
static const char *const html_of[UCHAR_MAX + 1] = {
    ['&'] = "&amp;",   ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;",
    ['\''] = "&#039;", ['\r'] = "\r",  ['\n'] = "\n"};

/* Text as HTML, with <br /> before each line end when has_breaks (PHP's nl2br(), which takes \r\n
 * and \n\r for one). Freed with free(); NULL without memory. */
static char *escape(struct gw_bytes text, bool has_breaks)
{
    static const char line_break[] = "<br />";
    char *out = malloc(text.len * (ESCAPED_MAX + sizeof line_break) + 1);
    if (!out)
        return NULL;
    char *to = out;
    char open_end = '\0'; /* the line end that the other one may complete */
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        const char *html = html_of[(unsigned char)c];
        if (!html) {
            *to++ = c;
            open_end = '\0';
            continue;
        }
        bool is_end = c == '\r' || c == '\n';
        bool is_completed = is_end && open_end != '\0' && c != open_end;
        if (has_breaks && is_end && !is_completed)
            to = stpcpy(to, line_break);
        open_end = is_end && !is_completed ? c : '\0';
        to = stpcpy(to, html);
    }
    *to = '\0';
    return out;
}

static size_t chars_n(struct gw_bytes text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += ((unsigned char)text.data[i] & 0xc0) != 0x80; /* not inside a UTF-8 character */
    return n;
}

/* A line that a person can read: no control characters, and not only blanks. */
static bool is_line(struct gw_bytes text)
{
    bool has_ink = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c < ' ' || c == 0x7f)
            return false;
        has_ink = has_ink || c != ' ';
    }
    return has_ink;
}

#endif
