/* Text inside JSON strings, looked at in blocks: most of it needs no escape. */
#include "base/json_text.h"

#include <string.h>

/* Compilers make vector instructions of it wherever there are some. */
typedef uint8_t block __attribute__((vector_size(16)));

static bool has_any(block marks)
{
    uint64_t halves[2];
    memcpy(halves, &marks, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

static block special_in(block b)
{
    return (block)(b == '"') | (block)(b == '\\') | (block)(b < 0x20);
}

static bool is_special(uint8_t c)
{
    return c == '"' || c == '\\' || c < 0x20;
}

size_t json_plain_len(struct span text)
{
    size_t n = 0;
    for (block b; text.len - n >= sizeof b; n += sizeof b) {
        memcpy(&b, text.at + n, sizeof b);
        if (has_any(special_in(b)))
            break;
    }
    while (n < text.len && !is_special(text.at[n]))
        n++;
    return n;
}

size_t json_plain_ascii_len(struct span text)
{
    size_t n = 0;
    for (block b; text.len - n >= sizeof b; n += sizeof b) {
        memcpy(&b, text.at + n, sizeof b);
        if (has_any(special_in(b) | (block)(b == '/') | (block)(b > 0x7f)))
            break;
    }
    while (n < text.len && !is_special(text.at[n]) && text.at[n] != '/' && text.at[n] < 0x80)
        n++;
    return n;
}
