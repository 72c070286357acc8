/* A test module: makes the call that a client's message names, and tells its result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gw/gateway.h>
#include <gw/module.h>

enum { WORDS_MAX = 8, TEXT_MAX = 8192 };

/* "word a b the rest": words[2] takes everything behind the second one. */
struct order {
    char text[TEXT_MAX];
    char *words[3];
};

static void tell(struct gw *gw, const char *id, const char *word, const char *result)
{
    char text[TEXT_MAX + 64];

    snprintf(text, sizeof text, "=%s %s", word, result);
    gw_send_to_client(gw, id, gw_str(text));
}

static void tell_number(struct gw *gw, const char *id, const char *word, long long number)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", number);
    tell(gw, id, word, text);
}

static size_t split(char *text, char *out[WORDS_MAX])
{
    size_t n = 0;

    for (char *at = strtok(text, ","); at && n < WORDS_MAX; at = strtok(NULL, ","))
        out[n++] = at;
    return n;
}

/* ---- sending ---- */

static int send_names(struct gw *gw, struct order *o, const struct gw_send *how, bool is_uid)
{
    char *at[WORDS_MAX];
    struct gw_bytes names[WORDS_MAX];
    size_t n = split(o->words[1], at);

    for (size_t i = 0; i < n; i++)
        names[i] = gw_str(at[i]);
    return is_uid ? gw_send_to_uids(gw, names, n, gw_str(o->words[2]), how)
                  : gw_send_to_groups(gw, names, n, gw_str(o->words[2]), how);
}

static int send_but(struct gw *gw, struct order *o, const char *id)
{
    struct gw_send how = {.exclude_ids = &id, .exclude_n = 1};

    return strcmp(o->words[1], "*") == 0 ? gw_send_to_all(gw, gw_str(o->words[2]), &how)
                                         : send_names(gw, o, &how, false);
}

static int send_only(struct gw *gw, struct order *o)
{
    char *at[WORDS_MAX];
    const char *ids[WORDS_MAX];
    size_t n = split(o->words[1], at);

    for (size_t i = 0; i < n; i++)
        ids[i] = at[i];
    struct gw_send how = {.only_ids = ids, .only_n = n};
    return gw_send_to_all(gw, gw_str(o->words[2]), &how);
}

/* To a group, to all ("*") or to a client, with a receipt; "but": without whoever asks. */
static void send_counted(struct gw *gw, const char *id, struct order *o, bool is_but)
{
    const struct gw_receipt *receipt = NULL;
    struct gw_send how = {.receipt = &receipt};
    char text[64];
    int rc;

    if (is_but) {
        how.exclude_ids = &id;
        how.exclude_n = 1;
    }
    if (strcmp(o->words[1], "*") == 0)
        rc = gw_send_to_all(gw, gw_str(o->words[2]), &how);
    else if (strlen(o->words[1]) == 20)
        rc = gw_send_to_client_with(gw, o->words[1], gw_str(o->words[2]), &how);
    else
        rc = send_names(gw, o, &how, false);
    snprintf(text, sizeof text, "%d %llu of %zu", rc,
             receipt ? (unsigned long long)receipt->receivers : 0, receipt ? receipt->n : 0);
    gw_result_free(receipt);
    tell(gw, id, o->words[0], text);
}

static bool run_send(struct gw *gw, const char *id, struct order *o)
{
    const char *word = o->words[0];
    int rc = 0;

    if (strcmp(word, "group") == 0)
        rc = send_names(gw, o, NULL, false);
    else if (strcmp(word, "uids") == 0)
        rc = send_names(gw, o, NULL, true);
    else if (strcmp(word, "all") == 0)
        rc = gw_send_to_all(gw, gw_str(o->words[1]), NULL);
    else if (strcmp(word, "but") == 0)
        rc = send_but(gw, o, id);
    else if (strcmp(word, "only") == 0)
        rc = send_only(gw, o);
    else if (strcmp(word, "to") == 0)
        rc = gw_send_to_client(gw, o->words[1], gw_str(o->words[2]));
    else
        return false;
    if (rc < 0)
        tell_number(gw, id, "failed", rc);
    return true;
}

