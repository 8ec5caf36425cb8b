#include "sim-emulator/shell/conform_link.h"

#include "common/host/net.h"
#include "sim-emulator/core/card.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <winscard.h>

#define ANSWER_MS 20000 // a card that takes longer does not answer
#define CARD_WAIT_MS 60000

// --- a card of our own -----------------------------------------------------------------------

struct own_link {
    struct card *card;
    struct card_t0 t0;
};

static bool own_reset(void *context, struct writer *atr)
{
    struct own_link *own = context;
    own->t0.len = 0;
    card_reset(own->card, atr);
    return atr->len > 0;
}

static bool own_exchange(void *context, struct bytes command, struct writer *response)
{
    struct own_link *own = context;
    uint16_t sw = card_t0_exchange(own->card, &own->t0, command, response);
    writer_u16(response, sw);
    return sw != CARD_MUTE;
}

static void own_close(void *context)
{
    free(context);
}

struct conform_link conform_link_own(struct card *card)
{
    struct own_link *own = calloc(1, sizeof *own);
    if (own != NULL)
        own->card = card;
    return (struct conform_link){
        .context = own, .reset = own_reset, .exchange = own_exchange, .close = own_close};
}

// --- vpcd's side of its protocol -------------------------------------------------------------

struct tcp_link {
    int fd;
};

static bool write_message(int fd, struct bytes message)
{
    uint8_t octets[2 + 512];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u16(&w, (uint16_t)message.len);
    writer_copy(&w, message);
    return !w.failed && send(fd, w.at, w.len, MSG_NOSIGNAL) == (ssize_t)w.len;
}

static bool read_octets(int fd, uint8_t *to, size_t len)
{
    while (len > 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, ANSWER_MS) <= 0)
            return false;
        ssize_t got = recv(fd, to, len, 0);
        if (got <= 0)
            return false;
        to += got;
        len -= (size_t)got;
    }
    return true;
}

static bool read_message(int fd, struct writer *w)
{
    uint8_t head[2];
    uint8_t octets[CONFORM_RESPONSE_MAX];
    if (!read_octets(fd, head, sizeof head))
        return false;
    size_t len = (size_t)head[0] << 8 | head[1];
    if (len > sizeof octets || !read_octets(fd, octets, len))
        return false;
    writer_copy(w, bytes_of(octets, len));
    return true;
}

static bool tcp_reset(void *context, struct writer *atr)
{
    const struct tcp_link *tcp = context;
    static const uint8_t on = 1, reset = 2, ask = 4;
    return write_message(tcp->fd, bytes_of(&on, 1)) &&
           write_message(tcp->fd, bytes_of(&reset, 1)) &&
           write_message(tcp->fd, bytes_of(&ask, 1)) && read_message(tcp->fd, atr) && atr->len > 1;
}

static bool tcp_exchange(void *context, struct bytes command, struct writer *response)
{
    const struct tcp_link *tcp = context;
    return write_message(tcp->fd, command) && read_message(tcp->fd, response) && response->len >= 2;
}

static void tcp_close(void *context)
{
    struct tcp_link *tcp = context;
    (void)close(tcp->fd);
    free(tcp);
}

static int accept_card(const struct net_address *address, void (*listening)(const char *address))
{
    int fd;
    char text[NET_ADDRESS_TEXT_SIZE];
    struct net_address real = {.len = sizeof real.at};
    if (net_bind(address, &fd) != NET_OK)
        return -1;
    if (getsockname(fd, (struct sockaddr *)&real.at, &real.len) == 0) {
        net_address_format(&real, text);
        listening(text);
    }
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int card = poll(&wait, 1, CARD_WAIT_MS) == 1 ? accept(fd, NULL, NULL) : -1;
    (void)close(fd);
    return card;
}

