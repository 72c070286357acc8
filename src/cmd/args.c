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
            if (!set_option(out, word))
                return complain(errors, "unknown option", word);
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
