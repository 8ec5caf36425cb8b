// The numbers of versions at their wrap: 0 comes behind FFFFFFFF, in banks and in counters.
#include "tests/unit/applet/bench_card.h"

#include "common/wire/crc.h"
#include "tests/lib/cmocka_all.h"

// On memories without pages: two counters of 30 octets, then two banks. Each begins with marker,
// seal, CRC-32, number and length; the CRC is over all that follows it.
#define BANKS_AT 60
#define BANK_SIZE ((BENCH_NVM - BANKS_AT) / 2)
#define CRC_AT 2
#define NUMBER_AT 6
#define HEAD_LEN 6

static struct bench_card card;

static void renumber(uint8_t *at, uint32_t number)
{
    struct writer head = writer_of(at + NUMBER_AT, 4);
    writer_u32(&head, number);
    struct reader r = reader_of(bytes_of(at + NUMBER_AT + 4, 2));
    const size_t len = HEAD_LEN + (size_t)reader_u16(&r);
    struct writer crc = writer_of(at + CRC_AT, 4);
    writer_u32(&crc, crc32_add(0, bytes_of(at + NUMBER_AT, len)));
}

static uint8_t *bank(unsigned which)
{
    return card.nvm + BANKS_AT + which * BANK_SIZE;
}

static enum memory_found mounted(void)
{
    memset(&card.applet, 0, sizeof card.applet);
    memory_release(&card.port);
    return memory_mount(&card.applet, &card.port);
}

static void set_mode(uint8_t mode)
{
    bench_set(&card, (const uint8_t[]){PARAMETER_AUTO_MODE, 1, mode}, 3);
}

static void the_version_behind_the_highest_number_is_the_newest(void **state)
{
    (void)state;
    for (unsigned newest = 0; newest < 2; newest++) { // in either bank
        bench_init(&card);
        bench_boot(&card);
        set_mode(0);
        if (card.applet.bank != newest)
            set_mode(1);
        assert_int_equal(card.applet.bank, newest);
        const uint8_t copy = card.applet.counters_bank;
        const uint64_t counter = card.applet.mt_counter;
        renumber(bank(newest), 0);
        renumber(bank(newest ^ 1u), UINT32_MAX);
        renumber(card.nvm + copy * 30u, 0);
        renumber(card.nvm + (copy ^ 1u) * 30u, UINT32_MAX);
        assert_int_equal(mounted(), MEMORY_FOUND);
        assert_int_equal(card.applet.bank, newest);
        assert_int_equal(card.applet.counters_bank, copy);
        assert_true(card.applet.mt_counter == counter);
        bench_close(&card);
    }
}

static void the_highest_number_is_followed_by_0(void **state)
{
    (void)state;
    bench_init(&card);
    bench_boot(&card);
    set_mode(0);
    const uint8_t last = card.applet.bank;
    renumber(bank(last), UINT32_MAX);
    renumber(bank(last ^ 1u), UINT32_MAX - 1);
    bench_boot(&card);
    assert_int_equal(card.applet.bank_number, UINT32_MAX);
    set_mode(1);
    assert_int_equal(card.applet.bank_number, 0);
    assert_int_equal(mounted(), MEMORY_FOUND);
    assert_int_equal(card.applet.bank_number, 0);
    assert_int_equal(card.work.image.parameters.auto_mode, 1);
    bench_close(&card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_behind_the_highest_number_is_the_newest),
        cmocka_unit_test(the_highest_number_is_followed_by_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
