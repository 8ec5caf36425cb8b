#include "sim-emulator/shell/conform_cases.h"

// DELETE of a subscription that there is not: a short command with an effect that shows, since its
// result is stored under its operation id.
static struct bytes probe(struct trial *t, uint8_t *octets, size_t cap)
{
    struct writer w = writer_of(octets, cap);
    struct subscription_name nobody = conform_name(99);
    struct command c = conform_target(t, COMMAND_DELETE, &nobody, 0);
    command_write(&w, &c);
    return writer_bytes(&w);
}

#define PROBE_MAX 32

// Sends it and looks whether it ran: nothing else may be the highest operation.
static void expect_refused(struct trial *t, struct trial_packet packet, bool may_answer)
{
    uint8_t octets[PROBE_MAX];
    struct audit_answer before, after;
    if (!trial_audit(t, &before))
        return;
    packet.data = probe(t, octets, sizeof octets);
    trial_send(t, &packet);
    (void)trial_expect(t, t->last_sw == SW_OK, "ENVELOPE is not answered with 90 00");
    if (!may_answer)
        (void)trial_expect(t, !t->answer.has_answer,
                           "the card answers a packet that it must "
                           "keep silent about");
    else if (t->answer.has_answer)
        (void)trial_expect(t, t->answer.is_secured && t->answer.status != SECURED_STATUS_OK,
                           "the card says OK, or says it without security");
    if (trial_audit(t, &after))
        (void)trial_expect(t, after.operation_id_highest == before.operation_id_highest,
                           "the command was executed");
}

static void audit_is_answered(struct trial *t)
{
    struct audit_answer a;
    (void)trial_audit(t, &a);
    (void)trial_expect(t, t->answer.tar == t->card.tar, "the answer's TAR is another");
    (void)trial_expect(t, t->answer.cntr == t->counter, "the answer's CNTR is not the command's");
    (void)trial_expect(t, a.mt_counter == t->counter,
                       "the MT counter is not the last one accepted");
}

static void answer_names_the_card(struct trial *t)
{
    uint8_t expected[CARD_REFERENCE_SIZE];
    struct audit_answer a;
    (void)trial_audit(t, &a);
    (void)trial_expect(t, t->answer.has_reference, "there is no element 80 with 8 octets");
    (void)trial_expect(t,
                       card_reference(t->cipher, &t->card.kik, expected) &&
                           memcmp(expected, t->answer.reference, sizeof expected) == 0,
                       "the card reference is not that of KIK");
}

static void answer_goes_to_the_server(struct trial *t)
{
    uint8_t octets[PROBE_MAX];
    struct trial_packet packet = {.data = probe(t, octets, sizeof octets),
                                  .has_other_sender = true};
    trial_send(t, &packet);
    (void)trial_expect(t, t->answer.is_secured, "a packet from another number is not answered");
    (void)trial_expect(t, t->answer.is_to_server, "the answer goes to another than SERVER_ADDR");
}

static void wrong_mac_is_silent(struct trial *t)
{
    expect_refused(t, (struct trial_packet){.has_wrong_mac = true}, false);
}

static void weaker_levels_are_refused(struct trial *t)
{
    // Not ciphered; no counter; counter without a check; ciphered without a checksum.
    static const uint8_t levels[] = {0x12, 0x06, 0x0E, 0x14};
    for (size_t i = 0; i < sizeof levels && t->reason[0] == 0; i++)
        expect_refused(t, (struct trial_packet){.spi1 = levels[i]}, true);
}

// Plain; without a checksum; not ciphered.
static void weaker_answers_are_refused(struct trial *t)
{
    static const uint8_t wishes[] = {0x21, 0x31, 0x29};
    for (size_t i = 0; i < sizeof wishes && t->reason[0] == 0; i++) {
        expect_refused(t, (struct trial_packet){.spi2 = wishes[i], .is_answered_safe = true}, true);
        (void)trial_expect(t, t->answer.is_secured, "it is not answered as 39 would be");
    }
}

static void cut_packet_is_silent(struct trial *t)
{
    expect_refused(t, (struct trial_packet){.is_cut = true}, false);
}

