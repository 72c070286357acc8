/* The load generator: one process that plays thousands of WebSocket clients and measures the
 * server.
 *
 *     load SCENARIO --port N [options]
 *
 * prints its result as one line of JSON. `load --help` lists scenarios and options; run.py makes
 * the whole benchmark out of such runs. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bench/scenario.h"

static const struct {
    const char *name;
    const char *meaning;
    int (*run)(const struct scenario_conf *conf);
} scenarios[] = {
    {"open", "fixed --rate of deliveries per second; latency from the scheduled send",
     scenario_open},
    {"closed", "one message in flight per room (--for echo: per client)", scenario_closed},
    {"handshakes", "connect, upgrade, close; --parallel at a time", scenario_handshakes},
    {"idle", "connections that only stay (--for full: with uid, group and session)", scenario_idle},
    {"login", "everybody logs in to one room of the chat at once", scenario_login},
    {"storm", "everybody is cut off and connects again at once", scenario_storm},
};

enum option_id {
    OPTION_PORT = 1,
    OPTION_ADAPTER,
    OPTION_FOR,
    OPTION_ROOMS,
    OPTION_MEMBERS,
    OPTION_PUBLISHERS,
    OPTION_BYTES,
    OPTION_RATE,
    OPTION_SECONDS,
    OPTION_WARMUP,
    OPTION_PID,
    OPTION_SLOW,
    OPTION_PARALLEL,
    OPTION_SOURCE,
    OPTION_TLS,
    OPTION_DECRYPT_EVERY,
    OPTION_DEFLATE,
    OPTION_RESTING,
    OPTION_CUE,
    OPTION_HELP,
};

static const struct option options[] = {
    {"port", required_argument, NULL, OPTION_PORT},
    {"adapter", required_argument, NULL, OPTION_ADAPTER},
    {"for", required_argument, NULL, OPTION_FOR},
    {"rooms", required_argument, NULL, OPTION_ROOMS},
    {"members", required_argument, NULL, OPTION_MEMBERS},
    {"publishers", required_argument, NULL, OPTION_PUBLISHERS},
    {"bytes", required_argument, NULL, OPTION_BYTES},
    {"rate", required_argument, NULL, OPTION_RATE},
    {"seconds", required_argument, NULL, OPTION_SECONDS},
    {"warmup", required_argument, NULL, OPTION_WARMUP},
    {"pid", required_argument, NULL, OPTION_PID},
    {"slow", required_argument, NULL, OPTION_SLOW},
    {"parallel", required_argument, NULL, OPTION_PARALLEL},
    {"source", required_argument, NULL, OPTION_SOURCE},
    {"tls", no_argument, NULL, OPTION_TLS},
    {"decrypt-every", required_argument, NULL, OPTION_DECRYPT_EVERY},
    {"deflate", no_argument, NULL, OPTION_DEFLATE},
    {"resting", no_argument, NULL, OPTION_RESTING},
    {"cue", no_argument, NULL, OPTION_CUE},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

static void help(void)
{
    char adapters[256];
    adapter_list(adapters, sizeof adapters);
    puts("load SCENARIO --port N [options]\n\nscenarios:");
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        printf("  %-12s %s\n", scenarios[i].name, scenarios[i].meaning);
    printf(
        "options:\n"
        "  --adapter NAME    what the server speaks: %s\n"
        "  --for PURPOSE     echo, room (default), idle, full\n"
        "  --rooms N         default 1\n"
        "  --members N       per room, default 500\n"
        "  --publishers N    per room, default 1 (open)\n"
        "  --bytes N         of payload, default 128\n"
        "  --rate N          deliveries per second, all rooms together (open)\n"
        "  --seconds S       measured, default 2\n"
        "  --warmup S        before that, default 0.5\n"
        "  --pid PID         the server's root process, for CPU time and memory\n"
        "  --slow SHARE      of the members, who stop reading (open)\n"
        "  --parallel N      handshakes in flight, default 64\n"
        "  --source N        connect from 127.0.0.N and following, default 1\n"
        "  --resting         does not spin: the server uses this core too (open, closed)\n"
        "  --decrypt-every N over TLS, publishers and one member in N; others follow the records\n"
        "                    and count their bytes (open)\n"
        "  --cue             waits for a line on stdin before it begins (storm), or measures at\n"
        "                    each line until stdin ends (closed, handshakes)\n"
        "  --tls --deflate\n",
        adapters);
}

static int purpose_of(const char *name, enum purpose *out)
{
    static const char *const names[] = {
        [FOR_IDLE] = "idle", [FOR_FULL] = "full", [FOR_ECHO] = "echo", [FOR_ROOM] = "room"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum purpose)i;
            return 0;
        }
    fprintf(stderr, "load: --for %s: unknown\n", name);
    return -1;
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

/* Sets what one option says: 0 or -1 with a message. */
static int set_fleet(struct fleet_conf *f, int id, const char *value)
{
    switch (id) {
    case OPTION_PORT:
        f->port = (uint16_t)number(value);
        return 0;
    case OPTION_ADAPTER:
        f->adapter = adapter_find(value);
        if (!f->adapter)
            fprintf(stderr, "load: --adapter %s: unknown\n", value);
        return f->adapter ? 0 : -1;
    case OPTION_FOR:
        return purpose_of(value, &f->purpose);
    case OPTION_ROOMS:
        f->rooms_n = number(value);
        return 0;
    case OPTION_MEMBERS:
        f->members_n = number(value);
        return 0;
    case OPTION_PUBLISHERS:
        f->publishers_n = number(value);
        return 0;
    case OPTION_BYTES:
        f->payload_len = number(value);
        return 0;
    case OPTION_SOURCE:
        f->source = number(value);
        return 0;
    case OPTION_TLS:
        f->has_tls = true;
        return 0;
    case OPTION_DECRYPT_EVERY:
        f->decrypt_every = number(value);
        return 0;
    case OPTION_DEFLATE:
        f->has_deflate = true;
        return 0;
    default:
        return -1;
    }
}

