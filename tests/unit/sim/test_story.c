// What traces show of an exchange, and what they blank.
#include "tests/unit/sim/remote_lab.h"

#include "sim-emulator/core/story.h"

static struct story story;
static uint8_t shown_command[600], shown_response[600];
static struct bytes command_seen, response_seen;

static void see(void *context, const struct card_seen *seen)
{
    (void)context;
    struct writer c = writer_of(shown_command, sizeof shown_command);
    struct writer r = writer_of(shown_response, sizeof shown_response);
    story_blank(&story, seen, &c, &r);
    command_seen = writer_bytes(&c);
    response_seen = writer_bytes(&r);
    assert_int_equal(c.len, seen->command.len);
    assert_int_equal(r.len, seen->response.len);
}

static int open_story(void **state)
{
    lab_open(&lab, 1, NULL);
    (void)state;
    card = &lab.devices[0].card;
    story_init(&story);
    lab.shop.seen = see;
    reset_card();
    return 0;
}

static bool shows(const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i + len <= command_seen.len; i++) {
        if (memcmp(command_seen.at + i, octets, len) == 0)
            return true;
    }
    for (size_t i = 0; i + len <= response_seen.len; i++) {
        if (memcmp(response_seen.at + i, octets, len) == 0)
            return true;
    }
    return false;
}

static char sent[700];
static uint16_t send_with(const char *before, const uint8_t *octets, size_t len, const char *after)
{
    size_t at = (size_t)snprintf(sent, sizeof sent, "%s", before);
    for (size_t i = 0; i < len; i++)
        at += (size_t)snprintf(sent + at, sizeof sent - at, "%02X", octets[i]);
    (void)snprintf(sent + at, sizeof sent - at, "%s", after);
    return send(sent);
}

// CK and IK, or Kc, of a session with this RAND, as the card computes them.
static void keys_of(uint8_t rand, uint8_t kc[8])
{
    uint8_t octets[16] = {rand};
    assert_int_equal(send_with("008800801110", octets, sizeof octets, ""), 0x610E);
    assert_int_equal(response_seen.len, 14);
    for (size_t i = 6; i < 14; i++)
        assert_int_equal(response_seen.at[i], 0); // 04 SRES 08 Kc
    assert_int_equal(send("00C000000E"), SW_OK);
    memcpy(kc, answer_octets + 6, 8);
}

// However many sessions there were since, and in whatever pieces a file of keys is read.
static void session_keys_are_never_shown(void **state)
{
    (void)state;
    uint8_t first[8], kc[8];
    assert_int_equal(send(SELECT_USIM), SW_OK);
    keys_of(1, first);
    assert_int_equal(send("00A4000C025F3B"), SW_OK);
    assert_int_equal(send("00A4000C024F20"), SW_OK); // EF.Kc
    assert_int_equal(send_with("00D6000009", first, 8, "01"), SW_OK);
    assert_false(shows(first, 4));
    for (uint8_t i = 2; i < 40; i++)
        keys_of(i, kc);
    assert_int_equal(send("00B0000009"), SW_OK);
    assert_memory_equal(answer_octets, first, 8);
    assert_false(shows(first, 4));
    assert_int_equal(send("00B0000204"), SW_OK);
    assert_memory_equal(answer_octets, first + 2, 4);
    assert_false(shows(first + 2, 4));
    assert_int_equal(send("00B0810009"), SW_OK); // by short identifier
    assert_false(shows(first, 4));
    assert_int_equal(send("A0A40000023F00"), 0x9F16);
    assert_int_equal(send("A0A40000027F20"), 0x9F16);
    assert_int_equal(send("A0A40000026F20"), 0x9F0F); // by its second name
    assert_int_equal(send("A0B0000009"), SW_OK);
    assert_memory_equal(answer_octets, first, 8);
    assert_false(shows(first, 4));
    // In another file: what stands in EF.Kc is known, and so are the last sessions.
    assert_int_equal(send("00A4080C047FFF6F3C"), SW_OK); // EF.SMS
    uint8_t record[176] = {0};
    memcpy(record + 20, first, 8);
    memcpy(record + 40, kc, 8);
    assert_int_equal(send_with("00DC0104B0", record, sizeof record, ""), SW_OK);
    assert_false(shows(first, 8));
    assert_false(shows(kc, 8));
    assert_int_equal(send("00B20104B0"), SW_OK);
    assert_memory_equal(answer_octets + 20, first, 8);
    assert_false(shows(first, 8));
    assert_false(shows(kc, 8));
    // Other content is.
    assert_int_equal(send("00A4080C022FE2"), SW_OK);
    assert_int_equal(send("00B000000A"), SW_OK);
    assert_true(shows(answer_octets, 10));
}

