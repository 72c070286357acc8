/* Edit distance between short words (optimal string alignment). */
#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 64 };

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

size_t nearest_distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    /* rows[i][j]: the distance of the first i letters of a from the first j of b. */
    uint8_t rows[WORD_MAX + 1][WORD_MAX + 1];
    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= a_len; i++) {
        rows[i][0] = (uint8_t)i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = (size_t)rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            size_t d = least(rows[i - 1][j] + 1U, rows[i][j - 1] + 1U, replaced);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d = least(d, rows[i - 2][j - 2] + 1U, d);
            rows[i][j] = (uint8_t)d;
        }
    }
    return rows[a_len][b_len];
}

void nearest_try(struct nearest *n, const char *known)
{
    size_t limit = strlen(n->word) / 3 + 1;
    size_t d = nearest_distance(n->word, known);
    if (d <= limit && (!n->best || d < n->best_distance)) {
        n->best = known;
        n->best_distance = d;
    }
}