/* ---- asking ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void tell_sorted(struct gw *gw, const char *id, const char *word, int rc, const char **texts,
                        size_t n)
{
    char text[TEXT_MAX];
    size_t len = (size_t)snprintf(text, sizeof text, "%d", rc);

    qsort(texts, n, sizeof *texts, by_text);
    for (size_t i = 0; i < n && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, " %s", texts[i]);
    tell(gw, id, word, text);
}

static void tell_clients(struct gw *gw, const char *id, const char *word, int rc,
                         const struct gw_client_list *list)
{
    size_t n = list ? list->n : 0;
    const char **texts = calloc(n + 1, sizeof *texts);

    for (size_t i = 0; texts && i < n; i++)
        texts[i] = list->clients[i].id;
    if (texts)
        tell_sorted(gw, id, word, rc, texts, n);
    free(texts);
    gw_result_free(list);
}

static void tell_names(struct gw *gw, const char *id, const char *word, int rc,
                       const struct gw_name_list *list)
{
    size_t n = list ? list->n : 0;
    const char **texts = calloc(n + 1, sizeof *texts);

    for (size_t i = 0; texts && i < n; i++)
        texts[i] = list->names[i].data;
    if (texts)
        tell_sorted(gw, id, word, rc, texts, n);
    free(texts);
    gw_result_free(list);
}

static bool run_ask(struct gw *gw, const char *id, struct order *o)
{
    const struct gw_client_list *clients = NULL;
    const struct gw_name_list *names = NULL;
    const char *word = o->words[0];
    struct gw_bytes name = gw_str(o->words[1]);
    int rc;

    if (strcmp(word, "count") == 0) {
        tell_number(gw, id, word, gw_get_all_client_count(gw));
    } else if (strcmp(word, "members") == 0) {
        rc = gw_get_client_ids_by_group(gw, name, &clients);
        tell_clients(gw, id, word, rc, clients);
    } else if (strcmp(word, "clients") == 0) {
        rc = gw_get_all_client_sessions(gw, &clients);
        tell_clients(gw, id, word, rc, clients);
    } else if (strcmp(word, "of") == 0) {
        rc = gw_get_client_ids_by_uid(gw, name, &clients);
        tell_clients(gw, id, word, rc, clients);
    } else if (strcmp(word, "groups") == 0) {
        rc = gw_get_all_groups(gw, &names);
        tell_names(gw, id, word, rc, names);
    } else if (strcmp(word, "everybody") == 0) {
        rc = gw_get_all_uids(gw, &names);
        tell_names(gw, id, word, rc, names);
    } else if (strcmp(word, "online") == 0) {
        tell_number(gw, id, word, gw_is_online(gw, o->words[1]));
    } else {
        return false;
    }
    return true;
}

/* ---- being ---- */

/* Ends the first word of *text, and moves on behind it. */
static char *cut(char **text)
{
    char *word = *text;
    char *blank = strchr(word, ' ');

    if (blank)
        *blank++ = '\0';
    *text = blank ? blank : word + strlen(word);
    return word;
}

static bool run_being(struct gw *gw, const char *id, struct order *o)
{
    const char *word = o->words[0];

    if (strcmp(word, "id") == 0)
        tell(gw, id, "id", id);
    else if (strcmp(word, "join") == 0)
        gw_join_group(gw, id, gw_str(o->words[1]));
    else if (strcmp(word, "leave") == 0)
        gw_leave_group(gw, id, gw_str(o->words[1]));
    else if (strcmp(word, "uid") == 0)
        gw_bind_uid(gw, id, gw_str(o->words[1]));
    else if (strcmp(word, "kick") == 0)
        gw_close_client(gw, o->words[1], gw_str("kicked"));
    else if (strcmp(word, "enlist") == 0)
        gw_join_group(gw, o->words[1], gw_str(o->words[2]));
    else if (strcmp(word, "welcome") == 0) {
        gw_join_group(gw, o->words[1], gw_str(o->words[2]));
        gw_send_to_group(gw, gw_str(o->words[2]), gw_str(o->words[2]));
    } else if (strcmp(word, "dissolve") == 0)
        gw_ungroup(gw, gw_str(o->words[1]));
    else
        return false;
    return true;
}

static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    const char *id = client->id;
    struct order o;
    char *rest = o.text;

    if (message.len >= sizeof o.text)
        return;
    memcpy(o.text, message.data, message.len);
    o.text[message.len] = '\0';
    o.words[0] = cut(&rest);
    o.words[1] = cut(&rest);
    o.words[2] = rest;
    if (strncmp(o.words[0], "counted", 7) == 0)
        send_counted(gw, id, &o, strcmp(o.words[0], "countedbut") == 0);
    else if (!run_being(gw, id, &o) && !run_send(gw, id, &o) && !run_ask(gw, id, &o))
        tell(gw, id, "unknown", o.words[0]);
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "cluster_probe",
    .on_message = on_message,
};
