/* A TLS client at a port without TLS: how it is recognised, and what it is told. */
#include "proto/tls_hello.h"

bool tls_hello_may_begin(uint8_t first)
{
    return first == 22; /* RFC 8446 §5.1: type handshake(22) */
}

bool tls_hello_is(struct span in)
{
    /* RFC 8446 §5.1: version 0x0301 or 0x0303; numbers beside them are a TLS client no less. */
    return in.len >= 3 && tls_hello_may_begin(in.at[0]) && in.at[1] == 3 && in.at[2] <= 4;
}

struct span tls_hello_refusal(void)
{
    /* RFC 8446 §6: type alert(21), version, two bytes: fatal(2), handshake_failure(40). */
    static const uint8_t alert[] = {21, 3, 1, 0, 2, 2, 40};
    return span_of(alert, sizeof alert);
}
