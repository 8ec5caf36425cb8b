// REFRESH after a script that wrote to files: what the card asks of the terminal, and what a device
// does [102.223 §6.4.7, §6.6.13].
#include "tests/unit/sim/remote_lab.h"

#define TAR 0xB00050
static struct product_target target;

static void use_target(uint8_t folder, uint8_t mode)
{
    target =
        (struct product_target){TAR, folder, 0x16, 1U << UICC_ADM1 | 1U << UICC_PIN1, 0xFF, mode};
    product.targets = &target;
    product.target_count = 1;
}

// Fetches what waits and compares it.
static void assert_fetched(uint16_t sw, const char *hex)
{
    char get[16];
    assert_int_equal(sw & 0xFF00, 0x9100);
    (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
    assert_int_equal(send(get), SW_OK);
    assert_answer(hex);
}

#define USIM_OBJECT "AF10 A0000000871002FFFFFFFF8907090000"
#define WRITE_TWO                                                                                  \
    "00A40000026F31 00D600000105 00A40000026F39 8032000003000001 00A40000026F31 00D600000106"

static void the_files_that_were_written_are_listed_once(void **state)
{
    (void)state;
    use_target(UICC_USIM, CAT_REFRESH_FILE_CHANGE);
    prepare(AES_128, 0x1619, TAR, 1);
    uint16_t sw = run(WRITE_TWO);
    assert_report(SECURED_STATUS_OK, "069000");
    // EF.HPPLMN and EF.ACM.
    assert_fetched(sw, "D02A 8103E00101 82028182 920D 02 3F007FFF6F31 3F007FFF6F39 " USIM_OBJECT);
    // Busy: again after a minute of polling.
    assert_int_equal(send("801400000D 8103E00101 82028281 83022002"), SW_OK);
    assert_int_equal(send("80F2000C00"), SW_OK);
    sw = send("80F2000C00");
    assert_fetched(sw, "D02A 8103E00101 82028182 920D 02 3F007FFF6F31 3F007FFF6F39 " USIM_OBJECT);
    assert_int_equal(send("801400000C 8103E00101 82028281 830100"), SW_OK);
    assert_int_equal(send("80F2000C00"), SW_OK);
    // One that only reads is no reason, nor is one that fails before it writes.
    prepare(AES_128, 0x1619, TAR, 2);
    assert_int_equal(run("00A40000026F31 00B0000001"), SW_OK);
    prepare(AES_128, 0x1619, TAR, 3);
    assert_int_equal(run("00A40000026FFF 00D600000105"), SW_OK);
    // The same again is answered from memory, and nothing was written.
    assert_int_equal(run("00A40000026FFF 00D600000105"), SW_OK);
}

static void every_mode_is_asked_for_as_the_product_says(void **state)
{
    static const struct {
        uint8_t folder;
        const char *command;
    } modes[] = {
        [CAT_REFRESH_INIT_AND_FULL_FILE_CHANGE] = {UICC_USIM,
                                                   "D01B 8103E00100 82028182 " USIM_OBJECT},
        [CAT_REFRESH_FILE_CHANGE] = {UICC_MF, "D012 8103E00101 82028182 9207 01 3F007F106F43"},
        [CAT_REFRESH_INIT_AND_FILE_CHANGE] =
            {UICC_USIM, "D024 8103E00102 82028182 9207 01 3F007FFF6F43 " USIM_OBJECT},
        [CAT_REFRESH_INIT] = {UICC_USIM, "D01B 8103E00103 82028182 " USIM_OBJECT},
        [CAT_REFRESH_CARD_RESET] = {UICC_USIM, "D009 8103E00104 82028182"},
        [CAT_REFRESH_APPLICATION_RESET] = {UICC_USIM, "D01B 8103E00105 82028182 " USIM_OBJECT},
        [CAT_REFRESH_SESSION_RESET] = {UICC_USIM, "D01B 8103E00106 82028182 " USIM_OBJECT},
        [CAT_REFRESH_STEERING] = {UICC_USIM, "D009 8103E00107 82028182"},
    };
    (void)state;
    for (size_t mode = 0; mode < sizeof modes / sizeof modes[0]; mode++) {
        use_target(modes[mode].folder, (uint8_t)mode);
        prepare(AES_128, 0x1619, TAR, mode + 1);
        bool is_shared = modes[mode].folder == UICC_MF;
        uint16_t sw = run(is_shared ? "00A40000027F10 00A40000026F43 00D6000001FF"
                                    : "00A40000026F43 00D6000001FF"); // EF.SMSS
        assert_fetched(sw, modes[mode].command);
        char answer_it[64];
        (void)snprintf(answer_it, sizeof answer_it, "801400000C8103E001%02zX82028281830100", mode);
        assert_int_equal(send(answer_it), SW_OK);
        assert_int_equal(send("80F2000C00"), SW_OK);
    }
}

// More files than the list holds: all of them may have changed.
static void a_list_that_is_too_long_becomes_a_full_change(void **state)
{
    (void)state;
    use_target(UICC_USIM, CAT_REFRESH_FILE_CHANGE);
    static const char *const files[] = {"6F05", "6F08", "6F09", "6F31", "6F3E", "6F3F", "6F7B",
                                        "6F43", "6F45", "6F46", "6F38", "6F50", "6FC4", "6F5B",
                                        "6F5C", "6F60", "6F61", "6F62", "6F73", "6F78"};
    char script[800] = "";
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        (void)snprintf(script + strlen(script), sizeof script - strlen(script),
                       "00A4000002%s00D6000001%02X", files[i], 0x01);
    prepare(AES_128, 0x1619, TAR, 1);
    uint16_t sw = run(script);
    assert_report(SECURED_STATUS_OK, "289000");
    assert_fetched(sw, "D01B 8103E00100 82028182 " USIM_OBJECT);
}

static void an_answer_by_message_goes_first(void **state)
{
    (void)state;
    use_target(UICC_USIM, CAT_REFRESH_INIT);
    prepare(AES_128, 0x1639, TAR, 1);
    uint16_t sw = run("00A40000026F31 00D600000105");
    char get[16];
    (void)snprintf(get, sizeof get, "80120000%02X", sw & 0xFF);
    assert_int_equal(send(get), SW_OK);
    struct cat_message message;
    assert_int_equal(cat_read_command(bytes_of(answer_octets, answer.len), &message), CAT_OK);
    assert_int_equal(message.type, CAT_SEND_SHORT_MESSAGE);
    sw = send("801400000C 8103E01300 82028281 830100");
    assert_fetched(sw, "D01B 8103E00103 82028182 " USIM_OBJECT);
    // While the terminal has it, another script writes: there is more to tell.
    prepare(AES_128, 0x1619, TAR, 2);
    (void)run("00A40000026F31 00D600000106");
    sw = send("801400000C 8103E00103 82028281 830100");
    assert_fetched(sw, "D01B 8103E00103 82028182 " USIM_OBJECT);
    assert_int_equal(send("801400000C 8103E00103 82028281 830130"), SW_OK); // beyond capability
    assert_int_equal(send("80F2000C00"), SW_OK);
}

static void a_terminal_without_refresh_is_not_asked(void **state)
{
    (void)state;
    use_target(UICC_USIM, CAT_REFRESH_INIT);
    reset_card();
    assert_int_equal(send("8010000002 0900"), SW_OK);
    prepare(AES_128, 0x1619, TAR, 1);
    assert_int_equal(run("00A40000026F31 00D600000105"), SW_OK);
    assert_report(SECURED_STATUS_OK, "029000");
}

// --- a device --------------------------------------------------------------------------------

// Files that the device selected by path and read, one after the other.
static char paths[200];
static unsigned resets;

static void watch(void *context, const struct card_seen *seen)
{
    (void)context;
    struct apdu apdu;
    resets += seen->command.len == 0;
    if (apdu_read(seen->command, &apdu) != APDU_OK || apdu.ins != INS_SELECT || apdu.p1 != 0x08)
        return;
    for (size_t i = 0; i < apdu.data.len; i++)
        (void)snprintf(paths + strlen(paths), sizeof paths - strlen(paths), "%02X",
                       apdu.data.at[i]);
    (void)snprintf(paths + strlen(paths), sizeof paths - strlen(paths), " ");
}

static void deliver(const char *script, uint64_t counter)
{
    uint8_t packet[SMS_PACKET_MAX], user_data[SMS_USER_DATA_MAX], message[SMS_DELIVER_MAX];
    uint8_t octets[CARD_RESPONSE_MAX];
    prepare(AES_128, 0x1619, TAR, counter);
    size_t len = write_packet(script, packet);
    struct writer u = writer_of(user_data, sizeof user_data);
    struct writer tpdu = writer_of(message, sizeof message);
    struct writer out = writer_of(octets, sizeof octets);
    struct sms_cut cut = {.kind = SMS_COMMAND_PACKET};
    sms_cut_part(&cut, bytes_of(packet, len), 0, &u);
    lab_tpdu(writer_bytes(&u), &tpdu);
    uint32_t device;
    paths[0] = 0;
    resets = 0;
    assert_int_equal(
        fleet_deliver(&lab.fleet, lab_number(0, 0), writer_bytes(&tpdu), &out, lab.now, &device),
        FLEET_ACCEPTED);
    lab_run(&lab, 10000);
}

static void a_device_does_what_each_mode_says(void **state)
{
    (void)close_card(state);
    lab_open(&lab, 1, NULL);
    lab.shop.product = &product;
    lab.shop.seen = watch;
    fleet_start(&lab.fleet, lab.now, 0);
    lab_run(&lab, 10000);
    assert_int_equal(lab.fleet.attached_now, 1);
    uint64_t attached = lab.fleet.counts.attached;
    // Listed files are read, and nothing else happens.
    use_target(UICC_USIM, CAT_REFRESH_FILE_CHANGE);
    deliver(WRITE_TWO, 1);
    assert_string_equal(paths, "7FFF6F31 7FFF6F39 ");
    assert_int_equal(lab.fleet.counts.refreshed, 1);
    assert_int_equal(lab.fleet.counts.attached, attached);
    // Of the ISIM as well; the device is back in its own application.
    use_target(UICC_ISIM, CAT_REFRESH_INIT_AND_FILE_CHANGE);
    deliver("00A40000026F07 00D600000101", 2);
    assert_string_equal(paths, "7FFF6F07 ");
    assert_int_equal(lab.fleet.counts.attached, attached);
    // Its own IMSI is a reason to attach anew.
    use_target(UICC_USIM, CAT_REFRESH_FILE_CHANGE);
    deliver("00A40000026F07 00D6000009080910100000000010", 3);
    assert_string_equal(paths, "7FFF6F07 ");
    assert_int_equal(lab.fleet.counts.attached, ++attached);
    // So are the initialisations, the resets of application and session, and steering.
    static const uint8_t modes[] = {CAT_REFRESH_INIT_AND_FULL_FILE_CHANGE, CAT_REFRESH_INIT,
                                    CAT_REFRESH_APPLICATION_RESET, CAT_REFRESH_SESSION_RESET,
                                    CAT_REFRESH_STEERING};
    for (unsigned i = 0; i < sizeof modes; i++) {
        use_target(UICC_USIM, modes[i]);
        deliver("00A40000026F31 00D600000105", 4 + i);
        assert_int_equal(lab.fleet.counts.attached, ++attached);
        assert_int_equal(resets, 0);
    }
    use_target(UICC_USIM, CAT_REFRESH_CARD_RESET);
    deliver("00A40000026F31 00D600000105", 20);
    assert_int_equal(resets, 1);
    assert_int_equal(lab.fleet.counts.attached, ++attached);
    assert_int_equal(lab.fleet.attached_now, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REMOTE_TEST(the_files_that_were_written_are_listed_once),
        REMOTE_TEST(every_mode_is_asked_for_as_the_product_says),
        REMOTE_TEST(a_list_that_is_too_long_becomes_a_full_change),
        REMOTE_TEST(an_answer_by_message_goes_first),
        REMOTE_TEST(a_terminal_without_refresh_is_not_asked),
        REMOTE_TEST(a_device_does_what_each_mode_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
