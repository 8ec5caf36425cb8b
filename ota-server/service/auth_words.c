#include "ota-server/service/auth_words.h"

#include "common/base/text.h"

#define PASSWORD_MAX 128
#define WORD_MIN 3

// The product's own, and those that lists of leaked passwords begin with. docs/api.md tells them.
static const char *const words[] = {
    "otaria",   "connectivity", "password", "passwort", "passw0rd", "welcome",  "willkommen",
    "letmein",  "changeme",     "secret",   "default",  "iloveyou", "football", "baseball",
    "princess", "sunshine",     "superman", "operator", "admin",    "root",     "test",
};

// Keys that lie side by side; digits and letters in their order are told by their octets.
static const char *const rows[] = {
    "qwertyuiop", "qwertzuiop", "azertyuiop",           "asdfghjkl",
    "zxcvbnm",    "yxcvbnm",    "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujmik"};

static uint8_t lower(uint8_t c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

static bool is_letter_or_digit(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

// Takes a word out of the text, wherever it stands: what follows it moves up.
static void take_out(uint8_t *text, size_t *len, struct bytes word)
{
    size_t to = 0;
    for (size_t at = 0; at < *len;) {
        size_t same = 0;
        while (same < word.len && at + same < *len && text[at + same] == lower(word.at[same]))
            same++;
        if (same == word.len && word.len >= WORD_MIN)
            at += word.len;
        else
            text[to++] = text[at++];
    }
    *len = to;
}

// Each part of letters and digits is a word of its own.
static void take_out_parts(uint8_t *text, size_t *len, struct bytes name)
{
    for (size_t at = 0; at < name.len;) {
        size_t end = at;
        while (end < name.len && is_letter_or_digit(lower(name.at[end])))
            end++;
        take_out(text, len, bytes_slice(name, at, end));
        at = end + 1;
    }
}

static bool are_neighbours(uint8_t a, uint8_t b)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (const char *c = rows[i]; c[1] != '\0'; c++) {
            if ((c[0] == (char)a && c[1] == (char)b) || (c[0] == (char)b && c[1] == (char)a))
                return true;
        }
    }
    return a == b || a + 1 == b || b + 1 == a || (a == '9' && b == '0') || (a == '0' && b == '9');
}

// The length of the shortest beginning of which the text is a repetition.
static size_t period_of(const uint8_t *text, size_t len)
{
    for (size_t period = 1; period < len; period++) {
        size_t at = period;
        while (at < len && text[at] == text[at - period])
            at++;
        if (at == len)
            return period;
    }
    return len;
}

bool password_is_guessed(struct bytes password, const struct password_context *context)
{
    uint8_t text[PASSWORD_MAX];
    size_t len = password.len < sizeof(text) ? password.len : sizeof(text);
    for (size_t i = 0; i < len; i++)
        text[i] = lower(password.at[i]);
    take_out_parts(text, &len, context->username);
    take_out_parts(text, &len, context->display_name);
    take_out_parts(text, &len, bytes_of_text(context->host));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        take_out(text, &len, bytes_of_text(words[i]));
    const size_t period = period_of(text, len);
    size_t guessed = 0;
    for (size_t i = 0; i < period; i++)
        guessed += i == 0 || !are_neighbours(text[i - 1], text[i]) ? 1 : 0;
    return guessed < PASSWORD_GUESSED_MIN;
}
