/* Floats as PHP reads and writes them: correctly rounded, the shortest digits that read back equal.
 *
 * printf() and strtod() round correctly, so the first precision whose text reads back equal is the
 * shortest. Both follow the locale's decimal point; a module may have set one, so digits are picked
 * out by position, and a point is translated before it is read. */
#include "proto/php_float.h"

#include <float.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_MAX = 17, /* enough for every double */
    FIXED_MAX = 17,  /* PHP's precision in mode 0: more places before the point are 1.0E+17 */
    FIXED_MIN = -3,  /* 0.0001 is fixed, 0.00001 is 1.0E-5 */
    TEXT_MAX = 40,
};

bool php_float_of(struct span text, double *out)
{
    const char *point = localeconv()->decimal_point;
    char copy[PHP_FLOAT_TEXT_MAX + MB_LEN_MAX];
    size_t len = 0;

    if (text.len > PHP_FLOAT_TEXT_MAX || strlen(point) >= MB_LEN_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '.')
            copy[len++] = (char)text.at[i];
        else
            len = (size_t)(stpcpy(copy + len, point) - copy);
    }
    copy[len] = '\0';
    *out = strtod(copy, NULL);
    return true;
}

struct decimal {
    char digits[DIGITS_MAX + 1]; /* without trailing zeros */
    int digits_n;
    int point; /* the value is 0.DIGITS times 10 to this power */
};

static double value_of(const char *text)
{
    return strtod(text, NULL);
}

/* "d.ddde±xx" to its parts; the point may be of any length, so digits are looked for. */
static void take_apart(const char *text, struct decimal *out)
{
    const char *exponent = strchr(text, 'e');

    out->digits_n = 0;
    for (const char *at = text; at < exponent; at++)
        if (*at >= '0' && *at <= '9')
            out->digits[out->digits_n++] = *at;
    while (out->digits_n > 1 && out->digits[out->digits_n - 1] == '0')
        out->digits_n--;
    out->point = (int)strtol(exponent + 1, NULL, 10) + 1;
}

/* Adds one to the last digit of "d.ddde±xx"; false when that would carry to a new place. */
static bool step_up(char *text)
{
    for (char *at = strchr(text, 'e') - 1; at >= text; at--) {
        if (*at < '0' || *at > '9')
            continue;
        if (*at != '9') {
            (*at)++;
            return true;
        }
        *at = '0';
    }
    return false;
}

/* Below a power of two doubles lie twice as dense as above it. There the nearest text of a
 * precision may belong to the neighbour below while the next text upwards still reads back equal:
 * 2^-44 is 5.684341886080802E-14. */
static bool reads_back(char *text, double v)
{
    int exponent;

    if (value_of(text) == v)
        return true;
    return frexp(v, &exponent) == 0.5 && step_up(text) && value_of(text) == v;
}

/* v is finite and above 0. */
static void shortest(double v, struct decimal *out)
{
    char text[TEXT_MAX];
    /* All texts of DBL_DIG digits survive a normal double, so shorter ones show by their zeros. */
    int digits_n = v < DBL_MIN ? 1 : DBL_DIG;

    for (; digits_n < DIGITS_MAX; digits_n++) {
        snprintf(text, sizeof text, "%.*e", digits_n - 1, v);
        if (reads_back(text, v))
            break;
    }
    if (digits_n == DIGITS_MAX)
        snprintf(text, sizeof text, "%.*e", DIGITS_MAX - 1, v);
    take_apart(text, out);
}

static void put_zeros(struct buf *out, int n)
{
    while (n-- > 0)
        buf_putc(out, '0');
}

static void put_digits(struct buf *out, const struct decimal *d, int from, int to)
{
    int there = to < d->digits_n ? to : d->digits_n;

    if (from < there)
        buf_put(out, d->digits + from, (size_t)(there - from));
    put_zeros(out, to - (from > there ? from : there));
}

static void put_exponent_form(struct buf *out, const struct decimal *d, char exponent)
{
    put_digits(out, d, 0, 1);
    buf_putc(out, '.');
    put_digits(out, d, 1, d->digits_n > 1 ? d->digits_n : 2);
    buf_printf(out, "%c%+d", exponent, d->point - 1);
}

static void put_fixed_form(struct buf *out, const struct decimal *d)
{
    if (d->point <= 0) {
        buf_puts(out, "0.");
        put_zeros(out, -d->point);
        put_digits(out, d, 0, d->digits_n);
        return;
    }
    put_digits(out, d, 0, d->point);
    if (d->digits_n > d->point) {
        buf_putc(out, '.');
        put_digits(out, d, d->point, d->digits_n);
    }
}

void php_put_float(struct buf *out, double v, char exponent)
{
    struct decimal d;

    if (isnan(v)) {
        buf_puts(out, "NAN");
        return;
    }
    if (signbit(v))
        buf_putc(out, '-');
    if (isinf(v)) {
        buf_puts(out, "INF");
        return;
    }
    v = fabs(v);
    if (v == 0) {
        buf_putc(out, '0');
        return;
    }
    shortest(v, &d);
    if (d.point < FIXED_MIN || d.point > FIXED_MAX)
        put_exponent_form(out, &d, exponent);
    else
        put_fixed_form(out, &d);
}
