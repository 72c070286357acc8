/* A test module: each message is a call of the store, in words; the answer is what it gave. */
#include <stdio.h>
#include <string.h>

#include <gw/gateway.h>
#include <gw/json.h>
#include <gw/module.h>
#include <gw/store.h>

enum { WORDS_MAX = 8, ANSWER_MAX = 4096 };

static struct gw_store *store;

static void on_start(struct gw *gw)
{
    store = gw_store_open(gw, gw_option(gw, "store"));
}

static int64_t number(const char *text)
{
    long long n = 0;
    sscanf(text, "%lld", &n);
    return n;
}

static void say_values(char *out, const struct gw_values *v)
{
    size_t at = (size_t)snprintf(out, ANSWER_MAX, "%zu", v->n);
    for (size_t i = 0; i < v->n && at < ANSWER_MAX - 256; i++)
        at += (size_t)snprintf(out + at, ANSWER_MAX - at, " %.200s", v->values[i].data);
}

static void call(char *const word[WORDS_MAX], char *out)
{
    struct gw_bytes key = gw_str(word[1]);
    int64_t value = 0;
    int rc = 0;

    if (strcmp(word[0], "incr") == 0) {
        rc = gw_store_incr(store, key, gw_str(word[2]), number(word[3]), &value);
        snprintf(out, ANSWER_MAX, "%lld", (long long)value);
    } else if (strcmp(word[0], "set") == 0) {
        rc = gw_store_set(store, key, gw_str(word[2]), gw_str(word[3]));
        snprintf(out, ANSWER_MAX, "ok");
    } else if (strcmp(word[0], "get") == 0) {
        char *text = gw_store_get(store, key, gw_str(word[2]), NULL, &rc);
        snprintf(out, ANSWER_MAX, "%s", text ? text : "");
        gw_free(text);
    } else if (strcmp(word[0], "count") == 0) {
        value = gw_store_count(store, key);
        rc = value < 0 ? (int)value : 0;
        snprintf(out, ANSWER_MAX, "%lld", (long long)value);
    } else if (strcmp(word[0], "append") == 0) {
        rc = gw_store_append(store, key, gw_str(word[2]), (size_t)number(word[3]));
        snprintf(out, ANSWER_MAX, "ok");
    } else if (strcmp(word[0], "last") == 0) {
        const struct gw_values *values;
        rc = gw_store_last(store, key, (size_t)number(word[2]), &values);
        if (rc == 0)
            say_values(out, values);
        gw_values_free(values);
    } else if (strcmp(word[0], "redis") == 0) {
        const struct gw_reply *reply;
        struct gw_bytes argv[] = {key, gw_str(word[2])};
        rc = gw_redis(store, word[2][0] ? 2 : 1, argv, &reply);
        if (rc == 0)
            snprintf(out, ANSWER_MAX, "%d %s", (int)reply->type,
                     reply->text.data ? reply->text.data : "");
        gw_reply_free(reply);
    } else
        snprintf(out, ANSWER_MAX, "pong");
    if (rc < 0)
        snprintf(out, ANSWER_MAX, "error %d", rc);
}

static void on_message(struct gw *gw, const struct gw_client *client, struct gw_bytes message)
{
    static char none[] = "";
    char text[512];
    char answer[ANSWER_MAX] = "";
    char *words[WORDS_MAX] = {none, none, none, none, none, none, none, none};
    char *rest = text;

    snprintf(text, sizeof text, "%.*s", (int)message.len, message.data);
    for (size_t i = 0; i < WORDS_MAX && rest; i++)
        words[i] = strsep(&rest, " ");
    if (strcmp(words[0], "id") == 0)
        snprintf(answer, sizeof answer, "%s", client->id);
    else
        call(words, answer);
    gw_send_to_client(gw, client->id, gw_str(answer));
}

const struct gw_module gw_module = {
    .abi = GW_MODULE_ABI,
    .name = "storing",
    .on_start = on_start,
    .on_message = on_message,
};
