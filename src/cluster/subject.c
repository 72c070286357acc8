/* The names of things on NATS: all gateways, one gateway, a group, a uid, the answers to one
 * process. */
#include "cluster/subject.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/crypto.h"

enum { NAME_MAX_BYTES = 255, NAME_TEXT_MAX = 4 * ((NAME_MAX_BYTES + 2) / 3) + 1 };

_Static_assert(SUBJECT_PREFIX_MAX + 3 + NAME_TEXT_MAX <= SUBJECT_MAX, "the longest subject fits");

void subject_all(const char *prefix, char out[SUBJECT_MAX])
{
    snprintf(out, SUBJECT_MAX, "%.*s.all", SUBJECT_PREFIX_MAX, prefix);
}

void subject_parts(const char *prefix, char out[SUBJECT_MAX])
{
    snprintf(out, SUBJECT_MAX, "%.*s.parts", SUBJECT_PREFIX_MAX, prefix);
}

void subject_at(const char *prefix, struct gateway_at at, char out[SUBJECT_MAX])
{
    snprintf(out, SUBJECT_MAX, "%.*s.at.%08" PRIx32 "%04" PRIx16, SUBJECT_PREFIX_MAX, prefix, at.ip,
             at.port);
}

/* From the standard alphabet (RFC 4648 §4) to that of §5. */
static void make_url_safe(char *text)
{
    for (; *text; text++) {
        if (*text == '+')
            *text = '-';
        else if (*text == '/')
            *text = '_';
        else if (*text == '=')
            *text = '\0';
    }
}

void subject_name(const char *prefix, enum subject_kind kind, struct span name,
                  char out[SUBJECT_MAX])
{
    char text[NAME_TEXT_MAX];

    crypto_base64(name, text, sizeof text);
    make_url_safe(text);
    snprintf(out, SUBJECT_MAX, "%.*s.%c.%s", SUBJECT_PREFIX_MAX, prefix, (char)kind, text);
}

void subject_inbox(const char *prefix, uint64_t id, char out[SUBJECT_MAX])
{
    snprintf(out, SUBJECT_MAX, "%.*s.re.%016" PRIx64, SUBJECT_PREFIX_MAX, prefix, id);
}
