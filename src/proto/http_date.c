/* Dates of HTTP (RFC 9110 §5.6.7): written in one form, read in three. */
#include "proto/http.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

static const char day_names[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                              "Thursday", "Friday", "Saturday"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Not strftime(): its names follow the locale, those of HTTP do not. */
void http_put_date(struct buf *out, int64_t time_s)
{
    time_t t = (time_t)time_s;
    struct tm tm;
    if (!gmtime_r(&t, &tm)) /* only a year beyond int does this */
        gmtime_r(&(time_t){0}, &tm);
    buf_printf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_names[tm.tm_wday], tm.tm_mday,
               month_names[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* What is left to read of a date; a failed step leaves is_bad set and the rest fails with it. */
struct cursor {
    struct span rest;
    bool is_bad;
};

static void expect(struct cursor *c, const char *text)
{
    size_t len = strlen(text);
    if (c->rest.len < len || memcmp(c->rest.at, text, len) != 0)
        c->is_bad = true;
    else
        c->rest = span_skip(c->rest, len);
}

static int read_number(struct cursor *c, size_t digits_n)
{
    int n = 0;
    if (c->rest.len < digits_n)
        c->is_bad = true;
    for (size_t i = 0; i < digits_n && !c->is_bad; i++) {
        uint8_t digit = c->rest.at[i];
        if (digit < '0' || digit > '9')
            c->is_bad = true;
        n = n * 10 + (digit - '0');
    }
    c->rest = span_skip(c->rest, digits_n);
    return n;
}

static int read_month(struct cursor *c)
{
    for (int i = 0; i < 12 && c->rest.len >= 3; i++)
        if (memcmp(c->rest.at, month_names[i], 3) == 0) {
            c->rest = span_skip(c->rest, 3);
            return i;
        }
    c->is_bad = true;
    return 0;
}

static void read_time(struct cursor *c, struct tm *tm)
{
    tm->tm_hour = read_number(c, 2);
    expect(c, ":");
    tm->tm_min = read_number(c, 2);
    expect(c, ":");
    tm->tm_sec = read_number(c, 2);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", behind the name of the day. */
static void read_imf_fixdate(struct cursor *c, struct tm *tm)
{
    expect(c, ", ");
    tm->tm_mday = read_number(c, 2);
    expect(c, " ");
    tm->tm_mon = read_month(c);
    expect(c, " ");
    tm->tm_year = read_number(c, 4) - 1900;
    expect(c, " ");
    read_time(c, tm);
    expect(c, " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT". Two digits that seem to lie more than 50 years ahead mean the
 * century before. */
static void read_rfc850(struct cursor *c, struct tm *tm)
{
    expect(c, ", ");
    tm->tm_mday = read_number(c, 2);
    expect(c, "-");
    tm->tm_mon = read_month(c);
    expect(c, "-");
    int year = read_number(c, 2);
    expect(c, " ");
    read_time(c, tm);
    expect(c, " GMT");

    time_t now = (time_t)clock_wall_s();
    struct tm today;
    gmtime_r(&now, &today);
    tm->tm_year = today.tm_year - today.tm_year % 100 + year;
    if (tm->tm_year > today.tm_year + 50)
        tm->tm_year -= 100;
}

/* "Sun Nov  6 08:49:37 1994". */
static void read_asctime(struct cursor *c, struct tm *tm)
{
    expect(c, " ");
    tm->tm_mon = read_month(c);
    expect(c, " ");
    bool is_one_digit = c->rest.len > 0 && c->rest.at[0] == ' ';
    if (is_one_digit)
        expect(c, " ");
    tm->tm_mday = read_number(c, is_one_digit ? 1 : 2);
    expect(c, " ");
    read_time(c, tm);
    expect(c, " ");
    tm->tm_year = read_number(c, 4) - 1900;
}

/* timegm() would make 3 March of 31 February: a date must come back as it went in. */
static bool to_seconds(const struct tm *tm, int64_t *time_s)
{
    bool is_leap_second = tm->tm_sec == 60;
    struct tm again = *tm;
    if (is_leap_second)
        again.tm_sec = 59;
    struct tm want = again;
    time_t t = timegm(&again);
    if (again.tm_year != want.tm_year || again.tm_mon != want.tm_mon ||
        again.tm_mday != want.tm_mday || again.tm_hour != want.tm_hour ||
        again.tm_min != want.tm_min || again.tm_sec != want.tm_sec)
        return false;
    *time_s = (int64_t)t + is_leap_second;
    return true;
}

static bool skip_name(struct cursor *c, const char *name)
{
    size_t len = strlen(name);
    if (c->rest.len < len || memcmp(c->rest.at, name, len) != 0)
        return false;
    c->rest = span_skip(c->rest, len);
    return true;
}

bool http_parse_date(struct span text, int64_t *time_s)
{
    struct tm tm = {0};
    struct cursor c = {.rest = text, .is_bad = true};
    for (int i = 0; i < 7 && c.is_bad; i++) {
        c.is_bad = false;
        if (skip_name(&c, long_day_names[i]))
            read_rfc850(&c, &tm);
        else if (!skip_name(&c, day_names[i]))
            c.is_bad = true;
        else if (c.rest.len > 0 && c.rest.at[0] == ',')
            read_imf_fixdate(&c, &tm);
        else
            read_asctime(&c, &tm);
        if (c.rest.len != text.len)
            break; /* the name of the day was found: no other one fits */
    }
    return !c.is_bad && c.rest.len == 0 && to_seconds(&tm, time_s);
}
