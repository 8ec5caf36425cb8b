// What a modem does with a card from the answer to reset until it attaches: written from the
// standards, and from what is told of modems that gave up.
#include "tests/unit/sim/apdu_lab.h"

#include "common/wire/tlv.h"

// Reads an EF as modems do: selects it, takes its structure and size from the parameters, and reads
// all of it, record after record until there is none, or in pieces of at most 255 octets.
static unsigned read_whole(const char *file)
{
    char command[32];
    (void)snprintf(command, sizeof command, "00A4000402%s", file);
    assert_int_equal(send_all(command), SW_OK);
    struct bytes parameters;
    struct bytes descriptor;
    struct bytes size;
    assert_true(tlv_find(bytes_of(answer_octets, answer.len), 0x62, &parameters));
    assert_true(tlv_find(parameters, 0x82, &descriptor) && tlv_find(parameters, 0x80, &size));
    unsigned len = (unsigned)size.at[0] << 8 | size.at[1];
    if ((descriptor.at[0] & 0x07) == 0x01) {
        for (unsigned offset = 0; offset < len;) {
            unsigned part = len - offset < 255 ? len - offset : 255;
            (void)snprintf(command, sizeof command, "00B0%04X%02X", offset, part);
            assert_int_equal(send(command), SW_OK);
            assert_int_equal(answer.len, part);
            offset += part;
        }
        return len;
    }
    unsigned record_len = (unsigned)descriptor.at[2] << 8 | descriptor.at[3];
    unsigned count = descriptor.at[4];
    assert_int_equal(record_len * count, len);
    for (unsigned record = 1; record <= count; record++) {
        (void)snprintf(command, sizeof command, "00B2%02X04%02X", record, record_len);
        assert_int_equal(send(command), SW_OK);
        assert_int_equal(answer.len, record_len);
    }
    (void)snprintf(command, sizeof command, "00B2%02X04%02X", count + 1, record_len);
    assert_int_equal(send(command), SW_RECORD_NOT_FOUND);
    return len;
}

static void serve(uint16_t sw)
{
    unsigned commands = 0;
    for (; (sw & 0xFF00) == 0x9100; commands++) {
        char command[16];
        (void)snprintf(command, sizeof command, "80120000%02X", sw & 0xFF);
        assert_int_equal(send(command), SW_OK);
        struct cat_message message;
        assert_int_equal(cat_read_command(bytes_of(answer_octets, answer.len), &message), CAT_OK);
        char response[64];
        (void)snprintf(response, sizeof response, "801400000C8103%02X%02X%02X820282818301%02X",
                       message.number, message.type, message.qualifier,
                       message.type == CAT_PROVIDE_LOCAL_INFORMATION ? 0x30 : 0x00);
        sw = send(response);
    }
    assert_true(commands > 0 && commands < 16);
    assert_int_equal(sw, SW_OK);
}

