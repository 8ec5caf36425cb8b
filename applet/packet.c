#include "applet/packet.h"

#include "applet/clocks.h"
#include "applet/commands.h"
#include "applet/toolkit.h"
#include "common/wire/secured.h"

#define MINIMUM_LEVEL 0x16 // CC, ciphered, counter higher
#define OWN_LEVEL 0x16
#define ANSWER_BY_SUBMIT 0x20 // of SPI2: by which message
#define ANSWER_SECURED 0x18   // of SPI2: CC and ciphering
#define CHECK_LEN 8
#define FAILURES_MAX 16
#define LOCK_S 60
#define LOCK_MAX_S 3600

static struct secured_keys keys_of(const struct applet_port *port)
{
    return (struct secured_keys){
        .kic = &port->factory->kic,
        .kid = &port->factory->kid,
        .cmac_len = CHECK_LEN,
    };
}

static uint8_t indication(const struct applet_port *port)
{
    return (uint8_t)(port->factory->key_version << 4 | SECURED_AES);
}

// The total is kept once per lock-out, so that wrong packets cannot wear the memory out.
static void lock(struct applet *a, const struct applet_port *port)
{
    uint32_t seconds = LOCK_S;
    for (uint8_t i = 0; i < a->lock_doublings && seconds < LOCK_MAX_S; i++)
        seconds *= 2;
    if (a->lock_doublings < UINT8_MAX)
        a->lock_doublings++;
    a->is_locked = true;
    a->failures_in_row = 0;
    clock_set(a, CLOCK_LOCK, seconds < LOCK_MAX_S ? seconds : LOCK_MAX_S);
    struct turn t;
    if (!turn_begin(&t, a, port))
        return;
    unsigned total = t.image->security_failures + FAILURES_MAX;
    t.image->security_failures = (uint16_t)(total < UINT16_MAX ? total : UINT16_MAX);
    t.is_changed = true;
    (void)turn_end(&t);
}

static enum packet_verdict fail(struct applet *a, const struct applet_port *port,
                                const struct applet_answer *answer)
{
    a->failures_in_row++;
    if (a->failures_in_row >= FAILURES_MAX)
        lock(a, port);
    if (!port->talkative)
        return PACKET_SILENT;
    a->answer = *answer;
    return PACKET_TELLTALE;
}

// Shape to MAC. SECURED_STATUS_OK, or what a talkative card says.
static uint8_t authenticate(const struct applet_port *port, struct bytes packet,
                            struct secured_packet *p, struct writer *buffer)
{
    if (secured_command_shape(packet, p) != SECURED_OK)
        return SECURED_STATUS_UNIDENTIFIED_ERROR;
    struct secured_spi spi = secured_spi_read(p->spi1, p->spi2);
    bool is_our_set = p->kic == indication(port) && p->kid == indication(port);
    if (!is_our_set || spi.integrity != SECURED_CC || p->check_len != CHECK_LEN)
        return SECURED_STATUS_UNIDENTIFIED_ERROR;
    struct secured_keys keys = keys_of(port);
    const enum secured_result opened = secured_open(p, &keys, port->cipher, buffer);
    if (opened == SECURED_OK)
        return SECURED_STATUS_OK;
    return opened == SECURED_CHECK ? SECURED_STATUS_CHECK_FAILED : SECURED_STATUS_CIPHERING_ERROR;
}

// An answer must be ciphered and authenticated, or not be asked for.
/*@ requires \valid_read(spi);
  @ assigns \result \from *spi;
  @ ensures \result && spi->por != SECURED_POR_NONE ==>
  @   spi->por_integrity == SECURED_CC && spi->por_is_ciphered;
  @*/
static bool is_answer_safe(const struct secured_spi *spi)
{
    if (spi->has_reserved || spi->por == SECURED_POR_RESERVED)
        return false;
    return spi->por == SECURED_POR_NONE ||
           (spi->por_integrity == SECURED_CC && spi->por_is_ciphered);
}

// TAR, level and counter of a packet whose MAC is right.
/*@ requires \valid_read(a) && \valid_read(port) && \valid_read(port->factory);
  @ requires \valid_read(p) && \valid_read(spi);
  @ assigns \result \from *a, *port, *(port->factory), *p, *spi;
  @ ensures \result == SECURED_STATUS_OK ==> p->cntr > a->mt_counter && !a->is_blocked;
  @ ensures \result == SECURED_STATUS_OK ==> p->tar == port->factory->tar;
  @ ensures \result == SECURED_STATUS_OK ==>
  @   (p->spi1 & 0x03) >= SECURED_CC && (p->spi1 & 0x04) != 0;
  @ ensures \result == SECURED_STATUS_OK && spi->por != SECURED_POR_NONE ==>
  @   spi->por_integrity == SECURED_CC && spi->por_is_ciphered;
  @*/
static uint8_t admit(const struct applet *a, const struct applet_port *port,
                     const struct secured_packet *p, const struct secured_spi *spi)
{
    if (p->tar != port->factory->tar)
        return SECURED_STATUS_TAR_UNKNOWN;
    if (!secured_level_satisfies(p->spi1, MINIMUM_LEVEL) || !is_answer_safe(spi))
        return SECURED_STATUS_LEVEL_TOO_LOW;
    if (a->is_blocked)
        return SECURED_STATUS_CNTR_BLOCKED;
    if (a->mt_counter == SECURED_CNTR_MAX)
        return SECURED_STATUS_CNTR_BLOCKED;
    if (p->cntr <= a->mt_counter)
        return SECURED_STATUS_CNTR_LOW;
    if (spi->counter == SECURED_COUNTER_NEXT && p->cntr != a->mt_counter + 1)
        return SECURED_STATUS_CNTR_HIGH;
    return SECURED_STATUS_OK;
}

