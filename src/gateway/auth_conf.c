/* Who may come in, by config: the keys' rules. */
#include "gateway/auth_conf.h"

#include <string.h>

#include <gw/err.h>

enum { SECRET_MIN_BYTES = 32 }; /* RFC 7518 §3.2 */

bool auth_conf_place(const char *text, enum auth_place *place, struct span *name)
{
    static const char *const kinds[] = {
        [AUTH_QUERY] = "query", [AUTH_HEADER] = "header", [AUTH_COOKIE] = "cookie"};
    struct span rest = span_str(text);
    struct span kind = span_cut(&rest, ':');
    *name = rest;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        *place = (enum auth_place)i;
        if (span_is(kind, kinds[i]))
            return rest.len > 0;
    }
    return false;
}

int auth_conf_check(const struct conf *conf, const struct conf_section *s,
                    const struct auth_conf *ac, struct buf *errors)
{
    size_t before = errors->len;
    enum auth_place place;
    struct span name;
    bool is_token = ac->kind == AUTH_HMAC || ac->kind == AUTH_JWT;
    for (size_t i = 0; i < ac->from.len; i++)
        if (!auth_conf_place(ac->from.at[i].text, &place, &name))
            conf_complain(conf, s, "auth_from", errors,
                          "write query:NAME, header:NAME or cookie:NAME, for instance query:token");
    if (is_token && !ac->key == !ac->key_file)
        conf_complain(conf, s, "auth", errors, "needs either auth_key or auth_key_file");
    if (is_token && ac->key && strlen(ac->key) < SECRET_MIN_BYTES)
        conf_complain(conf, s, "auth_key", errors,
                      "at least 32 bytes, for instance what `openssl rand -hex 32` prints");
    return errors->len > before ? GW_ECONF : 0;
}
