/* Query strings to arrays, as PHP's parse_str() does (php-src main/php_variables.c).
 *
 * Names are cut at a NUL byte, blanks and points in them become `_`, and brackets make arrays. At
 * most VARS_MAX variables are read (max_input_vars), and a variable nested too deep is left out. */
#include "base/hex.h"
#include "proto/php_request.h"
#include "proto/php_value.h"

enum {
    VARS_MAX = 1000,
    /* The get array lies two levels deep in CMD_ON_WEBSOCKET_CONNECT, which must stay readable. */
    NEST_MAX = PHP_DEPTH_MAX - 2,
};

/* urldecode(): escapes that are none stay as they are. */
static struct span decode(struct php_doc *d, struct span in)
{
    uint8_t *text = php_doc_text(d, in.len);
    size_t len = 0;

    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.at[i];
        int high = c == '%' && in.len - i > 2 ? hex_digit(in.at[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(in.at[i + 2]) : -1;
        if (low >= 0) {
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        text[len++] = c;
    }
    return span_of(text, len);
}

static bool is_mangled(uint8_t c)
{
    return c == ' ' || c == '.' || c == '[';
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The same name with blank, point and opening bracket as `_`. */
static struct span plain_name(struct php_doc *d, struct span name)
{
    uint8_t *text = php_doc_text(d, name.len);

    for (size_t i = 0; i < name.len; i++)
        text[i] = is_mangled(name.at[i]) ? '_' : name.at[i];
    return span_of(text, name.len);
}

/* One `[index]` at the front of *rest, cut off. false when there is none or it does not end.
 * `[]` and `[ ]` are the next free number. */
static bool cut_index(struct span *rest, struct span *index, bool *is_next)
{
    if (rest->len == 0 || rest->at[0] != '[')
        return false;
    struct span inside = span_skip(*rest, 1);
    ptrdiff_t len = span_find(inside, ']');
    if (len < 0)
        return false;
    *index = span_of(inside.at, (size_t)len);
    *is_next = len == 0 || (len == 1 && is_blank(inside.at[0]));
    *rest = span_skip(inside, (size_t)len + 1);
    return true;
}

static void put(struct php_doc *d, struct php_value *array, struct span index, bool is_next,
                struct php_value *v)
{
    if (is_next)
        php_append(d, array, v);
    else
        php_set_over(d, array, php_key_of(index), v);
}

/* The array below that index, made when there is none. A handle, because values are const once they
 * are in an array; both share the entries. */
static struct php_value enter(struct php_doc *d, struct php_value *array, struct span index,
                              bool is_next)
{
    struct php_key key = php_key_of(index);
    const struct php_value *there = is_next ? NULL : php_get_key(array, &key);

    if (there && there->type == PHP_ARRAY)
        return *there;
    struct php_value *made = php_new_array(d);
    put(d, array, index, is_next, made);
    return *made;
}

static bool is_too_deep(struct span rest)
{
    struct span index;
    bool is_next;

    for (int depth = 0; cut_index(&rest, &index, &is_next); depth++)
        if (depth == NEST_MAX)
            return true;
    return false;
}

/* Cut at a NUL byte and without blanks in front. */
static struct span clean_name(struct span name)
{
    name = span_cut(&name, '\0');
    while (name.len > 0 && name.at[0] == ' ')
        name = span_skip(name, 1);
    return name;
}

static void set_variable(struct php_doc *d, struct php_value *root, struct span name,
                         struct php_value *v)
{
    struct php_value array = *root; /* a handle, as in enter() */
    struct span index, next;
    bool is_next = false, is_next_next;

    name = clean_name(name);
    if (name.len == 0 || name.at[0] == '[')
        return;
    ptrdiff_t bracket = span_find(name, '[');
    struct span rest = span_skip(name, bracket < 0 ? name.len : (size_t)bracket);
    if (is_too_deep(rest))
        return;
    /* A first bracket that is never closed belongs to the name. */
    bool is_array = span_find(rest, ']') >= 0;
    index = plain_name(d, is_array ? span_of(name.at, name.len - rest.len) : name);
    while (is_array && cut_index(&rest, &next, &is_next_next)) {
        array = enter(d, &array, index, is_next);
        index = next;
        is_next = is_next_next;
    }
    put(d, &array, index, is_next, v);
}

struct php_value *php_parse_query(struct php_doc *d, struct span query)
{
    struct php_value *root = php_new_array(d);

    for (int vars_n = 0; query.len > 0 && vars_n < VARS_MAX;) {
        struct span text = span_cut(&query, '&');
        if (text.len == 0)
            continue;
        struct span name = decode(d, span_cut(&text, '='));
        struct span value = decode(d, text);
        set_variable(d, root, name, php_new_string_over(d, value.at, value.len));
        vars_n++;
    }
    return root;
}