// No answer is asked for: the command runs all the same.
static void unasked_answer_is_not_given(struct trial *t)
{
    uint8_t octets[PROBE_MAX];
    struct audit_answer a;
    struct trial_packet packet = {.data = probe(t, octets, sizeof octets), .spi2 = 0x38};
    uint32_t operation = t->operation_id;
    trial_send(t, &packet);
    (void)trial_expect(t, !t->answer.has_answer, "there is an answer that was not asked for");
    if (trial_audit(t, &a))
        (void)trial_expect(t, a.operation_id_highest == operation, "the command was not executed");
}

// Only on error: silence when it is done, status 02 when its counter is low.
static void answer_on_error_is_given_on_error(struct trial *t)
{
    uint8_t octets[PROBE_MAX];
    struct trial_packet packet = {.data = probe(t, octets, sizeof octets), .spi2 = 0x3A};
    trial_send(t, &packet);
    (void)trial_expect(t, !t->answer.has_answer, "it is answered although nothing was wrong");
    packet.counter = t->counter - 1;
    trial_send(t, &packet);
    (void)trial_expect(t, t->answer.is_secured && t->answer.status == SECURED_STATUS_CNTR_LOW,
                       "an error is not answered with status 02");
}

static void own_notification_tar_is_refused(struct trial *t)
{
    expect_refused(t, (struct trial_packet){.tar = t->card.tar + 1}, true);
}

static void unknown_tar_is_refused(struct trial *t)
{
    expect_refused(t, (struct trial_packet){.tar = 0x4F5441}, true);
}

static void mixed_key_sets_are_refused(struct trial *t)
{
    uint8_t other = (uint8_t)((t->card.key_version % 15 + 1) << 4 | SECURED_AES);
    uint8_t own = (uint8_t)(t->card.key_version << 4 | SECURED_AES);
    expect_refused(t, (struct trial_packet){.kic = own, .kid = other}, true);
    if (t->reason[0] == 0)
        expect_refused(t, (struct trial_packet){.kic = other, .kid = other}, true);
}

static void other_algorithms_are_refused(struct trial *t)
{
    uint8_t triple = (uint8_t)(t->card.key_version << 4 | SECURED_TRIPLE_DES_2);
    if (t->card.kic.len != 16 || t->card.kid.len != 16) {
        trial_skip(t, "its keys are too long to be taken for 3DES");
        return;
    }
    expect_refused(t, (struct trial_packet){.kic = triple, .kid = triple}, true);
}

static void identical_packet_repeats_the_answer(struct trial *t)
{
    uint8_t octets[PROBE_MAX];
    struct trial_packet packet = {.data = probe(t, octets, sizeof octets)};
    trial_send(t, &packet);
    struct trial_answer first = t->answer;
    packet.counter = t->counter;
    trial_send(t, &packet);
    (void)trial_expect(t, first.is_secured && t->answer.is_secured, "it is not answered twice");
    (void)trial_expect(t,
                       t->answer.status == SECURED_STATUS_OK && first.len == t->answer.len &&
                           memcmp(first.data, t->answer.data, first.len) == 0,
                       "the second answer is another");
}

static void lower_counter_is_refused(struct trial *t)
{
    uint8_t octets[PROBE_MAX];
    struct audit_answer a;
    (void)trial_audit(t, &a);
    struct trial_packet packet = {.data = probe(t, octets, sizeof octets)};
    static const uint64_t below[] = {0, 1, 1000};
    for (size_t i = 0; i < sizeof below / sizeof below[0]; i++) {
        if (t->counter <= below[i])
            continue;
        packet.counter = t->counter - below[i];
        trial_send(t, &packet);
        (void)trial_expect(t, t->answer.is_secured, "the card does not answer it");
        (void)trial_expect(t, t->answer.status == SECURED_STATUS_CNTR_LOW,
                           "the status is not 02, CNTR low");
    }
}

static void counter_may_jump(struct trial *t)
{
    struct audit_answer a;
    t->counter += 1000;
    (void)trial_audit(t, &a);
    (void)trial_expect(t, a.mt_counter == t->counter, "the counter did not follow");
}

