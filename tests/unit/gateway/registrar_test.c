/* A gateway and its registry: it says where it is, again after each loss, and stops with the end.
 */
#include "gateway/registrar.h"

#include "gateway_fixture.h"
#include "support/fake_clock.h"

static int accept_registration(const struct gateway_bench *b, const char *key)
{
    char want[256], line[256];
    int fd = -1;
    for (int i = 0; i < TURNS_MAX && fd < 0; i++) {
        loop_turn(b->env.loop, 10);
        fd = accept4(b->registry, NULL, NULL, SOCK_NONBLOCK);
    }
    assert_true(fd >= 0);
    int len = snprintf(want, sizeof(want),
                       "{\"event\":\"gateway_connect\", \"address\":\"127.0.0.1:2300\", "
                       "\"secret_key\":\"%s\"}\n",
                       key);
    take(b, fd, (uint8_t *)line, (size_t)len);
    assert_memory_equal(line, want, (size_t)len);
    return fd;
}

static void it_registers_again_after_a_loss(void **state)
{
    struct gateway_bench b;
    fake_clock_start(1000);
    bench_start(&b, "secret_key = k\"ey");
    int fd = accept_registration(&b, "k\\\"ey");
    close(fd);
    turn(&b, 4);
    assert_int_equal(accept4(b.registry, NULL, NULL, SOCK_NONBLOCK), -1); /* not at once */
    fake_clock_advance(1000);
    fd = accept_registration(&b, "k\\\"ey");
    fake_clock_stop();
    loop_turn(b.env.loop, 0); /* sees the real time, before a deadline is made of the other */
    bench_end(&b);
    close(fd);
}

/* A registry says nothing to gateways; what it says all the same is no reason to leave. */
static void words_of_a_registry_are_only_logged(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int fd = accept_registration(&b, "");
    put(fd, "what do you want?\n\n{}\n", 22);
    turn(&b, 10);
    uint8_t byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    gateway_role.stop(b.self);
    turn_until_closed(&b, fd); /* the end of the gateway is the end of the registration */
    bench_end(&b);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_registers_again_after_a_loss),
        cmocka_unit_test(words_of_a_registry_are_only_logged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
