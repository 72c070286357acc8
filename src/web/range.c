/* Byte ranges: one range is served; several are answered by the whole representation.
 *
 * RFC 9110 §14.2 lets a server ignore the header. Many small ranges in one request are the
 * classical way to make a server do much for little, and players and download managers ask for one.
 */
#include "web/range.h"

/* Cuts the unit "bytes=" off; false for any other unit (§14.1: ignored). */
static bool skip_unit(struct span *value)
{
    struct span unit = span_cut(value, '=');
    return value->at && span_eq_nocase(unit, "bytes");
}

/* "-500": the last 500 bytes (§14.1.2). */
static enum range_verdict judge_suffix(struct span digits, uint64_t size, struct range *out)
{
    uint64_t n;
    if (!span_to_u64(digits, &n))
        return RANGE_WHOLE;
    if (n == 0 || size == 0)
        return RANGE_UNSATISFIABLE;
    out->len = n < size ? n : size;
    out->first = size - out->len;
    return RANGE_PART;
}

enum range_verdict range_judge(struct span value, uint64_t size, struct range *out)
{
    if (!skip_unit(&value) || span_find(value, ',') >= 0)
        return RANGE_WHOLE;
    struct span last = span_trim(value);
    struct span first = span_cut(&last, '-');
    if (!last.at)
        return RANGE_WHOLE;
    if (first.len == 0)
        return judge_suffix(last, size, out);

    uint64_t from;
    uint64_t to = UINT64_MAX;
    if (!span_to_u64(first, &from) || (last.len > 0 && !span_to_u64(last, &to)) || to < from)
        return RANGE_WHOLE;
    if (from >= size)
        return RANGE_UNSATISFIABLE;
    if (to > size - 1)
        to = size - 1;
    out->first = from;
    out->len = to - from + 1;
    return RANGE_PART;
}
