// What a card tells, as steps: answers and notifications that the harness seals with the card's own
// keys, since the card itself may be broken or cloned, packets as anybody can send them, and what
// happens to the server meanwhile. The record stays one that the store can keep, its counters only
// grow, no two packets leave with one counter, and nothing is authentic that the keys did not make.
#include "common/base/check.h"
#include "common/wire/secured.h"
#include "ota-server/core/message.h"
#include "tests/unit/server/world.h"

#define KEYSET (1 << 4 | SECURED_AES)
#define STEPS_MAX 64
#define PACKET_MAX 512 // of what the store keeps of a message

enum step_kind {
    REQUEST,
    SUBMIT,
    RECEIPT,
    ANSWER,
    NOTIFICATION,
    WAKE,
    FORGED,
    FORGED_NOTIFICATION
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct world world;
static struct card_keys keys;
static uint64_t sent; // highest counter that left

static void open_keys(void)
{
    static const uint8_t octets[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    keys = (struct card_keys){
        .version = 1, .tar = 0xB00010, .spi1 = 0x16, .spi2 = 0x39, .cmac_len = 8};
    keys.kic = secret_key_of(bytes_of(octets, 16));
    keys.kid = secret_key_of(bytes_of(octets + 16, 16));
}

static struct secured_keys sealing(void)
{
    return (struct secured_keys){.kic = &keys.kic, .kid = &keys.kid, .cmac_len = 8};
}

// An audit is answered with its nonce, which no search finds.
static struct bytes with_nonce(struct bytes result, uint8_t copy[COMMAND_RESULT_MAX])
{
    struct result r;
    if (result.len > COMMAND_RESULT_MAX)
        return result;
    bytes_copy(copy, result);
    const struct bytes answer = bytes_of(copy, result.len);
    if (result_read(answer, &r) && r.command == COMMAND_AUDIT &&
        r.data.len >= 2 + COMMAND_NONCE_SIZE)
        memcpy(copy + (r.data.at - copy) + 2, world.record.audit.nonce, COMMAND_NONCE_SIZE);
    return answer;
}

static bool seal_answer(struct writer *w, struct bytes input)
{
    uint8_t copy[COMMAND_RESULT_MAX];
    const struct secured_keys k = sealing();
    struct reader r = reader_of(input);
    struct secured_response answer = {
        .spi2 = keys.spi2, .kic = KEYSET, .kid = KEYSET, .tar = keys.tar};
    answer.cntr = world.record.flight.counter - reader_u8(&r);
    answer.status = reader_u8(&r);
    answer.data = with_nonce(reader_rest(&r), copy);
    return !r.failed && answer.cntr >> 40 == 0 &&
           secured_write_response(w, &answer, &k, &world.cipher) == SECURED_OK;
}

static bool seal_notification(struct writer *w, struct bytes input)
{
    const struct secured_keys k = sealing();
    struct reader r = reader_of(input);
    struct secured_command notify = {
        .spi1 = 0x16, .kic = KEYSET, .kid = KEYSET, .tar = keys.tar + 1};
    notify.cntr = world.record.mo_counter + reader_u8(&r);
    notify.data = reader_rest(&r);
    return !r.failed && notify.cntr >> 40 == 0 &&
           secured_write_command(w, &notify, &k, &world.cipher) == SECURED_OK;
}

static void take(uint8_t kind, struct bytes input)
{
    static uint8_t octets[PACKET_MAX];
    static uint8_t clear[MESSAGE_SCRATCH];
    static struct event e;
    struct writer w = writer_of(octets, sizeof octets);
    struct writer scratch = writer_of(clear, sizeof clear);
    const bool is_forged = kind == FORGED || kind == FORGED_NOTIFICATION;
    enum message_status status;
    if (is_forged)
        writer_copy(&w, input);
    else if (kind == ANSWER ? !seal_answer(&w, input) : !seal_notification(&w, input))
        return;
    if (w.failed)
        return;
    e = (struct event){.actor.kind = ACTOR_CARD};
    if (kind == ANSWER || kind == FORGED) {
        e.type = EVENT_POR;
        status = message_read_por(&world.cipher, &keys, writer_bytes(&w), &scratch, &e.as.por);
        check(status != MESSAGE_OK || e.as.por.is_authentic == !is_forged);
        check(status != MESSAGE_OK || e.as.por.list_len <= sizeof e.as.por.list);
    } else {
        e.type = EVENT_NOTIFY;
        status =
            message_read_notify(&world.cipher, &keys, writer_bytes(&w), &scratch, &e.as.notify);
        check(!is_forged || status != MESSAGE_OK);
    }
    if (status == MESSAGE_OK)
        world_event(&world, &e);
}

static void step(uint8_t kind, struct bytes input)
{
    const uint8_t first = input.len > 0 ? input.at[0] : 0;
    switch ((enum step_kind)kind) {
    case REQUEST:
        // The laboratory names the enabled subscription when it asks for DISABLE.
        if (first % OPERATION_AUDIT + 1 != OPERATION_DISABLE ||
            record_enabled(&world.record) != NULL)
            (void)world_request(&world, first % OPERATION_AUDIT + 1);
        break;
    case SUBMIT:
        world_submit(&world, first % (SUBMIT_UNSENT + 1));
        break;
    case RECEIPT:
        world_receipt(&world, first % (RECEIPT_PENDING + 1));
        break;
    case WAKE:
        world_wake_after(&world, (int64_t)first * first * 1000);
        break;
    case ANSWER:
    case NOTIFICATION:
    case FORGED:
    case FORGED_NOTIFICATION:
        take(kind, input);
        break;
    }
}

// What holds after every step.
static void judge(const struct record *before)
{
    static struct record again;
    static uint8_t once[RECORD_OCTETS_MAX];
    static uint8_t twice[RECORD_OCTETS_MAX];
    const struct record *r = &world.record;
    struct writer w = writer_of(once, sizeof once);
    record_write(&w, r);
    check(!w.failed && record_read(writer_bytes(&w), &again));
    struct writer v = writer_of(twice, sizeof twice);
    record_write(&v, &again);
    check(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
    check(r->mt_counter >= before->mt_counter && r->mo_counter >= before->mo_counter);
    // A card that began anew counts its notifications anew.
    check(r->notify_sequence >= before->notify_sequence ||
          r->restored_sequence != before->restored_sequence);
    for (uint8_t i = 0; i < world.decision.send_count; i++) {
        check(world.decision.sends[i].counter > sent);
        sent = world.decision.sends[i].counter;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct record before;
    struct reader r = reader_of(bytes_of(data, len));
    world_init(&world);
    open_keys();
    sent = 0;
    for (unsigned i = 0; i < STEPS_MAX; i++) {
        const uint8_t kind = reader_u8(&r);
        const struct bytes input = reader_bytes(&r, reader_u16(&r));
        if (r.failed)
            break;
        before = world.record;
        world.decision.send_count = 0;
        step(kind % (FORGED_NOTIFICATION + 1), input);
        judge(&before);
    }
    world_close(&world);
    return 0;
}
