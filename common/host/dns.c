#include "common/host/dns.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

#define TIMEOUT_S "2" // of one question to one server
#define ATTEMPTS "2"

struct dns {
    struct evdns_base *base;
};

struct dns_query {
    struct evdns_getaddrinfo_request *request;
    dns_done_fn *done; // NULL: forgotten
    void *context;
    bool is_over, is_starting;
};

struct dns *dns_open(struct loop *loop, const char *server)
{
    const int flags = server == NULL ? EVDNS_BASE_INITIALIZE_NAMESERVERS : 0;
    struct dns *dns = calloc(1, sizeof *dns);
    if (dns == NULL)
        return NULL;
    dns->base = evdns_base_new(loop_base(loop), flags | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (dns->base == NULL && server == NULL) // there is no configuration: nothing is found
        dns->base = evdns_base_new(loop_base(loop), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (dns->base == NULL ||
        (server != NULL && evdns_base_nameserver_ip_add(dns->base, server) != 0) ||
        evdns_base_set_option(dns->base, "timeout:", TIMEOUT_S) != 0 ||
        evdns_base_set_option(dns->base, "attempts:", ATTEMPTS) != 0) {
        dns_close(dns);
        return NULL;
    }
    evdns_base_search_clear(dns->base); // a name is whole
    return dns;
}

void dns_close(struct dns *dns)
{
    if (dns == NULL)
        return;
    if (dns->base != NULL)
        evdns_base_free(dns->base, 0);
    free(dns);
}

static void found(int error, struct evutil_addrinfo *list, void *context)
{
    struct dns_query *q = context;
    struct ip addresses[DNS_ADDRESSES_MAX];
    size_t count = 0;
    bool is_whole = error == 0;
    for (const struct evutil_addrinfo *a = list; is_whole && a != NULL; a = a->ai_next) {
        is_whole = count < DNS_ADDRESSES_MAX && ip_of_socket(a->ai_addr, &addresses[count]);
        count++;
    }
    if (list != NULL)
        evutil_freeaddrinfo(list);
    q->is_over = true;
    if (q->done != NULL)
        q->done(q->context, addresses, is_whole ? count : 0);
    if (!q->is_starting)
        free(q);
}

struct dns_query *dns_look(struct dns *dns, const char *name, dns_done_fn *done, void *context)
{
    const struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct dns_query *q = calloc(1, sizeof *q);
    if (q == NULL) {
        done(context, NULL, 0);
        return NULL;
    }
    q->done = done;
    q->context = context;
    q->is_starting = true;
    q->request = evdns_getaddrinfo(dns->base, name, NULL, &hints, found, q);
    q->is_starting = false;
    if (!q->is_over)
        return q;
    free(q);
    return NULL;
}

void dns_forget(struct dns_query *query)
{
    query->done = NULL;
    evdns_getaddrinfo_cancel(query->request); // which calls found(), later
}
