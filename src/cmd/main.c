/* The gatehouse command: reads the config and hands its roles to the master, or asks a running one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "cmd/args.h"
#include "cmd/push.h"
#include "cmd/query.h"
#include "cmd/remote.h"
#include "cmd/roles.h"
#include "proc/exit_code.h"
#include "proc/master.h"
#include "proc/title.h"
#include "proc/version.h"

struct session {
    struct args args;
    char *conf_file;   /* a copy: process titles are written over the arguments */
    struct conf *conf; /* NULL for commands that need none, or when it is broken */
    struct master_conf settings;
    struct remote remote;
    struct buf default_socket;
};

static const char usage[] =
    "Usage: gatehouse COMMAND [-c FILE] [options]\n"
    "\n"
    "  start [-d] [-q]         start; -d: in the background, -q: without the banner\n"
    "  stop [-g]               stop; -g: after the work in hand\n"
    "  restart [-d] [-g] [-q]  stop, then start\n"
    "  reload [-g]             new business code in new processes; clients stay connected\n"
    "  status [-d] [--json]    processes and their counters; -d: live\n"
    "  connections             all connections of all processes\n"
    "  drain [NAME|PID] [--rate N|--seconds S] [--restart]\n"
    "                          gateways take no new clients, send the others elsewhere, end\n"
    "  undrain [NAME|PID]      they are started again\n"
    "  check                   check the config and build the modules, start nothing\n"
    "  push                    send messages to clients; see push --help\n"
    "  query                   who is connected; see query --help\n"
    "  keys                    every key of the config, as Markdown\n"
    "  version, help\n"
    "\n"
    "Without -c the config is ./gatehouse.conf or /etc/gatehouse/gatehouse.conf.\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage, 3 not running.\n";

static struct master_setup setup_of(const struct session *s)
{
    struct master_setup setup = {.conf = s->conf,
                                 .conf_file = s->conf_file,
                                 .settings = &s->settings,
                                 .is_detached = s->args.is_detached,
                                 .is_quiet = s->args.is_quiet};
    setup.roles = roles_all(&setup.roles_n);
    return setup;
}

static int do_start(struct session *s)
{
    struct master_setup setup = setup_of(s);
    return master_start(&setup);
}

static int do_stop(struct session *s)
{
    return remote_stop(&s->remote, &s->args);
}

static int do_check(struct session *s)
{
    struct master_setup setup = setup_of(s);
    int exit_code = master_check(&setup);
    if (exit_code == EXIT_CODE_OK)
        printf("%s: fine\n", s->conf_file);
    return exit_code;
}

/* The config is checked first: one that cannot start must not end what runs. */
static int do_restart(struct session *s)
{
    struct master_setup setup = setup_of(s);
    int exit_code = master_check(&setup);
    if (exit_code == EXIT_CODE_OK)
        exit_code = remote_stop(&s->remote, &s->args);
    return exit_code == EXIT_CODE_OK ? do_start(s) : exit_code;
}

static int do_reload(struct session *s)
{
    return remote_reload(&s->remote, &s->args);
}

static int do_status(struct session *s)
{
    return remote_status(&s->remote, &s->args);
}

static int do_connections(struct session *s)
{
    return remote_connections(&s->remote, &s->args);
}

static int do_drain(struct session *s)
{
    return remote_drain(&s->remote, &s->args);
}

static int do_undrain(struct session *s)
{
    return remote_undrain(&s->remote, &s->args);
}

static int do_keys(struct session *s)
{
    struct buf text = {0};
    size_t tables_n;
    const struct conf_table *const *tables = roles_tables(&tables_n);
    conf_reference(tables, tables_n, &text);
    fputs(buf_cstr(&text), stdout);
    buf_fini(&text);
    return EXIT_CODE_OK;
}

static int do_version(struct session *s)
{
    printf("Gatehouse/%s\n", GATEHOUSE_VERSION);
    return EXIT_CODE_OK;
}

static int do_help(struct session *s)
{
    fputs(usage, stdout);
    return EXIT_CODE_OK;
}

/* What a command needs of the config: a server that runs must be reachable with a broken one too.
 */
enum need { NEED_NOTHING, NEED_PLACE, NEED_CONF };

