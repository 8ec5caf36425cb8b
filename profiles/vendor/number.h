// How a subscription's telephone number must look: the number rule of the rule pack that belongs to
// the subscription's operator, never to the card.
//
// Promises: plain functions of the text; the number that comes out is the one to store.
// Without a rule pack a number has 5 to 15 digits [E.164 §6.2.1 gives the upper bound].
#pragma once

#include "common/base/bytes.h"

#define NUMBER_SIZE 16 // 15 digits and a zero

enum number_verdict {
    NUMBER_OK,
    NUMBER_BREAKS_RULE,
    NUMBER_AMBIGUOUS, // it could be two different numbers
};

struct number_rule {
    const char *pack;
    unsigned version;
    const char *rule;
    const char *expected; // for people
    // `digits` without + or 00 in front.
    enum number_verdict (*read)(struct bytes digits, char number[NUMBER_SIZE]);
};

// 5 to 15 digits.
extern const struct number_rule number_rule_e164;
// CN-IoT R3: exactly 13 digits; 15 digits with 86 in front are the same number and stored as 13;
// 13 digits that start with 86 are refused, because they may be 86 and a number of 11 digits.
extern const struct number_rule number_rule_cn_iot;

// Removes + or 00, then asks the rule.
enum number_verdict number_read(const struct number_rule *rule, struct bytes text,
                                char number[NUMBER_SIZE]) MUST_USE;
