/* Percent-encoding of URLs (RFC 3986 §2.1) and of form fields. */
#include "proto/http.h"

#include "base/hex.h"

bool http_percent_decode(struct span in, bool is_query, struct buf *out)
{
    size_t len_before = out->len;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.at[i];
        if (c == '+' && is_query)
            c = ' ';
        if (c == '%') {
            int high = i + 2 < in.len ? hex_digit(in.at[i + 1]) : -1;
            int low = i + 2 < in.len ? hex_digit(in.at[i + 2]) : -1;
            if (high < 0 || low < 0) {
                out->len = len_before;
                return false;
            }
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        buf_putc(out, c);
    }
    return true;
}
