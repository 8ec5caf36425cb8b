// One card of a lab, and a hand that types APDUs: for tests of what the card answers. Includes
// cmocka, so it belongs into test programs only.
#pragma once

#include "tests/lib/cmocka_all.h"

#include "common/base/text.h"
#include "tests/unit/sim/lab.h"

#include <stdio.h>

static struct lab lab;
static struct card *card;
static struct card_t0 t0;
static uint8_t answer_octets[CARD_RESPONSE_MAX];
static struct writer answer;

// A reset; the terminal has said nothing yet.
static inline void reset_card(void)
{
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    t0.len = 0;
    card_reset(card, &atr);
    assert_true(atr.len > 0);
}

static inline int open_card(void **state)
{
    (void)state;
    lab_open(&lab, 1, NULL);
    card = &lab.devices[0].card;
    reset_card();
    return 0;
}

static inline int close_card(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

// Sends hexadecimal in T=0 form; the answer is in `answer`. Blanks are for the reader.
static inline uint16_t send(const char *hex)
{
    uint8_t octets[300];
    char digits[600];
    size_t len = 0;
    for (; *hex != 0; hex++) {
        if (*hex != ' ')
            digits[len++] = *hex;
    }
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(text_unhex(bytes_of(digits, len), &w));
    answer = writer_of(answer_octets, sizeof answer_octets);
    return card_t0_exchange(card, &t0, writer_bytes(&w), &answer);
}

// Sends, and fetches the octets that wait (61 xx, 9F xx).
static inline uint16_t send_all(const char *hex)
{
    uint16_t sw = send(hex);
    if ((sw & 0xFF00) == 0x6100 || (sw & 0xFF00) == 0x9F00) {
        char get[16];
        (void)snprintf(get, sizeof get, "%s%s%02X", hex[0] == 'A' ? "A0" : "00", "C00000",
                       sw & 0xFF);
        return send(get);
    }
    return sw;
}

static inline void assert_answer(const char *hex)
{
    uint8_t octets[300];
    char digits[600];
    size_t len = 0;
    for (; *hex != 0; hex++) {
        if (*hex != ' ')
            digits[len++] = *hex;
    }
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(text_unhex(bytes_of(digits, len), &w));
    assert_int_equal(answer.len, w.len);
    assert_memory_equal(answer_octets, octets, w.len);
}

#define SELECT_USIM "00A4040C10A0000000871002FFFFFFFF8907090000"
#define VERIFY_ADM1 "0020000A083838383838383838"
#define CARD_TEST(name) cmocka_unit_test_setup_teardown(name, open_card, close_card)
