/* Rings of list nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/list.h"

struct item {
    int n;
    struct list node;
};

/* The numbers of all items as one decimal number, walked in both directions. */
static int walk(const struct list *head)
{
    int forth = 0, back = 0, digit = 1;
    for (struct list *at = head->next; at != head; at = at->next)
        forth = forth * 10 + CONTAINER_OF(at, struct item, node)->n;
    for (struct list *at = head->prev; at != head; at = at->prev, digit *= 10)
        back += CONTAINER_OF(at, struct item, node)->n * digit;
    assert_int_equal(forth, back);
    return forth;
}

static void appending_and_removing(void **state)
{
    struct item items[3] = {{.n = 1}, {.n = 2}, {.n = 3}};
    struct list head;
    list_init(&head);
    assert_true(list_is_empty(&head));
    for (int i = 0; i < 3; i++)
        list_append(&head, &items[i].node);
    assert_int_equal(walk(&head), 123);
    list_remove(&items[1].node);
    list_remove(&items[1].node); /* does nothing */
    assert_int_equal(walk(&head), 13);
    list_append(&head, &items[1].node);
    assert_int_equal(walk(&head), 132);
}

static void taking_all(void **state)
{
    struct item items[3] = {{.n = 1}, {.n = 2}, {.n = 3}};
    struct list a, b;
    list_init(&a);
    list_init(&b);
    list_take_all(&a, &b);
    assert_true(list_is_empty(&a));
    list_append(&a, &items[0].node);
    list_append(&b, &items[1].node);
    list_append(&b, &items[2].node);
    list_take_all(&a, &b);
    assert_int_equal(walk(&a), 123);
    assert_true(list_is_empty(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appending_and_removing),
        cmocka_unit_test(taking_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
