// The floor under the API: the same libmicrohttpd with the same way of waiting, and one answer for
// everything. Prints its port, and ends with its standard input.
//
//     bench_http_floor OCTETS
#include "common/base/check.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 2048
#define ANSWER_MAX 65536

// tidy: parameters, the signature is libmicrohttpd's
static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_len, void **of_request)
{
    (void)path;
    (void)method;
    (void)version;
    (void)upload;
    if (*of_request == NULL) {
        *of_request = context;
        return MHD_YES;
    }
    if (*upload_len > 0) {
        *upload_len = 0;
        return MHD_YES;
    }
    return MHD_queue_response(c, 200, context);
}

int main(int argc, char **argv)
{
    static char body[ANSWER_MAX];
    const size_t len = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (len == 0 || len > sizeof body) {
        (void)fprintf(stderr, "usage: bench_http_floor OCTETS, 1 to 65536\n");
        return 2;
    }
    memset(body, 'a', len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, body, MHD_RESPMEM_PERSISTENT);
    check(response != NULL &&
          MHD_add_response_header(response, "Content-Type", "application/json") == MHD_YES);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, response, MHD_OPTION_SOCK_ADDR,
        (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_END);
    check(daemon != NULL);
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    check(port != NULL);
    (void)printf("{\"http\":\"127.0.0.1:%u\"}\n", port->port);
    (void)fflush(stdout);
    while (getchar() != EOF)
        continue;
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return EXIT_SUCCESS;
}
