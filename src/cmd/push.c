/* Every message is sent with a receipt, so that the exit status means something: a gateway that
 * hangs would take the bytes of a plain send into its socket buffer and nobody would know. */
#include "cmd/push.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cmd/target.h"
#include "proc/exit_code.h"
#include "proto/client_id.h"

enum {
    LINE_MAX_BYTES = 8 * 1024 * 1024, /* a packet has 10 MiB at most (proto/wire.h) */
    READ_STEP = 64 * 1024,
    PROGRESS_MS = 250,
};

/* What the options of one kind named. */
struct names {
    struct gw_bytes *at;
    const char **texts;
    size_t n;
};

/* A gateway that did not take everything. */
struct trouble {
    char address[64];
    int rc; /* of the first message that failed there */
    uint64_t messages_n;
    struct trouble *next;
};

struct push {
    struct target target;
    struct names uids, groups, clients, excluded;
    bool is_all, is_raw, is_binary, is_quiet;
    const char *text; /* NULL: lines of stdin */

    struct gw *gw;
    uint64_t messages_n, deliveries_n;
    bool has_uncounted; /* a gateway of the original does not count */
    struct trouble *troubles;
    uint64_t progress_ms; /* when it was shown last */
    bool has_progress;
};

static const char usage[] =
    "Usage: gatehouse push TARGET... [options] [TEXT]\n"
    "\n"
    "Sends TEXT, or each line of the standard input as a message of its own. A TEXT that\n"
    "begins with - goes behind --.\n"
    "\n"
    "  --uid UID, --group GROUP, --client ID   targets; each may be repeated\n"
    "  --all                   every client\n"
    "  --exclude ID            not to this client (with --all and --group); may be repeated\n"
    "  --raw                   the bytes are framed already and go out untouched\n"
    "  --binary                as a binary WebSocket message\n"
    "  -q                      without the line that tells how many were reached\n";
static const char usage_end[] =
    "\nA client that several kinds of targets name gets the message for each of them.\n"
    "Exit status: 0 every gateway took every message, 1 some did not, 2 wrong usage.\n";

/* ---- the command line ---- */

static void add_name(struct names *names, const char *text)
{
    names->at = mem_realloc(names->at, (names->n + 1) * sizeof *names->at);
    names->texts = mem_realloc(names->texts, (names->n + 1) * sizeof *names->texts);
    names->at[names->n] = gw_str(text);
    names->texts[names->n++] = text;
}

static bool are_names(const struct names *names, const char *option)
{
    for (size_t i = 0; i < names->n; i++) {
        if (names->at[i].len >= 1 && names->at[i].len <= GW_NAME_MAX)
            continue;
        fprintf(stderr, "%s: a name has 1 to %d bytes\n", option, GW_NAME_MAX);
        return false;
    }
    return true;
}

static bool are_ids(const struct names *names, const char *option)
{
    for (size_t i = 0; i < names->n; i++) {
        struct client_id id;
        if (client_id_parse(span_str(names->texts[i]), &id) == 0)
            continue;
        fprintf(stderr, "%s %s: a client id has 20 hex digits\n", option, names->texts[i]);
        return false;
    }
    return true;
}

static bool is_usable(const struct push *p)
{
    bool is_wide = p->is_all || p->groups.n > 0;

    if (!is_wide && p->uids.n == 0 && p->clients.n == 0) {
        fputs("nobody is named: use --uid, --group, --client or --all\n", stderr);
        return false;
    }
    if (p->excluded.n > 0 && !is_wide) {
        fputs("--exclude goes with --all or --group\n", stderr);
        return false;
    }
    return are_names(&p->uids, "--uid") && are_names(&p->groups, "--group") &&
           are_ids(&p->clients, "--client") && are_ids(&p->excluded, "--exclude");
}

enum { OPT_UID = 1, OPT_GROUP, OPT_CLIENT, OPT_ALL, OPT_EXCLUDE, OPT_RAW, OPT_BINARY };

