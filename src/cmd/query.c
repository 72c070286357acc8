/* Each question fills one table; gateways that fail are told beside it, and by the exit status. */
#include "cmd/query.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "client/addr_book.h"
#include "cmd/table.h"
#include "cmd/target.h"
#include "proc/exit_code.h"
#include "proto/client_id.h"

enum { BATCH = 500 }; /* names per question: a packet has 10 MiB at most, a name 255 bytes */

struct query {
    struct target target;
    bool is_json;
    struct gw_bytes *groups; /* --group */
    size_t groups_n;
    char **ids; /* behind "client" */
    size_t ids_n;

    struct gw *gw;
    struct table *table;
    struct gw_json *failures; /* [{"gateway":…,"error":…}] */
    int rc;                   /* GW_EPARTIAL when there are some */
};

static const char usage[] = "Usage: gatehouse query WHAT [options]\n"
                            "\n"
                            "  online [--group G]...    clients\n"
                            "  sessions [--group G]...  clients with their sessions\n"
                            "  groups                   groups with the number of their clients\n"
                            "  uids [--group G]...      uids with the number of their clients\n"
                            "  count [--group G]...     clients and uids, of all or of groups\n"
                            "  client ID...             uid, groups and session of clients\n"
                            "\n"
                            "  --json                  JSON instead of a table\n";
static const char usage_end[] =
    "\nExit status: 0 every gateway answered, 1 some did not, 2 wrong usage.\n";

/* ---- answers ---- */

static struct span span_from(struct gw_bytes b)
{
    return span_of(b.data, b.len);
}

static void note_failures(struct query *q, const struct gw_failure *failures, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct gw_json *failure = gw_json_object();
        gw_json_set_str(failure, "gateway", failures[i].address);
        gw_json_set_str(failure, "error", gw_strerror(failures[i].rc));
        gw_json_append(q->failures, failure);
    }
}

/* True when there is a list to take. What is left then is to note its failures. */
static bool has_list(struct query *q, int rc)
{
    if (rc < 0)
        q->rc = rc;
    return rc == 0 || rc == GW_EPARTIAL;
}

static void put_gateway(struct query *q, const char *client_id)
{
    struct client_id id = {0};
    char text[ADDR_TEXT_MAX];

    if (client_id_parse(span_str(client_id), &id) < 0)
        return;
    gateway_at_text(gateway_of(id), text);
    table_put_text(q->table, span_str(text));
}

static void put_session(struct query *q, const struct gw_session *s)
{
    char *json = s ? gw_session_json(s, NULL) : NULL;

    table_put_json(q->table, json);
    gw_free(json);
}

/* ---- clients ---- */

typedef int list_fn(struct gw *gw, const struct gw_client_list **out);
typedef int group_list_fn(struct gw *gw, struct gw_bytes group, const struct gw_client_list **out);

static void put_clients(struct query *q, int rc, const struct gw_client_list *list,
                        bool with_sessions)
{
    if (!has_list(q, rc))
        return;
    for (size_t i = 0; i < list->n; i++) {
        table_put_text(q->table, span_str(list->clients[i].id));
        if (with_sessions)
            put_session(q, list->clients[i].session);
        else
            put_gateway(q, list->clients[i].id);
    }
    note_failures(q, list->failures, list->failures_n);
    gw_result_free(list);
}

static void ask_clients(struct query *q, list_fn *all, group_list_fn *of_group, bool with_sessions)
{
    const struct gw_client_list *list;

    if (q->groups_n == 0) {
        int rc = all(q->gw, &list);
        put_clients(q, rc, list, with_sessions);
    }
    for (size_t i = 0; i < q->groups_n; i++) {
        int rc = of_group(q->gw, q->groups[i], &list);
        put_clients(q, rc, list, with_sessions);
    }
}

static void ask_online(struct query *q)
{
    ask_clients(q, gw_get_all_client_ids, gw_get_client_ids_by_group, false);
}

static void ask_sessions(struct query *q)
{
    ask_clients(q, gw_get_all_client_sessions, gw_get_client_sessions_by_group, true);
}

/* ---- names with counts ---- */

static void put_group_counts(struct query *q, const struct gw_bytes *groups, size_t n)
{
    const struct gw_name_count_list *counts;

    if (!has_list(q, gw_get_client_counts_by_groups(q->gw, groups, n, &counts)))
        return;
    for (size_t i = 0; i < counts->n; i++) {
        table_put_text(q->table, span_from(counts->at[i].name));
        table_put_count(q->table, counts->at[i].count);
    }
    gw_result_free(counts);
}

