/* uWebSockets as a peer of the benchmark: the protocol of bench/thin.c, one process, no worker. */
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "App.h"

struct Nothing {
};

int main(int argc, char **argv)
{
    int port = argc > 1 ? atoi(argv[1]) : 0;
    uWS::App app;
    app.ws<Nothing>("/*",
                    {.compression = uWS::DISABLED,
                     .maxPayloadLength = 1 << 20,
                     .idleTimeout = 0,
                     .maxBackpressure = 64 << 20,
                     .closeOnBackpressureLimit = false,
                     .message =
                         [&app](auto *ws, std::string_view message, uWS::OpCode code) {
                             std::string_view rest = message.substr(1);
                             if (message[0] == 'e') {
                                 ws->send(rest, code);
                             } else if (message[0] == 'j' || message[0] == 'u') {
                                 ws->subscribe(rest);
                             } else if (message[0] == 'p') {
                                 size_t bar = rest.find('|');
                                 app.publish(rest.substr(0, bar), rest.substr(bar + 1), code);
                             }
                         }})
        .listen("127.0.0.1", port, [port](auto *listener) {
            if (!listener)
                exit(1);
            printf("ready %d\n", port);
            fflush(stdout);
        });
    app.run();
}