static int connect_card(const struct net_address *address)
{
    int fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address->at, address->len) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool conform_link_tcp(struct conform_link *link, const char *address, bool listens,
                      void (*listening)(const char *address), char error[CONFORM_ERROR_SIZE])
{
    struct net_address at;
    struct tcp_link *tcp = calloc(1, sizeof *tcp);
    (void)snprintf(error, CONFORM_ERROR_SIZE, "%.120s: no card can be reached there", address);
    if (tcp == NULL || net_resolve(address, &at) != NET_OK) {
        free(tcp);
        return false;
    }
    tcp->fd = listens ? accept_card(&at, listening) : connect_card(&at);
    if (tcp->fd < 0) {
        free(tcp);
        return false;
    }
    const int on = 1;
    (void)setsockopt(tcp->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *link = (struct conform_link){
        .context = tcp, .reset = tcp_reset, .exchange = tcp_exchange, .close = tcp_close};
    return true;
}

// --- PC/SC -----------------------------------------------------------------------------------

struct pcsc_link {
    SCARDCONTEXT context;
    SCARDHANDLE card;
    bool is_connected;
    DWORD protocol;
    char reader[256];
};

static bool pcsc_reset(void *context, struct writer *atr)
{
    struct pcsc_link *p = context;
    LONG done;
    if (p->is_connected)
        done = SCardReconnect(p->card, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0, SCARD_RESET_CARD,
                              &p->protocol);
    else
        done = SCardConnect(p->context, p->reader, SCARD_SHARE_EXCLUSIVE, SCARD_PROTOCOL_T0,
                            &p->card, &p->protocol);
    if (done != SCARD_S_SUCCESS)
        return false;
    p->is_connected = true;
    BYTE octets[MAX_ATR_SIZE];
    DWORD len = sizeof octets;
    DWORD name_len = 0;
    if (SCardStatus(p->card, NULL, &name_len, NULL, NULL, octets, &len) != SCARD_S_SUCCESS)
        return false;
    writer_copy(atr, bytes_of(octets, len));
    return len > 0;
}

static bool pcsc_exchange(void *context, struct bytes command, struct writer *response)
{
    const struct pcsc_link *p = context;
    BYTE octets[CONFORM_RESPONSE_MAX];
    DWORD len = sizeof octets;
    if (SCardTransmit(p->card, SCARD_PCI_T0, command.at, command.len, NULL, octets, &len) !=
        SCARD_S_SUCCESS)
        return false;
    writer_copy(response, bytes_of(octets, len));
    return len >= 2;
}

static void pcsc_close(void *context)
{
    struct pcsc_link *p = context;
    if (p->is_connected)
        (void)SCardDisconnect(p->card, SCARD_LEAVE_CARD);
    (void)SCardReleaseContext(p->context);
    free(p);
}

static bool find_reader(struct pcsc_link *p, const char *beginning)
{
    char names[4096];
    DWORD len = sizeof names;
    if (SCardListReaders(p->context, NULL, names, &len) != SCARD_S_SUCCESS)
        return false;
    for (const char *name = names; *name != 0; name += strlen(name) + 1) {
        if (strncmp(name, beginning, strlen(beginning)) == 0) {
            (void)snprintf(p->reader, sizeof p->reader, "%s", name);
            return true;
        }
    }
    return false;
}

bool conform_link_pcsc(struct conform_link *link, const char *reader,
                       char error[CONFORM_ERROR_SIZE])
{
    struct pcsc_link *p = calloc(1, sizeof *p);
    (void)snprintf(error, CONFORM_ERROR_SIZE, "the PC/SC service (pcscd) cannot be reached");
    if (p == NULL ||
        SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &p->context) != SCARD_S_SUCCESS) {
        free(p);
        return false;
    }
    if (!find_reader(p, reader)) {
        (void)snprintf(error, CONFORM_ERROR_SIZE, "%.120s: there is no such reader", reader);
        pcsc_close(p);
        return false;
    }
    *link = (struct conform_link){
        .context = p, .reset = pcsc_reset, .exchange = pcsc_exchange, .close = pcsc_close};
    return true;
}
