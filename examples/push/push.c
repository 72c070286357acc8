/* Sends a message to a group from outside: push REGISTRY GROUP TEXT, the secret in
 * GATEHOUSE_SECRET.
 */
#include <stdio.h>
#include <stdlib.h>

#include <gw/gateway.h>

static int complain(const char *what, int rc)
{
    fprintf(stderr, "%s: %s\n", what, gw_strerror(rc));
    return EXIT_FAILURE;
}

/* A gateway that failed costs its own share: the others have delivered. */
static void tell(const struct gw_receipt *receipt)
{
    for (size_t i = 0; i < receipt->n; i++)
        if (receipt->gateways[i].rc < 0)
            complain(receipt->gateways[i].address, receipt->gateways[i].rc);
}

static int push(struct gw *gw, const char *group, const char *text)
{
    const struct gw_client_list *members;
    const struct gw_receipt *receipt;
    struct gw_bytes name = gw_str(group);
    struct gw_send how = {.receipt = &receipt};

    int rc = gw_get_client_ids_by_group(gw, name, &members);
    if (!members)
        return complain("who is there", rc);
    rc = gw_send_to_groups(gw, &name, 1, gw_str(text), &how);
    if (receipt) {
        printf("%zu in %s, %llu reached\n", members->n, group,
               (unsigned long long)receipt->receivers);
        tell(receipt);
    }
    for (size_t i = 0; i < members->n; i++)
        puts(members->clients[i].id);
    gw_result_free(receipt);
    gw_result_free(members);
    return rc == 0 ? EXIT_SUCCESS : complain("send", rc);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "Usage: %s REGISTRY GROUP TEXT\n", argv[0]);
        return EXIT_FAILURE;
    }
    struct gw *gw = gw_open(argv[1], getenv("GATEHOUSE_SECRET"));
    if (!gw) {
        fprintf(stderr, "%s: no usable address; write host:port\n", argv[1]);
        return EXIT_FAILURE;
    }
    int status = push(gw, argv[2], argv[3]);
    gw_close(gw);
    return status;
}