static void put_uid_counts(struct query *q, const struct gw_bytes *uids, size_t n)
{
    const struct gw_name_clients_list *found;

    if (!has_list(q, gw_get_client_ids_by_uids(q->gw, uids, n, &found)))
        return;
    for (size_t i = 0; i < found->n; i++) {
        table_put_text(q->table, span_from(found->at[i].name));
        table_put_count(q->table, found->at[i].n);
    }
    gw_result_free(found);
}

/* The failures of the list are told, not those of the counts, which are the same gateways. */
static void put_in_batches(struct query *q, int rc, const struct gw_name_list *names,
                           void (*put)(struct query *q, const struct gw_bytes *names, size_t n))
{
    if (!has_list(q, rc))
        return;
    for (size_t i = 0; i < names->n; i += BATCH)
        put(q, names->names + i, names->n - i < BATCH ? names->n - i : BATCH);
    note_failures(q, names->failures, names->failures_n);
    gw_result_free(names);
}

static void ask_groups(struct query *q)
{
    const struct gw_name_list *names;
    int rc = gw_get_all_groups(q->gw, &names);

    put_in_batches(q, rc, names, put_group_counts);
}

static void ask_uids(struct query *q)
{
    const struct gw_name_list *names;

    if (q->groups_n == 0) {
        int rc = gw_get_all_uids(q->gw, &names);
        put_in_batches(q, rc, names, put_uid_counts);
    }
    for (size_t i = 0; i < q->groups_n; i++) {
        int rc = gw_get_uids_by_group(q->gw, q->groups[i], &names);
        put_in_batches(q, rc, names, put_uid_counts);
    }
}

/* ---- counts ---- */

static void put_counts(struct query *q, struct span name, int rc,
                       const struct gw_client_list *clients, const struct gw_name_list *uids)
{
    if (!has_list(q, rc))
        return;
    table_put_text(q->table, name);
    table_put_count(q->table, clients->n);
    table_put_count(q->table, uids->n);
    note_failures(q, uids->failures, uids->failures_n);
}

/* Counted from lists, which also come when a gateway fails. */
static void ask_count(struct query *q)
{
    const struct gw_client_list *clients;
    const struct gw_name_list *uids = NULL;

    for (size_t i = 0; i < q->groups_n || i == 0; i++) {
        bool is_all = q->groups_n == 0;
        struct gw_bytes group = is_all ? gw_str("") : q->groups[i];
        int rc = is_all ? gw_get_all_client_ids(q->gw, &clients)
                        : gw_get_client_ids_by_group(q->gw, group, &clients);
        if (has_list(q, rc)) {
            rc = is_all ? gw_get_all_uids(q->gw, &uids) : gw_get_uids_by_group(q->gw, group, &uids);
            put_counts(q, is_all ? span_str("(all)") : span_from(group), rc, clients, uids);
        }
        gw_result_free(clients);
        gw_result_free(uids);
        uids = NULL;
    }
}

/* ---- one client ---- */

static void put_groups(struct query *q, const struct gw_name_list *groups)
{
    struct gw_json *list = gw_json_array();

    for (size_t i = 0; groups && i < groups->n; i++)
        gw_json_append(list, gw_json_from_strn(groups->names[i]));
    char *text = gw_json_dump(list, GW_JSON_PLAIN, NULL);
    table_put_json(q->table, text);
    gw_free(text);
    gw_json_free(list);
}

static void ask_client(struct query *q, const char *id)
{
    const struct gw_name_list *groups = NULL;
    char *uid = NULL;
    int rc = gw_is_online(q->gw, id);
    bool is_online = rc == 1;

    if (is_online)
        uid = gw_get_uid_by_client(q->gw, id, &rc);
    if (is_online && rc >= 0)
        rc = gw_get_groups_by_client(q->gw, id, &groups);
    struct gw_session *session = is_online && rc >= 0 ? gw_get_session(q->gw, id, &rc) : NULL;
    if (rc < 0) {
        target_complain(id, rc);
        q->rc = rc;
    } else {
        table_put_text(q->table, span_str(id));
        table_put_bool(q->table, is_online);
        table_put_text(q->table, span_str(uid));
        put_groups(q, groups);
        put_session(q, session);
    }
    gw_session_free(session);
    gw_result_free(groups);
    gw_free(uid);
}

static void ask_each_client(struct query *q)
{
    for (size_t i = 0; i < q->ids_n; i++)
        ask_client(q, q->ids[i]);
}

/* ---- the command ---- */