static const struct command {
    const char *name;
    int (*run)(struct session *s);
    enum need need;
    const char *options; /* NULL: any, and they are ignored */
} commands[] = {
    {"start", do_start, NEED_CONF, "-c -d -q"},
    {"stop", do_stop, NEED_PLACE, "-c -g"},
    {"restart", do_restart, NEED_CONF, "-c -d -g -q"},
    {"reload", do_reload, NEED_PLACE, "-c -g"},
    {"status", do_status, NEED_PLACE, "-c -d --json"},
    {"connections", do_connections, NEED_PLACE, "-c"},
    {"drain", do_drain, NEED_PLACE, "-c --rate --seconds --restart"},
    {"undrain", do_undrain, NEED_PLACE, "-c"},
    {"check", do_check, NEED_CONF, "-c"},
    {"keys", do_keys, NEED_NOTHING, "-c"},
    {"version", do_version, NEED_NOTHING, "-c"},
    {"help", do_help, NEED_NOTHING, NULL},
};

/* Commands with options of their own: they talk to a cluster, not to the server of one config. */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} tools[] = {
    {"push", push_main},
    {"query", query_main},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static void fill_remote(struct session *s)
{
    const struct master_conf *m = &s->settings;
    if (!s->conf)
        master_conf_default_socket(s->conf_file, &s->default_socket);
    s->remote = (struct remote){
        .conf_file = s->conf_file,
        .control_socket = s->conf ? m->control_socket : buf_cstr(&s->default_socket),
        .pid_file = s->conf ? m->pid_file : NULL,
        .stop_timeout_ms = m->stop_timeout_ms,
        .graceful_timeout_ms = m->graceful_timeout_ms,
        .prepare_timeout_ms = m->prepare_timeout_ms,
        .ready_timeout_ms = m->ready_timeout_ms,
    };
}

static int read_conf(struct session *s, enum need need)
{
    struct buf errors = {0};
    size_t tables_n;
    const struct conf_table *const *tables = roles_tables(&tables_n);
    s->conf_file = mem_strdup(args_find_conf(s->args.conf_file));
    int rc = conf_load(s->conf_file, tables, tables_n, &errors, &s->conf);
    fputs(buf_cstr(&errors), stderr);
    buf_fini(&errors);
    if (rc < 0 && need == NEED_CONF)
        return rc;
    if (rc < 0)
        fprintf(stderr, "%s is broken; looking for a running server at the default place\n",
                s->conf_file);
    master_conf_fill(s->conf, s->conf_file, &s->settings);
    fill_remote(s);
    return 0;
}

static bool has_options(const struct command *command, const struct args *a)
{
    struct buf errors = {0};
    if (!command->options || args_check(a, command->options, &errors) == 0)
        return true;
    fprintf(stderr, "%s\n%s", buf_cstr(&errors), usage);
    buf_fini(&errors);
    return false;
}

static int run(struct session *s)
{
    if (!s->args.command) {
        fputs(usage, stderr);
        return EXIT_CODE_USAGE;
    }
    const struct command *command = find_command(s->args.command);
    if (!command) {
        fprintf(stderr, "%s: unknown command\n\n%s", s->args.command, usage);
        return EXIT_CODE_USAGE;
    }
    if (!has_options(command, &s->args))
        return EXIT_CODE_USAGE;
    if (command->need != NEED_NOTHING && read_conf(s, command->need) < 0)
        return EXIT_CODE_FAILED;
    int exit_code = command->run(s);
    master_conf_fini(&s->settings);
    conf_free(s->conf);
    mem_free(s->conf_file);
    buf_fini(&s->default_socket);
    return exit_code;
}

int main(int argc, char **argv)
{
    static struct session s; /* static: role processes go on using the config in it */
    struct buf errors = {0};
    json_abort_without_memory();
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(tools); i++)
        if (strcmp(argv[1], tools[i].name) == 0)
            return tools[i].run(argc - 1, argv + 1);
    if (args_parse(argc, argv, &s.args, &errors) < 0) {
        fprintf(stderr, "%s\n%s", buf_cstr(&errors), usage);
        buf_fini(&errors);
        return EXIT_CODE_USAGE;
    }
    title_init(argc, argv);
    return run(&s);
}