static const struct option long_options[] = {
    {"uid", required_argument, NULL, OPT_UID},
    {"group", required_argument, NULL, OPT_GROUP},
    {"client", required_argument, NULL, OPT_CLIENT},
    {"all", no_argument, NULL, OPT_ALL},
    {"exclude", required_argument, NULL, OPT_EXCLUDE},
    {"raw", no_argument, NULL, OPT_RAW},
    {"binary", no_argument, NULL, OPT_BINARY},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

static bool take_option(struct push *p, int option, const char *value)
{
    switch (option) {
    case OPT_UID:
        add_name(&p->uids, value);
        return true;
    case OPT_GROUP:
        add_name(&p->groups, value);
        return true;
    case OPT_CLIENT:
        add_name(&p->clients, value);
        return true;
    case OPT_EXCLUDE:
        add_name(&p->excluded, value);
        return true;
    case OPT_ALL:
        return p->is_all = true;
    case OPT_RAW:
        return p->is_raw = true;
    case OPT_BINARY:
        return p->is_binary = true;
    case 'q':
        return p->is_quiet = true;
    default:
        return target_option(&p->target, option, value) == TARGET_TAKEN;
    }
}

/* EXIT_CODE_OK, or what to leave with: *is_done. */
static int parse(struct push *p, int argc, char **argv, bool *is_done)
{
    int option;

    *is_done = true;
    while ((option = getopt_long(argc, argv, "c:qh", long_options, NULL)) != -1) {
        if (option == 'h') {
            printf("%s%s%s", usage, target_usage, usage_end);
            return EXIT_CODE_OK;
        }
        if (option == '?' || !take_option(p, option, optarg))
            return EXIT_CODE_USAGE;
    }
    if (argc - optind > 1) {
        fprintf(stderr, "%s: one text at a time; put it in quotes\n", argv[optind + 1]);
        return EXIT_CODE_USAGE;
    }
    p->text = optind < argc ? argv[optind] : NULL;
    if (!is_usable(p))
        return EXIT_CODE_USAGE;
    *is_done = false;
    return EXIT_CODE_OK;
}

/* ---- sending ---- */

static void note_trouble(struct push *p, const struct gw_delivery *d)
{
    struct trouble *t = p->troubles;

    while (t && strcmp(t->address, d->address) != 0)
        t = t->next;
    if (!t) {
        t = mem_zalloc(sizeof *t);
        t->rc = d->rc;
        t->next = p->troubles;
        memcpy(t->address, d->address, sizeof t->address);
        p->troubles = t;
    }
    t->messages_n++;
}

/* Takes the receipt. False: no gateway took the message, so that it makes no sense to go on. */
static bool note(struct push *p, int rc, const struct gw_receipt **told)
{
    const struct gw_receipt *receipt = *told;

    for (size_t i = 0; receipt && i < receipt->n; i++) {
        const struct gw_delivery *d = &receipt->gateways[i];
        if (d->rc < 0)
            note_trouble(p, d);
        else if (d->receivers < 0)
            p->has_uncounted = true;
    }
    p->deliveries_n += receipt ? receipt->receivers : 0;
    gw_result_free(receipt);
    if (rc == 0 || rc == GW_EPARTIAL)
        return true;
    if (!receipt)
        target_complain("push", rc);
    return false;
}

static bool send_message(struct push *p, struct gw_bytes text)
{
    const struct gw_receipt *receipt = NULL;
    struct gw_send how = {
        .is_binary = p->is_binary,
        .is_raw = p->is_raw,
        .exclude_ids = p->excluded.texts,
        .exclude_n = p->excluded.n,
        .receipt = &receipt,
    };

    if (p->is_all && !note(p, gw_send_to_all(p->gw, text, &how), &receipt))
        return false;
    if (p->groups.n > 0 &&
        !note(p, gw_send_to_groups(p->gw, p->groups.at, p->groups.n, text, &how), &receipt))
        return false;
    if (p->uids.n > 0 &&
        !note(p, gw_send_to_uids(p->gw, p->uids.at, p->uids.n, text, &how), &receipt))
        return false;
    for (size_t i = 0; i < p->clients.n; i++)
        if (!note(p, gw_send_to_client_with(p->gw, p->clients.texts[i], text, &how), &receipt))
            return false;
    p->messages_n++;
    return true;
}

/* ---- lines ---- */

static void show_progress(struct push *p)
{
    if (!p->has_progress || clock_mono_ms() - p->progress_ms < PROGRESS_MS)
        return;
    p->progress_ms = clock_mono_ms();
    fprintf(stderr, "\r%llu messages, %llu deliveries", (unsigned long long)p->messages_n,
            (unsigned long long)p->deliveries_n);
}

/* Sends the complete lines in front; at the end of the input also what is left. False: give up. */
static bool send_lines(struct push *p, struct buf *in, bool is_end)
{
    for (;;) {
        ptrdiff_t end = span_find(buf_span(in), '\n');
        if (end < 0 && (!is_end || in->len == 0))
            break;
        size_t len = end < 0 ? in->len : (size_t)end;
        if (!send_message(p, gw_bytes(in->at, len)))
            return false;
        buf_consume(in, end < 0 ? len : len + 1);
        show_progress(p);
    }
    if (in->len <= LINE_MAX_BYTES)
        return true;
    fprintf(stderr, "line %llu is longer than %d bytes\n", (unsigned long long)p->messages_n + 1,
            LINE_MAX_BYTES);
    return false;
}

/* A line is sent as soon as it is there, so that a program may go on writing for hours. */
static bool send_input(struct push *p)
{
    struct buf in = {0};
    bool is_good = true;
    ssize_t n = 1;

    p->has_progress = !p->is_quiet && isatty(STDERR_FILENO);
    while (is_good && n != 0) {
        n = read(STDIN_FILENO, buf_reserve(&in, READ_STEP), READ_STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fprintf(stderr, "stdin: %s\n", strerror(errno));
            is_good = false;
            break;
        }
        buf_commit(&in, (size_t)n);
        is_good = send_lines(p, &in, n == 0);
    }
    if (p->has_progress)
        fputs("\r\033[K", stderr); /* ECMA-48 §8.3.41 EL */
    buf_fini(&in);
    return is_good;
}

/* ---- the end ---- */

static const char *plural(uint64_t n, const char *one, const char *many)
{
    return n == 1 ? one : many;
}

static void tell(const struct push *p, bool is_good)
{
    for (const struct trouble *t = p->troubles; t; t = t->next)
        fprintf(stderr, "gateway %s: %s (%llu %s)\n", t->address, gw_strerror(t->rc),
                (unsigned long long)t->messages_n, plural(t->messages_n, "message", "messages"));
    if (!is_good && !p->text)
        fprintf(stderr, "stopped after %llu %s\n", (unsigned long long)p->messages_n,
                plural(p->messages_n, "message", "messages"));
    if (p->is_quiet || p->messages_n == 0)
        return;
    printf("%llu %s, %llu %s%s\n", (unsigned long long)p->messages_n,
           plural(p->messages_n, "message", "messages"), (unsigned long long)p->deliveries_n,
           plural(p->deliveries_n, "delivery", "deliveries"),
           p->has_uncounted ? " (not all gateways count)" : "");
}

static void names_fini(struct names *names)
{
    mem_free(names->at);
    mem_free(names->texts);
}

static void push_fini(struct push *p)
{
    while (p->troubles) {
        struct trouble *next = p->troubles->next;
        mem_free(p->troubles);
        p->troubles = next;
    }
    names_fini(&p->uids);
    names_fini(&p->groups);
    names_fini(&p->clients);
    names_fini(&p->excluded);
    gw_close(p->gw);
}

static int run(struct push *p)
{
    p->gw = target_open(&p->target);
    if (!p->gw)
        return EXIT_CODE_FAILED;
    bool is_good = p->text ? send_message(p, gw_str(p->text)) : send_input(p);
    tell(p, is_good);
    return is_good && !p->troubles ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

int push_main(int argc, char **argv)
{
    struct push p = {0};
    bool is_done;
    int exit_code = parse(&p, argc, argv, &is_done);

    if (!is_done)
        exit_code = run(&p);
    push_fini(&p);
    return exit_code;
}