static bool digest_of(const struct applet_port *port, struct bytes packet, uint8_t digest[8])
{
    uint8_t whole[CIPHER_SHA256_SIZE];
    if (!port->cipher->sha256(port->cipher->context, &packet, 1, whole))
        return false;
    memcpy(digest, whole, 8);
    return true;
}

static enum packet_verdict verdict(const struct applet *a, const struct secured_spi *spi)
{
    bool is_wanted = spi->por == SECURED_POR_ALWAYS ||
                     (spi->por == SECURED_POR_ON_ERROR && a->answer.status != SECURED_STATUS_OK);
    return is_wanted ? PACKET_ANSWER : PACKET_SILENT;
}

static void run(struct applet *a, const struct applet_port *port, struct bytes data,
                const struct secured_spi *spi)
{
    struct turn t;
    bool is_readable = turn_begin(&t, a, port);
    struct applet_answer answer = a->answer;
    t.answers_by_message = spi->por == SECURED_POR_ALWAYS && spi->por_by_submit;
    t.failed = MEMORY_ERROR;
    if (is_readable) {
        t.failed = MEMORY_OK;
        commands_run(&t, data, &answer);
        is_readable = turn_end(&t);
    }
    if (!is_readable) {
        answer.has_result = true;
        commands_failed(&t, &answer);
    }
    a->answer = answer;
}

// An accepted packet for the second time: what was said is said again.
static void repeat(struct applet *a, const struct applet_port *port, struct bytes data)
{
    struct turn t;
    struct applet_answer answer = a->answer;
    if (turn_begin(&t, a, port) && commands_repeat(&t, data, &answer)) {
        answer.status = SECURED_STATUS_OK;
        a->answer = answer;
    }
}

enum packet_verdict packet_take(struct applet *a, const struct applet_port *port,
                                struct bytes packet)
{
    if (a->is_locked || a->is_dead)
        return PACKET_SILENT;
    struct secured_packet p;
    struct writer buffer = writer_of(port->work->packet, sizeof port->work->packet);
    uint8_t status = authenticate(port, packet, &p, &buffer);
    // Secured, however it was asked for.
    const struct applet_answer answer = {
        .status = status,
        .spi2 = (uint8_t)((p.spi2 & ANSWER_BY_SUBMIT) | ANSWER_SECURED),
        .tar = p.tar,
        .counter = p.cntr,
    };
    if (status != SECURED_STATUS_OK)
        return fail(a, port, &answer);
    // The answer to an earlier packet is given up: the server sends one at a time.
    a->answer = answer;
    if (a->sending.kind == SENDING_ANSWER)
        a->sending.kind = SENDING_NONE;
    a->failures_in_row = 0;
    a->lock_doublings = 0;
    struct secured_spi spi = secured_spi_read(p.spi1, p.spi2);
    uint8_t digest[8] = {0};
    bool has_digest = digest_of(port, packet, digest);
    a->answer.status = admit(a, port, &p, &spi);
    bool is_same = has_digest && p.cntr == a->mt_counter && p.cntr != 0 &&
                   secret_equal(digest, a->packet_digest, sizeof digest);
    if (is_same)
        repeat(a, port, p.data);
    if (a->answer.status != SECURED_STATUS_OK || is_same)
        return verdict(a, &spi);
    if (has_digest && memory_count(a, port, p.cntr, a->mo_counter, digest)) {
        run(a, port, p.data, &spi);
    } else {
        struct turn t = {.a = a, .port = port, .image = &port->work->image};
        t.failed = MEMORY_ERROR;
        a->answer.has_result = true;
        commands_failed(&t, &a->answer);
    }
    return verdict(a, &spi);
}

bool packet_write_answer(struct writer *w, const struct applet *a, const struct applet_port *port,
                         size_t room)
{
    const struct applet_answer *answer = &a->answer;
    uint8_t set = indication(port);
    size_t data_max = secured_response_data_max(answer->spi2, set, set, CHECK_LEN, room);
    uint8_t data[COMMAND_RESULT_MAX];
    struct writer d = writer_of(data, sizeof data);
    if (answer->has_result)
        commands_write(&d, a, port, answer, data_max < sizeof data ? data_max : sizeof data);
    struct secured_response response = {
        .spi2 = answer->spi2,
        .kic = set,
        .kid = set,
        .tar = answer->tar,
        .cntr = answer->counter,
        .status = answer->status,
        .data = writer_bytes(&d),
    };
    struct secured_keys keys = keys_of(port);
    return !d.failed && d.len <= data_max &&
           secured_write_response(w, &response, &keys, port->cipher) == SECURED_OK;
}

bool packet_write_notification(struct writer *w, const struct applet_port *port, uint64_t counter,
                               const struct notification *n)
{
    uint8_t data[COMMAND_BODY_MAX];
    struct writer d = writer_of(data, sizeof data);
    notification_write(&d, n);
    struct secured_command command = {
        .spi1 = OWN_LEVEL,
        .spi2 = 0,
        .kic = indication(port),
        .kid = indication(port),
        .tar = (port->factory->tar + 1) & 0xFFFFFF,
        .cntr = counter,
        .data = writer_bytes(&d),
    };
    struct secured_keys keys = keys_of(port);
    return !d.failed && secured_write_command(w, &command, &keys, port->cipher) == SECURED_OK;
}
