#include "common/host/net.h"

#include "common/base/check.h"
#include "common/base/text.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#define HOST_MAX 255 // a domain name [RFC 1035 §2.3.4]
#define PORT_MAX_DIGITS 5

const char *net_error_name(enum net_error error)
{
    switch (error) {
    case NET_OK:
        return "ok";
    case NET_BAD_ADDRESS:
        return "bad-address";
    case NET_IN_USE:
        return "in-use";
    case NET_DENIED:
        return "denied";
    case NET_NO_RESOURCES:
        return "no-resources";
    case NET_FAILED:
        return "failed";
    }
    check(false);
}

const char *net_end_name(enum net_end end)
{
    switch (end) {
    case NET_END_PEER:
        return "peer";
    case NET_END_OWN:
        return "own";
    case NET_END_RESET:
        return "reset";
    case NET_END_REFUSED:
        return "refused";
    case NET_END_UNREACHABLE:
        return "unreachable";
    case NET_END_TIMEOUT:
        return "timeout";
    case NET_END_TLS:
        return "tls";
    case NET_END_FAILED:
        return "failed";
    }
    check(false);
}

struct host_port {
    char host[HOST_MAX + 1];
    char port[PORT_MAX_DIGITS + 1];
};

// Parts at the last colon and takes the brackets off; false for anything but host:port.
static bool split(const char *text, struct host_port *out)
{
    size_t len = strlen(text);
    size_t colon = len;
    while (colon > 0 && text[colon - 1] != ':')
        colon--;
    if (colon < 2 || len - colon > PORT_MAX_DIGITS)
        return false;
    struct bytes host = bytes_of(text, colon - 1);
    if (text[0] == '[' && host.len > 2 && text[host.len - 1] == ']')
        host = bytes_slice(host, 1, host.len - 2);
    else if (memchr(host.at, ':', host.len))
        return false;
    uint64_t port;
    if (host.len > HOST_MAX || !text_read_decimal(bytes_of(text + colon, len - colon), &port) ||
        port > UINT16_MAX)
        return false;
    *out = (struct host_port){{0}, {0}};
    memcpy(out->host, host.at, host.len);
    memcpy(out->port, text + colon, len - colon);
    return true;
}

bool net_is_host_port(const char *text)
{
    struct host_port parts;
    return split(text, &parts);
}

enum net_error net_resolve(const char *text, struct net_address *address)
{
    struct host_port parts;
    if (!split(text, &parts))
        return NET_BAD_ADDRESS;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(parts.host, parts.port, &hints, &found) != 0)
        return NET_BAD_ADDRESS;
    *address = (struct net_address){.len = found->ai_addrlen};
    memcpy(&address->at, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return NET_OK;
}

static enum net_error error_of_errno(int error)
{
    if (error == EADDRINUSE)
        return NET_IN_USE;
    if (error == EACCES || error == EPERM)
        return NET_DENIED;
    if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT)
        return NET_BAD_ADDRESS;
    if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS)
        return NET_NO_RESOURCES;
    return NET_FAILED;
}

enum net_error net_bind(const struct net_address *address, int *fd)
{
    *fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return error_of_errno(errno);
    int on = 1;
    if (setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(*fd, (const struct sockaddr *)&address->at, address->len) == 0 &&
        listen(*fd, SOMAXCONN) == 0)
        return NET_OK;
    enum net_error error = error_of_errno(errno);
    (void)close(*fd);
    *fd = -1;
    return error;
}

void net_address_format(const struct net_address *address, char text[NET_ADDRESS_TEXT_SIZE])
{
    struct host_port parts = {"?", "?"};
    (void)getnameinfo((const struct sockaddr *)&address->at, address->len, parts.host,
                      sizeof parts.host, parts.port, sizeof parts.port,
                      NI_NUMERICHOST | NI_NUMERICSERV); // stays unknown when there is none
    bool bracket = address->at.ss_family == AF_INET6;
    struct writer w = writer_of(text, NET_ADDRESS_TEXT_SIZE);
    text_put(&w, bracket ? "[" : "");
    text_put(&w, parts.host);
    text_put(&w, bracket ? "]:" : ":");
    text_put(&w, parts.port);
    (void)text_end(&w);
}
