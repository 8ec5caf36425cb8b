// The text form of a card product (docs/card-products.md), and cards made of it.
#include "tests/unit/sim/apdu_lab.h"

#include "sim-emulator/core/product_read.h"

#include <stdio.h>

static struct product_image image;
static struct product_error error;

static bool read_text(const char *text)
{
    return product_read(bytes_of_text(text), &image, &error);
}

static struct bytes sample(void)
{
    static uint8_t octets[8192];
    FILE *file = fopen("profiles/cards/test-operators.card", "rb");
    assert_non_null(file);
    size_t len = fread(octets, 1, sizeof octets, file);
    (void)fclose(file);
    return bytes_of(octets, len);
}

static void the_sample_is_read(void **state)
{
    (void)state;
    assert_true(product_read(sample(), &image, &error));
    const struct card_product *p = &image.product;
    assert_int_equal(p->template_count, 2);
    assert_int_equal(p->key_set_count, 3);
    assert_int_equal(p->key_sets[1].kic.len, 24);
    assert_int_equal(p->key_sets[2].kid.len, 32);
    assert_int_equal(p->target_count, 2);
    assert_int_equal(p->targets[0].tar, 0xB00000);
    assert_int_equal(p->targets[0].key_sets, 0x07);
    assert_int_equal(p->targets[1].folder, UICC_USIM);
    assert_int_equal(p->targets[1].granted, 1U << UICC_ADM1 | 1U << UICC_PIN1);
    const struct uicc_overrides *files = &p->templates[1].overrides;
    assert_int_equal(files->count, 4);
    assert_string_equal(files->at[0].row->name, "EF.SPN");
    assert_int_equal(files->at[0].content.len, 17);
    assert_memory_equal(files->at[0].content.at, "\x01Otaria Two\xFF\xFF", 13);
}

