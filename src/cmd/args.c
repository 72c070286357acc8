/* The command line: which command, which options. */
#include "cmd/args.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct option {
    const char *name;
    const char *long_name;
    bool has_number; /* behind it, above 0 */
    size_t offset;   /* of the bool it sets, or of the unsigned */
};

static const struct option options[] = {
    {"-d", "--daemon", false, offsetof(struct args, is_detached)},
    {"-g", "--graceful", false, offsetof(struct args, is_graceful)},
    {"-q", "--quiet", false, offsetof(struct args, is_quiet)},
    {"--json", "--json", false, offsetof(struct args, is_json)},
    {"--restart", "--restart", false, offsetof(struct args, comes_back)},
    {"--rate", "--rate", true, offsetof(struct args, rate)},
    {"--seconds", "--seconds", true, offsetof(struct args, seconds)},
};

static const struct option *find_option(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (strcmp(word, options[i].name) == 0 || strcmp(word, options[i].long_name) == 0)
            return &options[i];
    return NULL;
}

static bool is_given(const struct args *a, const struct option *o)
{
    const char *at = (const char *)a + o->offset;
    return o->has_number ? *(const unsigned *)at > 0 : *(const bool *)at;
}

static int complain(struct buf *errors, const char *what, const char *word)
{
    buf_printf(errors, "%s: %s\n", word, what);
    return -EINVAL;
}

static bool takes_target(const struct args *a)
{
    return a->command && !a->target &&
           (strcmp(a->command, "drain") == 0 || strcmp(a->command, "undrain") == 0);
}

/* How many words it takes, or -EINVAL; next is NULL behind the last word. */
static int take_option(struct args *a, const char *word, const char *next, struct buf *errors)
{
    const struct option *o = find_option(word);
    uint64_t n;
    if (!o)
        return complain(errors, "unknown option", word);
    char *to = (char *)a + o->offset;
    if (!o->has_number) {
        *(bool *)to = true;
        return 1;
    }
    if (!next || !span_to_u64(span_str(next), &n) || n == 0 || n > INT32_MAX)
        return complain(errors, "needs a number behind it", word);
    *(unsigned *)to = (unsigned)n;
    return 2;
}

int args_parse(int argc, char **argv, struct args *out, struct buf *errors)
{
    *out = (struct args){0};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0) {
            if (++i == argc)
                return complain(errors, "needs a file name behind it", word);
            out->conf_file = argv[i];
        } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            out->command = "help";
        } else if (word[0] == '-') {
            int words_n = take_option(out, word, argv[i + 1], errors);
            if (words_n < 0)
                return words_n;
            i += words_n - 1;
        } else if (takes_target(out)) {
            out->target = word;
        } else if (out->command) {
            return complain(errors, "one command at a time", word);
        } else {
            out->command = word;
        }
    }
    return 0;
}

static bool has_word(const char *words, const char *word)
{
    struct span rest = span_str(words);
    while (rest.len > 0)
        if (span_is(span_cut(&rest, ' '), word))
            return true;
    return false;
}

int args_check(const struct args *a, const char *allowed, struct buf *errors)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!is_given(a, &options[i]) || has_word(allowed, options[i].name))
            continue;
        buf_printf(errors, "%s: not an option of \"%s\", which has: %s\n", options[i].name,
                   a->command, allowed);
        return -EINVAL;
    }
    return 0;
}

const char *args_find_conf(const char *given)
{
    static const char *const places[] = {"./gatehouse.conf", "/etc/gatehouse/gatehouse.conf"};

    if (given)
        return given;
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (access(places[i], F_OK) == 0)
            return places[i];
    return places[0];
}
