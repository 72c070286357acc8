/* Validators: an entity tag made of modification time and size, and the time itself.
 *
 * The tag is strong (RFC 9110 §8.8.1) as far as the file system tells changes apart: its clock
 * counts in nanoseconds here, in ticks of a few milliseconds at worst. */
#include "web/validator.h"

#include <inttypes.h>
#include <stdio.h>

void validator_init(struct validator *v, const struct stat *file)
{
    snprintf(v->etag, sizeof v->etag, "\"%" PRIx64 ".%lx-%" PRIx64 "\"",
             (uint64_t)file->st_mtim.tv_sec, (unsigned long)file->st_mtim.tv_nsec,
             (uint64_t)file->st_size);
    v->modified_s = file->st_mtim.tv_sec;
}

/* Cuts the next entity tag off a list. Commas inside the quotes belong to the tag (§8.8.3), so the
 * list is not simply split. False at the end, and at anything that is no tag. */
static bool next_tag(struct span *list, struct span *tag, bool *is_weak)
{
    while (list->len > 0 && (list->at[0] == ' ' || list->at[0] == '\t' || list->at[0] == ','))
        *list = span_skip(*list, 1);
    *is_weak = list->len >= 2 && list->at[0] == 'W' && list->at[1] == '/';
    if (*is_weak)
        *list = span_skip(*list, 2);
    if (list->len == 0 || list->at[0] != '"')
        return false;
    ptrdiff_t end = span_find(span_skip(*list, 1), '"');
    if (end < 0)
        return false;
    *tag = span_of(list->at, (size_t)end + 2);
    *list = span_skip(*list, tag->len);
    return true;
}

static bool list_names(struct span list, const char *etag, bool is_weak_enough)
{
    if (span_is(list, "*"))
        return true;
    struct span tag;
    bool is_weak;
    while (next_tag(&list, &tag, &is_weak))
        if ((is_weak_enough || !is_weak) && span_is(tag, etag))
            return true;
    return false;
}

/* Looks for our tag in all headers of that name; *is_there tells whether there is any. */
static bool header_names(const struct http_request *r, const char *name, const char *etag,
                         bool is_weak_enough, bool *is_there)
{
    bool is_named = false;
    *is_there = false;
    for (size_t i = 0; i < r->headers_n; i++) {
        if (!span_eq_nocase(r->headers[i].name, name))
            continue;
        *is_there = true;
        is_named = is_named || list_names(r->headers[i].value, etag, is_weak_enough);
    }
    return is_named;
}

static bool header_date(const struct http_request *r, const char *name, int64_t *time_s)
{
    struct span value = http_header(r, name);
    return value.at && http_parse_date(value, time_s); /* an invalid date is ignored: §13.1.3 */
}

enum validator_verdict validator_judge(const struct validator *v, const struct http_request *r)
{
    bool is_there;
    int64_t time_s;
    bool is_named = header_names(r, "if-match", v->etag, false, &is_there);
    if (is_there && !is_named)
        return VALIDATOR_FAILED;
    if (!is_there && header_date(r, "if-unmodified-since", &time_s) && v->modified_s > time_s)
        return VALIDATOR_FAILED;

    is_named = header_names(r, "if-none-match", v->etag, true, &is_there);
    if (is_there)
        return is_named ? VALIDATOR_NOT_MODIFIED : VALIDATOR_SEND;
    if (header_date(r, "if-modified-since", &time_s) && v->modified_s <= time_s)
        return VALIDATOR_NOT_MODIFIED;
    return VALIDATOR_SEND;
}

bool validator_allows_range(const struct validator *v, const struct http_request *r)
{
    struct span value = http_header(r, "if-range");
    int64_t time_s;
    if (!value.at)
        return true;
    if (value.len > 0 && (value.at[0] == '"' || value.at[0] == 'W')) /* §13.1.5: strong only */
        return span_is(value, v->etag);
    return http_parse_date(value, &time_s) && time_s == v->modified_s;
}
