/* The command line: which command, which options. */
#include "cmd/args.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct option {
    const char *name;
    const char *long_name;
    size_t offset; /* of the bool it sets */
};

static const struct option options[] = {
    {"-d", "--daemon", offsetof(struct args, is_detached)},
    {"-g", "--graceful", offsetof(struct args, is_graceful)},
    {"-q", "--quiet", offsetof(struct args, is_quiet)},
    {"--json", "--json", offsetof(struct args, is_json)},
    {"--restart", "--restart", offsetof(struct args, comes_back)},
};

static bool set_option(struct args *a, const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (strcmp(word, options[i].name) != 0 && strcmp(word, options[i].long_name) != 0)
            continue;
        *(bool *)((char *)a + options[i].offset) = true;
        return true;
    }
    return false;
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

/* --rate N, --seconds S. 0: it is another word, 1: taken with its number, or < 0. */
static int take_number(struct args *a, const char *word, const char *number, struct buf *errors)
{
    unsigned *to = strcmp(word, "--rate") == 0      ? &a->rate
                   : strcmp(word, "--seconds") == 0 ? &a->seconds
                                                    : NULL;
    uint64_t n;
    if (!to)
        return 0;
    if (!number || !span_to_u64(span_str(number), &n) || n == 0 || n > INT32_MAX)
        return complain(errors, "needs a number behind it", word);
    *to = (unsigned)n;
    return 1;
}

int args_parse(int argc, char **argv, struct args *out, struct buf *errors)
{
    *out = (struct args){0};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        int rc;
        if (strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0) {
            if (++i == argc)
                return complain(errors, "needs a file name behind it", word);
            out->conf_file = argv[i];
        } else if ((rc = take_number(out, word, argv[i + 1], errors)) != 0) {
            if (rc < 0)
                return rc;
            i++;
        } else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            out->command = "help";
        } else if (word[0] == '-') {
            if (!set_option(out, word))
                return complain(errors, "unknown option", word);
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