static void a_modem_starts(void **state)
{
    (void)state;
    // The card: capability, identity, applications.
    assert_int_equal(send_all("00A40004023F00"), SW_OK);
    assert_int_equal(send("80AA000005A903800100"), SW_OK);
    assert_int_equal(read_whole("2FE2"), 10);
    assert_int_equal(read_whole("2F05"), 2);
    assert_int_equal(read_whole("2F00"), 2 * 34);
    assert_int_equal(read_whole("2F06"), 8 * 56);
    assert_int_equal(read_whole("2F08"), 5);
    // The application found in EF.DIR, with its parameters; is a PIN asked for?
    assert_int_equal(send_all("00A4040410A0000000871002FFFFFFFF8907090000"), SW_OK);
    assert_int_equal(send("0020000100"), SW_PIN_TRIES | 3);
    assert_int_equal(send("80F2000C00"), SW_OK);
    // What the terminal can do, and what the card wants.
    serve(send("8010000014 FFFFFFFF7F9F00DFBF000000000000000000 0000"));
    // The files of the initialisation [31.102 §5.1.1], then those of the services.
    static const struct {
        const char *file;
        unsigned len;
    } files[] = {
        {"6FB7", 4},   {"6F05", 6},      {"6F38", 17},   {"6F56", 1},   {"6FAD", 4},  {"6F07", 9},
        {"6F78", 2},   {"6F31", 1},      {"6F7E", 11},   {"6F73", 14},  {"6FE3", 18}, {"6F08", 33},
        {"6F09", 33},  {"6FE4", 80},     {"6F5B", 6},    {"6F5C", 3},   {"6F7B", 12}, {"6F60", 40},
        {"6F61", 40},  {"6F62", 40},     {"6F46", 17},   {"6FC5", 24},  {"6FC6", 8},  {"6FCD", 17},
        {"6FD9", 15},  {"6F3E", 4},      {"6F3F", 4},    {"6F40", 24},  {"6F42", 38}, {"6F43", 2},
        {"6FC4", 128}, {"6F06", 8 * 56}, {"6F3C", 1760}, {"6F3B", 260}, {"6F45", 4},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        assert_int_equal(read_whole(files[i].file), files[i].len);
    // By short identifier, as modems in a hurry do [31.102 annex H].
    static const char *const reads[] = {"00B0810004", "00B0820006", "00B0830004", "00B0840011",
                                        "00B0850001", "00B0860002", "00B0870009", "00B0880021",
                                        "00B0890021", "00B08A0028", "00B08B000B", "00B08C000E",
                                        "00B08D000C", "00B08F0006", "00B0900003", "00B0910028",
                                        "00B0920001", "00B0930028", "00B09E0012"};
    for (size_t i = 1; i < sizeof reads / sizeof reads[0]; i++)
        assert_int_equal(send(reads[i]), SW_OK);
    assert_int_equal(send("00B2010C04"), SW_OK); // EF.ECC has records
    // The folders of newer releases.
    assert_int_equal(send("00A4000C025FC0"), SW_OK);
    static const char *const newer[] = {"4F01", "4F02", "4F03", "4F04", "4F05", "4F06", "4F0A"};
    for (size_t i = 0; i < sizeof newer / sizeof newer[0]; i++)
        assert_true(read_whole(newer[i]) > 0);
    assert_int_equal(send("00A4000C027FFF"), SW_OK);
    assert_int_equal(send("00A4000C025F3B"), SW_OK);
    assert_int_equal(read_whole("4F20"), 9);
    assert_int_equal(read_whole("4F52"), 9);
    assert_int_equal(send("00A4080C047FFF5F3A"), SW_OK);
    assert_int_equal(read_whole("4F30"), 16);
    assert_int_equal(read_whole("4F3A"), 280);
    // A second channel for the IMS, and none for an application that is not there.
    assert_int_equal(send("0070000001"), SW_OK);
    assert_int_equal(send("01A4040C07A0000000871004"), SW_OK);
    assert_int_equal(send("01B0820040"), SW_OK);                           // EF.IMPI
    assert_int_equal(send("01A4040C07A0000003431002"), SW_FILE_NOT_FOUND); // CSIM
    assert_int_equal(send("0070800100"), SW_OK);
    // The session begins; files that are written at an attach.
    assert_int_equal(send("00A4000C027FFF"), SW_OK);
    assert_int_equal(send("80F2010C00"), SW_OK);
    // Normal service: the applet has something to report.
    assert_int_equal(send("00D69E0012 0BF600F11000010100000001 00F110000100") & 0xFF00, 0x9100);
    assert_int_equal(send("80F2000C00") & 0xFF00, 0x9100);
}

// Services that EF.UST names, each with the files that it needs [31.102 §4.2.8].
static void every_service_of_the_ust_has_its_files(void **state)
{
    (void)state;
    static const struct {
        unsigned service;
        const char *file; // path from the ADF
    } needs[] = {
        {1, "5F3A4F30"},  {2, "6F3B"},  {10, "6F3C"},      {12, "6F42"},      {13, "6F39"},
        {17, "6F3E"},     {18, "6F3F"}, {19, "6F46"},      {20, "6F60"},      {21, "6F40"},
        {27, "5F3B4F20"}, {42, "6F61"}, {43, "6F62"},      {45, "6FC5"},      {46, "6FC6"},
        {51, "6FCD"},     {71, "6FD9"}, {85, "6FE3"},      {122, "5FC04F01"}, {123, "5FC04F05"},
        {15, "6F45"},     {16, "6F50"}, {124, "5FC04F07"}, {126, "5FC04F06"},
    };
    uint8_t ust[17];
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send("00B0840011"), SW_OK);
    memcpy(ust, answer_octets, sizeof ust);
    unsigned found = 0;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        unsigned bit = needs[i].service - 1;
        assert_int_equal(ust[bit / 8] >> bit % 8 & 1, 1);
        found++;
        char select[32];
        (void)snprintf(select, sizeof select, "00A4080C%02X7FFF%s",
                       (unsigned)(2 + strlen(needs[i].file) / 2), needs[i].file);
        assert_int_equal(send(select), SW_OK);
    }
    // And no others but: SMS-PP download (28), 33 which is always set, the GSM context (38).
    for (unsigned bit = 0; bit < sizeof ust * 8; bit++)
        found -= ust[bit / 8] >> bit % 8 & 1;
    assert_int_equal(found + 3, 0);
    // The other file of 124; and none of a service that is not there: cell broadcast download (29),
    // barred dialling (6), service dialling (4).
    assert_int_equal(send("00A4080C067FFF5FC04F0A"), SW_OK);
    assert_int_equal(send("00A4080C067FFF5FC04F07"), SW_OK);
    assert_int_equal(send("00B0000006"), SW_OK);
    assert_answer("A002 0000 A100"); // the null scheme without a key [31.102 §4.4.11.8]
    static const char *const others[] = {"6F48", "6F4D", "6F49"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char select[32];
        (void)snprintf(select, sizeof select, "00A4080C047FFF%s", others[i]);
        assert_int_equal(send(select), SW_FILE_NOT_FOUND);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CARD_TEST(a_modem_starts),
        CARD_TEST(every_service_of_the_ust_has_its_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