static const struct question {
    const char *name; /* also of the list in JSON */
    void (*ask)(struct query *q);
    const char *columns[5];
    bool takes_groups;
    bool takes_ids;
} questions[] = {
    {.name = "online", .ask = ask_online, .columns = {"client", "gateway"}, .takes_groups = true},
    {.name = "sessions",
     .ask = ask_sessions,
     .columns = {"client", "session"},
     .takes_groups = true},
    {.name = "groups", .ask = ask_groups, .columns = {"group", "clients"}},
    {.name = "uids", .ask = ask_uids, .columns = {"uid", "clients"}, .takes_groups = true},
    {.name = "count",
     .ask = ask_count,
     .columns = {"group", "clients", "uids"},
     .takes_groups = true},
    {.name = "client",
     .ask = ask_each_client,
     .columns = {"client", "online", "uid", "groups", "session"},
     .takes_ids = true},
};

static const struct question *find_question(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        if (strcmp(questions[i].name, name) == 0)
            return &questions[i];
    return NULL;
}

static void add_group(struct query *q, const char *text)
{
    q->groups = mem_realloc(q->groups, (q->groups_n + 1) * sizeof *q->groups);
    q->groups[q->groups_n++] = gw_str(text);
}

enum { OPT_GROUP = 1, OPT_JSON };

static const struct option long_options[] = {
    {"group", required_argument, NULL, OPT_GROUP},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    TARGET_OPTIONS,
    {NULL, 0, NULL, 0},
};

static bool is_usable(const struct query *q, const struct question *what)
{
    struct client_id id;

    if (q->groups_n > 0 && !what->takes_groups) {
        fprintf(stderr, "--group does not go with %s\n", what->name);
        return false;
    }
    if ((q->ids_n > 0) != what->takes_ids) {
        fprintf(stderr, "%s takes %s\n", what->name,
                what->takes_ids ? "the ids of clients" : "no further words");
        return false;
    }
    for (size_t i = 0; i < q->ids_n; i++) {
        if (client_id_parse(span_str(q->ids[i]), &id) == 0)
            continue;
        fprintf(stderr, "%s: a client id has 20 hex digits\n", q->ids[i]);
        return false;
    }
    return true;
}

/* *what is NULL when the command is over, with the exit status returned. */
static int parse(struct query *q, int argc, char **argv, const struct question **what)
{
    int option;

    *what = NULL;
    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            printf("%s%s%s", usage, target_usage, usage_end);
            return EXIT_CODE_OK;
        }
        if (option == OPT_GROUP)
            add_group(q, optarg);
        else if (option == OPT_JSON)
            q->is_json = true;
        else if (option == '?' || target_option(&q->target, option, optarg) != TARGET_TAKEN)
            return EXIT_CODE_USAGE;
    }
    const struct question *named = optind < argc ? find_question(argv[optind]) : NULL;
    if (!named) {
        fputs(usage, stderr);
        return EXIT_CODE_USAGE;
    }
    q->ids = argv + optind + 1;
    q->ids_n = (size_t)(argc - optind - 1);
    if (!is_usable(q, named))
        return EXIT_CODE_USAGE;
    *what = named;
    return EXIT_CODE_OK;
}

static void print_json(struct query *q, const char *name)
{
    struct gw_json *out = gw_json_object();

    gw_json_set(out, name, table_json(q->table));
    gw_json_set(out, "failures", gw_json_copy(q->failures));
    char *text = gw_json_dump(out, GW_JSON_PLAIN, NULL);
    puts(text ? text : "{}");
    gw_free(text);
    gw_json_free(out);
}

static void print_failures(const struct query *q)
{
    for (size_t i = 0; i < gw_json_len(q->failures); i++) {
        const struct gw_json *failure = gw_json_at(q->failures, i);
        fprintf(stderr, "gateway %s: %s\n", gw_json_str(failure, "gateway", ""),
                gw_json_str(failure, "error", ""));
    }
}

static size_t columns_of(const struct question *what)
{
    size_t n = 0;

    while (n < ARRAY_LEN(what->columns) && what->columns[n])
        n++;
    return n;
}

static int run(struct query *q, const struct question *what)
{
    q->gw = target_open(&q->target);
    if (!q->gw)
        return EXIT_CODE_FAILED;
    /* Names are UTF-8 whatever the terminal speaks. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    q->failures = gw_json_array();
    q->table = table_new(what->columns, columns_of(what));
    what->ask(q);
    if (q->rc < 0 && q->rc != GW_EPARTIAL && !what->takes_ids)
        target_complain(what->name, q->rc);
    else if (q->is_json)
        print_json(q, what->name);
    else
        table_print(q->table, stdout);
    print_failures(q);
    return q->rc < 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

int query_main(int argc, char **argv)
{
    struct query q = {0};
    const struct question *what;
    int exit_code = parse(&q, argc, argv, &what);

    if (what)
        exit_code = run(&q, what);
    table_free(q.table);
    gw_json_free(q.failures);
    mem_free(q.groups);
    gw_close(q.gw);
    return exit_code;
}