static void keys_of_the_product_are_never_shown(void **state)
{
    (void)state;
    uint8_t octets[32];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(0x51 + 3 * i);
    const struct product_key_set set = {.version = 2,
                                        .kic = secret_key_of(bytes_of(octets, 16)),
                                        .kid = secret_key_of(bytes_of(octets + 16, 16))};
    product = card_product_standard;
    product.key_set_count = 1;
    product.key_sets = &set;
    lab.shop.product = &product;
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00A4000C026FC4"), SW_OK); // EF.NETPAR
    assert_int_equal(send_with("00D6000020", octets, sizeof octets, ""), SW_OK);
    assert_false(shows(octets, 16));
    assert_false(shows(octets + 16, 16));
    assert_int_equal(send("00B0000020"), SW_OK);
    assert_memory_equal(answer_octets, octets, 32);
    assert_false(shows(octets, 16));
    assert_false(shows(octets + 16, 16));
}

static void pins_are_never_shown(void **state)
{
    (void)state;
    assert_int_equal(send("0020000A08 3838383838383838"), SW_OK);
    assert_false(shows((const uint8_t *)"88", 2));
    assert_int_equal(send("A02C000010 3132333435363738 39393939FFFFFFFF"), SW_OK);
    assert_false(shows((const uint8_t *)"12", 2));
}

// --- remote management -----------------------------------------------------------------------

static char told[4 * STORY_TEXT_MAX];

static void tell(void *context, const struct card_seen *seen)
{
    see(context, seen);
    struct card_seen blanked = {
        .card = seen->card, .command = command_seen, .response = response_seen, .sw = seen->sw};
    struct writer w = writer_of(told + strlen(told), STORY_TEXT_MAX);
    story_tell(&story, &blanked, lab.now, &w);
    told[strlen(told) + w.len] = 0;
}

static int open_telling(void **state)
{
    (void)open_remote(state);
    story_init(&story);
    memset(told, 0, sizeof told);
    lab.shop.seen = tell;
    return 0;
}

static void assert_told(const char *line)
{
    if (strstr(told, line) == NULL)
        print_error("%s\nis not in\n%s\n", line, told);
    assert_non_null(strstr(told, line));
}

static void scripts_of_the_products_targets_are_opened(void **state)
{
    (void)state;
    prepare(AES_256, 0x1619, SHARED, 7);
    (void)run("00A40000022FE2 00B000000A");
    assert_told("KIc 42: AES, key set 4; KID 42: AES, key set 4; TAR B00000");
    assert_told("CNTR 7, PCNTR ");
    assert_told("script: SELECT 0000 2FE2; READ BINARY 0000 for 10\n");
    assert_told("in the delivery report:\n    response packet, TAR B00000, CNTR 7, PoR 00: OK\n"
                "    2 executed, the last 9000 done with 10\n");
    // By messages, in the expanded format, with triple DES; a PIN and what is written stay unsaid.
    memset(told, 0, sizeof told);
    prepare(DES_2, 0x1639, SHARED, 8);
    (void)fetch(run("AA18 220D 0020000A08 3838383838383838 2207 00A4000C022FE2"));
    assert_told("2 executed, the last 9000 done with 0");
    assert_told("script: VERIFY PIN 000A with 8; SELECT 000C 2FE2");
    assert_null(strstr(told, "3838383838"));
    // A set that the target does not have.
    memset(told, 0, sizeof told);
    prepare(AES_192, 0x0619, OPEN, 1);
    (void)run("00A40000022FE2");
    assert_told("of a key set that this card does not have");
}

int main(void)
{
#define STORY_TEST(name) cmocka_unit_test_setup_teardown(name, open_story, close_card)
    const struct CMUnitTest tests[] = {
        STORY_TEST(session_keys_are_never_shown),
        STORY_TEST(keys_of_the_product_are_never_shown),
        STORY_TEST(pins_are_never_shown),
        cmocka_unit_test_setup_teardown(scripts_of_the_products_targets_are_opened, open_telling,
                                        close_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
