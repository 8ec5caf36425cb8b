// What message centres bring, as steps: parts of packets, receipts and anything else in deliver_sm,
// answers to what was sent, links that fall silent, commits that fail, and time. Every request is
// answered, once; what came to the turn fits it;
// and when time has passed the outbox holds nothing.
#include "common/base/check.h"
#include "smpp/core/receipt.h"
#include "tests/unit/outbox/fake_links.h"
#include "tests/unit/outbox/fake_turn.h"

#define STEPS_MAX 60
#define MINUTE 60000u
#define ENDS_MAX 400 // looks at the clock until everything is at its end

enum step_kind { PART, RECEIPT, ANYTHING, TIME, PACKET, RESPONSE, UNKNOWN };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct outbox *outbox;
static struct instant now;
static uint64_t handles;        // of requests, from 1
static bool is_told[FAKE_SENT]; // how a message that was sent ended
static const char *const numbers[] = {"9990000000001", "+9990000000002", "", "a name",
                                      "99900000000000000001"};

static void deliver(uint8_t esm_class, uint8_t number, struct bytes text)
{
    const struct smpp_pdu pdu = {
        .command = SMPP_DELIVER_SM,
        .message = {.source = {1, 1, bytes_of_text(numbers[number % 5])},
                    .esm_class = esm_class,
                    .short_message = text},
    };
    outbox_request(outbox, number / 5 % 2, ++handles, &pdu);
}

static void pass(uint64_t ms, enum store_status outcome)
{
    fake.outcome = outcome;
    now = instant_after(now, ms);
    outbox_tick(outbox, now);
    fake_turn_end(outbox);
    fake.outcome = STORE_OK;
}

static void hand(uint8_t counter, uint16_t len)
{
    struct message m = {.id = 1001u + counter,
                        .card = 7u * (counter + 1u),
                        .counter = counter + 1u,
                        .number = "9990000000001",
                        .validity_ms = 60 * MINUTE,
                        .packet_len = (uint16_t)(len % MESSAGE_PACKET_MAX + 1)};
    outbox_send(outbox, &m);
}

// The oldest of what was sent and not told yet, from `skip` on; fake_links.sent_count: none.
static size_t untold(uint8_t skip)
{
    size_t at = skip < fake_links.sent_count ? skip : fake_links.sent_count;
    while (at < fake_links.sent_count && is_told[at])
        at++;
    return at;
}

static void respond(struct bytes input)
{
    char id[66] = "";
    struct reader r = reader_of(input);
    const size_t at = untold(reader_u8(&r));
    const uint8_t status = reader_u8(&r);
    const struct bytes text = bytes_slice(reader_rest(&r), 0, sizeof id - 1);
    if (r.failed || at == fake_links.sent_count)
        return;
    bytes_copy(id, text);
    is_told[at] = true;
    fake_respond(outbox, at, status, id);
}

static void forget(uint8_t skip)
{
    const size_t at = untold(skip);
    if (at == fake_links.sent_count)
        return;
    is_told[at] = true;
    fake_links.room[fake_links.sent[at].link]++;
    outbox_unknown(outbox, fake_links.sent[at].link, fake_links.sent[at].tag);
}

static void step(uint8_t kind, struct bytes input)
{
    const uint8_t first = input.len > 0 ? input.at[0] : 0;
    const struct bytes rest = bytes_slice(input, 1, input.len);
    switch ((enum step_kind)kind) {
    case PART:
        deliver(0x40, first, rest);
        break;
    case RECEIPT:
        deliver(SMPP_ESM_CLASS_RECEIPT, 0, input);
        break;
    case ANYTHING:
        deliver(first, first, rest);
        break;
    case TIME:
        pass((uint64_t)(first / 4) * first, first % 4 == 3 ? STORE_FULL : STORE_OK);
        break;
    case PACKET:
        hand(first % 16, (uint16_t)(first * 3u));
        break;
    case RESPONSE:
        respond(input);
        break;
    case UNKNOWN:
        forget(first);
        break;
    }
}

static void judge_turn(void)
{
    for (size_t i = 0; i < fake.message_count; i++) {
        const struct turn_message *m = &fake.messages[i];
        check(m->packet_len > 0 && m->packet_len <= sizeof m->packet && m->sms >= 1);
        check(memchr(m->number, 0, sizeof m->number) != NULL);
    }
}

static void judge_answers(void)
{
    for (size_t i = 0; i < fake_links.answer_count; i++) {
        check(fake_links.answers[i].handle >= 1 && fake_links.answers[i].handle <= handles);
        for (size_t j = 0; j < i; j++)
            check(fake_links.answers[i].handle != fake_links.answers[j].handle);
    }
}

static bool is_waiting(void)
{
    const struct outbox_counts counts = outbox_counts(outbox);
    return !outbox_is_idle(outbox) || counts.joins_held > 0 || counts.packets_held > 0 ||
           untold(0) < fake_links.sent_count || fake_links.answer_count < handles;
}

// Everybody who waits is told, and all time passes that anything waits for.
static void end(void)
{
    for (unsigned i = 0; i < ENDS_MAX && is_waiting(); i++) {
        while (untold(0) < fake_links.sent_count)
            forget(0);
        pass(MINUTE, STORE_OK);
    }
    check(fake_links.answer_count == handles);
    check(outbox_is_idle(outbox));
    check(outbox_counts(outbox).joins_held == 0 && outbox_counts(outbox).packets_held == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_of(bytes_of(data, len));
    now = (struct instant){FAKE_START};
    handles = 0;
    memset(is_told, 0, sizeof is_told);
    outbox = fake_outbox(2);
    check(outbox != NULL);
    outbox_tick(outbox, now);
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        const uint8_t kind = reader_u8(&r);
        const struct bytes input = reader_bytes(&r, reader_u8(&r));
        if (r.failed)
            break;
        step(kind % (UNKNOWN + 1), input);
        judge_answers();
    }
    end();
    judge_answers();
    judge_turn();
    outbox_close(outbox);
    return 0;
}