static int set(struct scenario_conf *conf, int id, const char *value)
{
    switch (id) {
    case OPTION_RATE:
        conf->rate = strtod(value, NULL);
        return 0;
    case OPTION_SECONDS:
        conf->seconds = strtod(value, NULL);
        return 0;
    case OPTION_WARMUP:
        conf->warmup = strtod(value, NULL);
        return 0;
    case OPTION_PID:
        conf->server = (pid_t)number(value);
        return 0;
    case OPTION_SLOW:
        conf->slow_share = strtod(value, NULL);
        return 0;
    case OPTION_PARALLEL:
        conf->in_parallel = number(value);
        return 0;
    case OPTION_RESTING:
        conf->is_resting = true;
        return 0;
    case OPTION_CUE:
        conf->has_cue = true;
        return 0;
    case OPTION_HELP:
        help();
        exit(0);
    default:
        return set_fleet(&conf->fleet, id, value);
    }
}

/* What makes no sense, and what follows from the purpose. */
static int complete(struct scenario_conf *conf, const char *scenario)
{
    struct fleet_conf *f = &conf->fleet;
    bool is_open = strcmp(scenario, "open") == 0;
    bool is_idle = strcmp(scenario, "idle") == 0 || strcmp(scenario, "storm") == 0;
    bool is_alone = f->purpose == FOR_ECHO || is_idle;
    if (is_alone) { /* a room of one each */
        f->rooms_n *= f->members_n;
        f->members_n = 1;
    }
    if (!is_open)
        f->publishers_n = 1;
    uint64_t clients_n = (uint64_t)f->rooms_n * f->members_n;
    uint64_t senders_n = (uint64_t)f->rooms_n * f->publishers_n;
    if (f->port == 0 || clients_n == 0 || clients_n > 1000000 || f->publishers_n == 0 ||
        f->publishers_n > f->members_n || senders_n > UINT16_MAX || f->payload_len < STAMP_LEN ||
        f->payload_len > 32768 || (is_open && conf->rate <= 0)) {
        fprintf(stderr, "load: impossible numbers; see load --help\n");
        return -1;
    }
    if (strcmp(scenario, "login") == 0)
        f->purpose = FOR_LOGIN;
    if (is_idle && f->purpose != FOR_FULL)
        f->purpose = FOR_IDLE;
    return 0;
}

/* Every client is a descriptor; and a wait of 60 us shall not become one of 110. */
static void prepare_process(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    prctl(PR_SET_TIMERSLACK, 1);
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
}

int main(int argc, char **argv)
{
    struct scenario_conf conf = {
        .fleet = {.adapter = adapter_find("floor"),
                  .purpose = FOR_ROOM,
                  .rooms_n = 1,
                  .members_n = 500,
                  .publishers_n = 1,
                  .payload_len = 128,
                  .source = 1},
        .seconds = 2,
        .warmup = 0.5,
        .in_parallel = 64,
    };
    for (int id; (id = getopt_long(argc, argv, "", options, NULL)) != -1;)
        if (set(&conf, id, optarg) < 0)
            return 2;
    const char *scenario = optind < argc ? argv[optind] : "";
    prepare_process();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (strcmp(scenarios[i].name, scenario) == 0)
            return complete(&conf, scenario) < 0 ? 2 : scenarios[i].run(&conf) < 0;
    help();
    return 2;
}