// A command that takes two messages: reading all parameters and writing a table of 12 rows.
static struct bytes long_command(struct trial *t, uint8_t rows, uint8_t *octets, size_t cap)
{
    uint8_t list[2 + 12 * 13];
    struct writer l = writer_of(list, sizeof list);
    writer_u8(&l, PARAMETER_COUNTRY_TABLE);
    writer_u8(&l, (uint8_t)(13 * rows));
    for (uint8_t i = 0; i < rows; i++) {
        const uint8_t plmn[PLMN_LEN] = {(uint8_t)(0x20 + i), 0xF2, 0xFF}; // MCC 02i, any network
        writer_copy(&l, bytes_of(plmn, sizeof plmn));
        writer_copy(&l, bytes_of(t->imsi, IMSI_EF_LEN));
        writer_u8(&l, COUNTRY_PREFER);
    }
    struct writer w = writer_of(octets, cap);
    struct command c = {.number = COMMAND_CONFIGURE,
                        .operation_id = trial_next_operation(t),
                        .configure = {.writes = writer_bytes(&l)}};
    command_write(&w, &c);
    return writer_bytes(&w);
}

static void expect_long(struct trial *t, struct trial_packet packet, bool runs)
{
    uint8_t octets[COMMAND_BODY_MAX];
    struct result r = {.code = 0xFF};
    packet.data = long_command(t, 9, octets, sizeof octets);
    trial_send(t, &packet);
    bool is_answered =
        t->answer.is_secured && result_read(bytes_of(t->answer.data, t->answer.len), &r);
    if (is_answered && r.code == RESULT_UNKNOWN_COMMAND) {
        trial_skip(t, "a card of level 1 has no CONFIGURE");
        return;
    }
    (void)trial_expect(t, is_answered == runs,
                       runs ? "a packet in parts is not executed"
                            : "a packet with two marks is executed");
    (void)trial_expect(t, !runs || r.code == RESULT_OK, "its result is not OK");
    if (is_answered) { // the table as it was: empty
        packet = (struct trial_packet){.data = long_command(t, 0, octets, sizeof octets)};
        trial_send(t, &packet);
    }
}

static void parts_come_in_any_order(struct trial *t)
{
    expect_long(t, (struct trial_packet){.is_reversed = true}, true);
}

static void parts_may_come_twice(struct trial *t)
{
    expect_long(t, (struct trial_packet){.has_double = true}, true);
}

static void second_mark_is_refused(struct trial *t)
{
    expect_long(t, (struct trial_packet){.has_second_mark = true}, false);
}

const struct conform_case conform_packet_cases[] = {
    {"packet.audit-answered", "1, 4.1",
     "an AUDIT is answered, secured, with TAR, CNTR and nonce of the request", audit_is_answered},
    {"packet.card-reference", "1, 2", "an answer carries the card reference of KIK in element 80",
     answer_names_the_card},
    {"packet.answer-to-server", "7", "an answer goes to SERVER_ADDR, whoever sent the message",
     answer_goes_to_the_server},
    {"packet.wrong-mac", "7", "a wrong MAC gets silence, and nothing runs", wrong_mac_is_silent},
    {"packet.weak-level", "1", "SPI1 weaker than 16 is not accepted", weaker_levels_are_refused},
    {"packet.weak-answer", "7", "an answer asked for without checksum or ciphering is refused",
     weaker_answers_are_refused},
    {"packet.cut", "1", "a packet whose lengths contradict each other gets silence",
     cut_packet_is_silent},
    {"packet.no-answer", "1", "an answer that is not asked for is not given",
     unasked_answer_is_not_given},
    {"packet.answer-on-error", "1", "an answer only on error comes only then",
     answer_on_error_is_given_on_error},
    {"packet.own-tar", "1", "the card's own MO TAR is not accepted",
     own_notification_tar_is_refused},
    {"packet.unknown-tar", "7", "another TAR does not reach the applet", unknown_tar_is_refused},
    {"packet.key-sets", "1",
     "KIc and KID of two key sets, or of one that is not there, are not accepted",
     mixed_key_sets_are_refused},
    {"packet.algorithms", "1", "another algorithm than AES is not accepted",
     other_algorithms_are_refused},
    {"packet.replay", "7", "the last packet again gets the stored answer",
     identical_packet_repeats_the_answer},
    {"packet.counter-low", "7", "a counter that is not higher gets status 02",
     lower_counter_is_refused},
    {"packet.counter-jump", "1", "a counter may be higher by any number", counter_may_jump},
    {"packet.parts-order", "1", "parts come in any order", parts_come_in_any_order},
    {"packet.parts-twice", "1", "a part that comes twice counts once", parts_may_come_twice},
    {"packet.parts-marks", "1", "element 70 stands in exactly one part", second_mark_is_refused},
};
const size_t conform_packet_case_count =
    sizeof conform_packet_cases / sizeof conform_packet_cases[0];
