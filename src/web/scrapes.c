/* Metrics for Prometheus. The master is asked once, however many ask here meanwhile; so it, and all
 * processes behind it, answer at most once per SCRAPES_FRESH_MS and web process. */
#include "web/scrapes.h"

#include "base/log.h"
#include "net/cidr_conf.h"

static void add_loopback(struct cidr_set *set)
{
    static const char *const loopback[] = {"127.0.0.0/8", "::1"};
    for (size_t i = 0; i < ARRAY_LEN(loopback); i++) {
        struct cidr c;
        if (cidr_parse(loopback[i], &c) == 0)
            cidr_set_add(set, &c);
    }
}

static void finish_all(struct scrapes *all, struct span text)
{
    struct list done;
    list_init(&done);
    list_take_all(&done, &all->waiting); /* whoever asks again from on_done waits anew */
    while (!list_is_empty(&done)) {
        struct scrape *s = CONTAINER_OF(done.next, struct scrape, node);
        scrape_stop(s);
        s->on_done(s->owner, text);
    }
}

static void on_deadline(struct timer *t)
{
    static struct log_rate rate;
    log_limited(&rate, LOG_WARN, "web: no metrics from the master within %d s",
                SCRAPES_WAIT_MS / 1000);
    finish_all(CONTAINER_OF(t, struct scrapes, deadline), span_of(NULL, 0));
}

void scrapes_init(struct scrapes *all, struct role_env *env, const struct web_conf *conf)
{
    *all = (struct scrapes){.env = env,
                            .path = conf->metrics,
                            .allowed = cidr_conf_read(&conf->metrics_allow),
                            .deadline = {.fire = on_deadline}};
    list_init(&all->waiting);
    if (all->allowed.len == 0)
        add_loopback(&all->allowed);
}

void scrapes_fini(struct scrapes *all)
{
    timer_stop(all->env->loop, &all->deadline);
    cidr_set_fini(&all->allowed);
    buf_fini(&all->text);
}

bool scrapes_serves(const struct scrapes *all, const struct http_request *r)
{
    return all->path && *all->path && !r->has_stray_lines && span_is(r->path, all->path);
}

bool scrapes_allows(const struct scrapes *all, const struct addr *peer)
{
    return cidr_set_has(&all->allowed, peer);
}

void scrape_start(struct scrapes *all, struct scrape *s, scrapes_done_fn *on_done, void *owner)
{
    struct loop *loop = all->env->loop;
    if (all->has_text && loop_now_ms(loop) - all->text_ms < SCRAPES_FRESH_MS) {
        on_done(owner, buf_span(&all->text));
        return;
    }
    *s = (struct scrape){.is_waiting = true, .on_done = on_done, .owner = owner};
    list_append(&all->waiting, &s->node);
    if (timer_is_running(&all->deadline))
        return;
    timer_start(loop, &all->deadline, SCRAPES_WAIT_MS);
    all->env->ask_metrics(all->env);
}

void scrape_stop(struct scrape *s)
{
    if (s->is_waiting)
        list_remove(&s->node);
    s->is_waiting = false;
}

void scrapes_take(struct scrapes *all, struct span text)
{
    static struct log_rate rate;
    timer_stop(all->env->loop, &all->deadline);
    buf_clear(&all->text);
    if (text.len > SCRAPES_TEXT_MAX_BYTES) {
        log_limited(&rate, LOG_WARN,
                    "web: %zu bytes of metrics are more than one answer takes (%d)", text.len,
                    SCRAPES_TEXT_MAX_BYTES);
        text = span_of(NULL, 0);
    }
    buf_put_span(&all->text, text);
    all->text_ms = loop_now_ms(all->env->loop);
    all->has_text = text.len > 0;
    finish_all(all, buf_span(&all->text));
}