static void every_wrong_line_is_named_with_its_place(void **state)
{
    (void)state;
#define HEAD "otaria-card 1\n"
    static const struct {
        const char *text;
        unsigned line;
        unsigned column;
        const char *reason; // its beginning
    } wrong[] = {
        {"", 0, 1, "a card product begins"},
        {"# nothing\n", 1, 1, "a card product begins"},
        {"pin PIN1 1234\n", 1, 1, "a card product begins"},
        {"otaria-card 2\n", 1, 13, "this number is out of range"},
        {HEAD "\n  nonsense 1\n", 3, 3, "lines are pin"},
        {HEAD "pin PIN3 1234", 2, 5, "PINs are"},
        {HEAD "pin PIN1", 2, 9, "the digits are missing"},
        {HEAD "pin PIN1 123", 2, 10, "PINs have 4 to 8 digits"},
        {HEAD "pin PIN1 123456789", 2, 10, "PINs have 4 to 8 digits"},
        {HEAD "pin PIN1 12a4", 2, 10, "PINs have 4 to 8 digits"},
        {HEAD "pin PIN1 1234 tries 16", 2, 21, "this number is out of range"},
        {HEAD "pin ADM1 1234 disabled", 2, 15, "a PIN is enabled"},
        {HEAD "puk ADM1 12345678", 2, 5, "only PIN1 and PIN2"},
        {HEAD "puk PIN1 1234567", 2, 10, "PINs have"},
        {HEAD "file ADF.USIM/EF.SPN 00", 2, 1, "a file belongs to a template"},
        {HEAD "template 0", 2, 10, "this number is out of range"},
        {HEAD "template 256", 2, 10, "this number is out of range"},
        {HEAD "template 1\ntemplate 1", 3, 10, "this template is there"},
        {HEAD "template 1\nfile EF.SPN 00", 3, 6, "files are named with their folder"},
        {HEAD "template 1\nfile ADF.USIM/EF.XYZ 00", 3, 15, "there is no such file"},
        {HEAD "template 1\nfile MF/EF.DIR 00", 3, 6, "this file does not belong"},
        {HEAD "template 1\nfile DF.GSM/EF.SPN 00", 3, 6, "this file is another one's"},
        {HEAD "template 1\nfile ADF.USIM/EF.SPN 000", 3, 22, "hexadecimal octets have two"},
        {HEAD "template 1\nfile ADF.USIM/EF.SPN 00 0G", 3, 25, "this is no hexadecimal"},
        {HEAD "template 1\nfile ADF.USIM/EF.SPN \"abc", 3, 22, "this text has no closing"},
        {HEAD "template 1\nfile ADF.USIM/EF.HPPLMN 01 02", 3, 28, "this is more than the file"},
        {HEAD "template 1\nfile ADF.USIM/EF.SPN record 1 00", 3, 22, "this file has no records"},
        {HEAD "template 1\nfile ADF.USIM/EF.PNN record 2 00", 3, 29, "this number is out"},
        {HEAD "key-set 16 aes 00 00", 2, 9, "this number is out of range"},
        {HEAD "key-set 1 des 00 00", 2, 11, "the algorithm is aes"},
        {HEAD "key-set 1 aes 00112233445566778899AABBCCDDEE FF", 2, 15, "keys have 16"},
        {HEAD "target B00000 shared", 2, 8, "a target needs a key-set"},
        {HEAD "target B00000 shared key-set 1", 2, 30, "there is no such key set"},
        {HEAD "target B00000 csim", 2, 15, "a TAR stands for"},
        {HEAD "target B00000 shared refresh", 2, 29, "the mode of refresh is missing"},
        {HEAD "target B00000 shared refresh often", 2, 30, "refresh is one of files"},
        {HEAD "target 1000000 shared", 2, 8, "this number is out of range"},
        {HEAD "tuak res 32", 2, 6, "TUAK has"},
        {HEAD "tuak iterations 17", 2, 6, "TUAK has"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(read_text(wrong[i].text));
        assert_int_equal(error.line, wrong[i].line);
        if (error.column != wrong[i].column)
            fail_msg("%s: column %u", wrong[i].text, error.column);
        assert_memory_equal(error.reason, wrong[i].reason, strlen(wrong[i].reason));
        // What is left is the standard product.
        assert_int_equal(image.product.template_count, 0);
        assert_memory_equal(&image.product.pins, &card_product_standard.pins,
                            sizeof image.product.pins);
    }
}

static void keys_of_wrong_texts_do_not_stay(void **state)
{
    (void)state;
    assert_false(read_text(HEAD "key-set 1 aes AABBCCDDEEFF00112233445566778899 "
                                "AABBCCDDEEFF00112233445566778899\nx"));
    const uint8_t *octets = (const uint8_t *)&image;
    for (size_t i = 0; i + 4 <= sizeof image; i++)
        assert_true(memcmp(octets + i, "\xAA\xBB\xCC\xDD", 4) != 0);
}

static int open_sample_card(void **state)
{
    (void)state;
    assert_true(product_read(sample(), &image, &error));
    lab_open(&lab, 1, NULL);
    card = &lab.devices[0].card;
    lab.slots[0].template_number = 1;
    lab.slots[1].template_number = 2;
    lab.shop.product = &image.product;
    reset_card();
    return 0;
}

static void assert_file(const char *read, const char *expected)
{
    assert_int_equal(send(SELECT_USIM), SW_OK);
    assert_int_equal(send(read), SW_OK);
    assert_answer(expected);
}

// Every file of the template, and the views beside it, are those of the other one after a switch;
// location and keys are as they were at the factory.
static void a_switch_brings_the_files_of_the_other_template(void **state)
{
    (void)state;
    assert_file("00B09D0005", "00F110 FFFF"); // EF.EHPLMN
    assert_file("00B0920001", "02");          // EF.HPPLMN
    assert_int_equal(send("00A4000C026F46"), SW_OK);
    assert_int_equal(send("00B000000B"), SW_OK);
    assert_answer("00 4F7461726961204F6E65"); // "Otaria One"
    assert_int_equal(send("00A4000C026FC5"), SW_OK);
    assert_int_equal(send("00B2010418"), SW_OK);
    assert_answer("43 0B 80 4F7461726961204F6E65 FFFFFFFFFFFFFFFFFFFFFF");
    assert_int_equal(send("00D68D0003 00F130"), SW_OK); // EF.FPLMN
    assert_int_equal(send("00D6880002 0311"), SW_OK);   // EF.Keys
    struct command enable = lab_enable(&lab, 1);
    fleet_start(&lab.fleet, lab.now, 0);
    lab_run(&lab, 10000);
    assert_int_equal(lab_send(&lab, 0, 0, &enable), FLEET_ACCEPTED);
    lab_run(&lab, 60000);
    reset_card();
    assert_file("00B0870009", "080910200000000010");
    assert_file("00B09D0005", "00F120 FFFF");
    assert_file("00B0920001", "05");
    assert_file("00B08D0003", "FFFFFF");
    assert_file("00B0880002", "07FF");
    assert_int_equal(send("00A4000C026F46"), SW_OK);
    assert_int_equal(send("00B000000B"), SW_OK);
    assert_answer("01 4F7461726961205477 6F");
    assert_int_equal(send("00A4000C026FC5"), SW_OK);
    assert_int_equal(send("00B2010402"), 0x6C18);
    assert_int_equal(send("00B2010418"), SW_OK); // template 2 says nothing of EF.PNN
    assert_answer("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_is_read),
        cmocka_unit_test(every_wrong_line_is_named_with_its_place),
        cmocka_unit_test(keys_of_wrong_texts_do_not_stay),
        cmocka_unit_test_setup_teardown(a_switch_brings_the_files_of_the_other_template,
                                        open_sample_card, close_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
