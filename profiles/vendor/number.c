#include "profiles/vendor/number.h"

#include "common/base/text.h"

#define IOT_DIGITS 13

static void keep(struct bytes digits, char number[NUMBER_SIZE])
{
    memcpy(number, digits.at, digits.len);
    number[digits.len] = '\0';
}

static enum number_verdict read_e164(struct bytes digits, char number[NUMBER_SIZE])
{
    if (digits.len < 5 || digits.len > NUMBER_SIZE - 1 || !text_is_digits(digits))
        return NUMBER_BREAKS_RULE;
    keep(digits, number);
    return NUMBER_OK;
}

static bool has_country_code(struct bytes digits)
{
    return digits.len >= 2 && memcmp(digits.at, "86", 2) == 0;
}

static enum number_verdict read_cn_iot(struct bytes digits, char number[NUMBER_SIZE])
{
    if (!text_is_digits(digits))
        return NUMBER_BREAKS_RULE;
    if (digits.len == IOT_DIGITS + 2 && has_country_code(digits))
        digits = bytes_slice(digits, 2, IOT_DIGITS);
    else if (digits.len == IOT_DIGITS && has_country_code(digits))
        return NUMBER_AMBIGUOUS;
    if (digits.len != IOT_DIGITS)
        return NUMBER_BREAKS_RULE;
    keep(digits, number);
    return NUMBER_OK;
}

const struct number_rule number_rule_e164 = {.pack = "E.164",
                                             .version = 1,
                                             .rule = "length",
                                             .expected = "5 to 15 digits",
                                             .read = read_e164};

const struct number_rule number_rule_cn_iot = {
    .pack = "CN-IoT", .version = 1, .rule = "R3", .expected = "13 digits", .read = read_cn_iot};

enum number_verdict number_read(const struct number_rule *rule, struct bytes text,
                                char number[NUMBER_SIZE])
{
    number[0] = '\0';
    if (text.len > 0 && text.at[0] == '+')
        text = bytes_slice(text, 1, text.len);
    else if (text.len > 1 && text.at[0] == '0' && text.at[1] == '0')
        text = bytes_slice(text, 2, text.len);
    return rule->read(text, number);
}
