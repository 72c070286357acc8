/* What a packet between gateway and worker costs. */
#include <stdlib.h>
#include <string.h>

#include "bench/micro/micro.h"
#include "proto/wire.h"

struct sample {
    struct wire_packet packet;
    uint8_t bytes[1024];
};

static void encode(void *arg, size_t n)
{
    struct sample *s = arg;
    for (size_t i = 0; i < n; i++) {
        wire_encode(s->bytes, &s->packet);
        micro_keep(s->bytes[0]);
    }
}

static void decode(void *arg, size_t n)
{
    struct sample *s = arg;
    struct wire_packet out;
    for (size_t i = 0; i < n; i++)
        if (wire_decode(span_of(s->bytes, sizeof s->bytes), WIRE_PACKET_MAX, &out) <= 0)
            abort();
}

int main(void)
{
    static const char text[128] = "one hundred and twenty-eight bytes";
    static struct sample s = {
        .packet = {.cmd = CMD_ON_MESSAGE, .flag = WIRE_SCALAR, .connection_id = 7}};
    s.packet.body = span_of((const uint8_t *)text, sizeof text);
    micro_time("wire packet encode, 128 bytes", sizeof text, encode, &s);
    micro_time("wire packet decode, 128 bytes", sizeof text, decode, &s);
}
