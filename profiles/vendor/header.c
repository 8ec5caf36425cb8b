#include "profiles/vendor/header.h"

#include "common/base/check.h"
#include "common/base/text.h"
#include "profiles/vendor/names.h"
#include "profiles/vendor/words.h"

#include <stdio.h>

// What a reading of a value came to.
enum value_verdict {
    VALUE_OK,
    VALUE_MALFORMED, // IMP-119 with the expected form
    VALUE_VERSION,   // IMP-101
    VALUE_ALGORITHM, // IMP-116
    VALUE_SLOTS,     // IMP-112
};

struct header_value {
    struct vendor_header *header;
    enum header_id id;
    struct bytes text;
    uint32_t line;
    uint8_t slot; // of Start-IMSIn
};

static enum value_verdict verdict_of(bool good)
{
    return good ? VALUE_OK : VALUE_MALFORMED;
}

static bool keep_text(struct bytes text, char *to, size_t size)
{
    if (text.len == 0 || text.len >= size)
        return false;
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
    return true;
}

static enum value_verdict read_version(const struct header_value *v)
{
    struct bytes rest = v->text;
    struct bytes major;
    struct bytes minor;
    uint64_t number;
    if (!words_next(&rest, ".", &major) || !words_number(major, 0, UINT32_MAX, &number))
        return VALUE_MALFORMED;
    if (words_next(&rest, ".", &minor) && (!text_is_digits(minor) || rest.len > 0))
        return VALUE_MALFORMED;
    return number == 3 ? VALUE_OK : VALUE_VERSION;
}

static enum value_verdict read_text(const struct header_value *v)
{
    static const size_t offsets[HEADER_IDS] = {
        [HEADER_CUSTOMER] = offsetof(struct vendor_header, customer),
        [HEADER_ORDER_NO] = offsetof(struct vendor_header, order),
        [HEADER_BATCH] = offsetof(struct vendor_header, batch),
        [HEADER_CARD_TYPE] = offsetof(struct vendor_header, card_type),
        [HEADER_CARD_OS] = offsetof(struct vendor_header, card_os),
        [HEADER_PROFILE] = offsetof(struct vendor_header, profile),
        [HEADER_GRAPH_REF] = offsetof(struct vendor_header, graph_ref),
    };
    check(offsets[v->id] != 0); // the first member is another
    return verdict_of(keep_text(v->text, (char *)v->header + offsets[v->id], HEADER_TEXT_SIZE));
}

static enum value_verdict read_operator(const struct header_value *v)
{
    return verdict_of(keep_text(v->text, v->header->operator_name, VENDOR_OPERATOR_SIZE));
}

static enum value_verdict read_var_out(const struct header_value *v)
{
    return verdict_of(keep_text(v->text, v->header->var_out, HEADER_LIST_SIZE));
}

static enum value_verdict read_encrypted(const struct header_value *v)
{
    return verdict_of(keep_text(v->text, v->header->encrypted, HEADER_LIST_SIZE));
}

static enum value_verdict read_nothing(const struct header_value *v)
{
    return verdict_of(v->text.len > 0);
}

static enum value_verdict read_quantity(const struct header_value *v)
{
    return verdict_of(words_number(v->text, 1, UINT32_MAX, &v->header->quantity));
}

// Days from 1970-01-01; months and days are in range.
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static uint64_t days_in(uint64_t year, uint64_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (leap && month == 2 ? 1U : 0U);
}

// YYYYMMDDThhmmssZ
static enum value_verdict read_produced(const struct header_value *v)
{
    static const struct {
        uint8_t at, len;
        uint16_t min, max;
    } parts[] = {{0, 4, 1970, 9999}, {4, 2, 1, 12},  {6, 2, 1, 31},
                 {9, 2, 0, 23},      {11, 2, 0, 59}, {13, 2, 0, 59}};
    uint64_t n[6];
    if (v->text.len != 16 || v->text.at[8] != 'T' || v->text.at[15] != 'Z')
        return VALUE_MALFORMED;
    for (size_t i = 0; i < 6; i++)
        if (!words_number(bytes_slice(v->text, parts[i].at, parts[i].len), parts[i].min,
                          parts[i].max, &n[i]))
            return VALUE_MALFORMED;
    if (n[2] > days_in(n[0], n[1]))
        return VALUE_MALFORMED;
    int64_t seconds = days_of((int64_t)n[0], (int64_t)n[1], (int64_t)n[2]) * 86400 +
                      (int64_t)(n[3] * 3600 + n[4] * 60 + n[5]);
    v->header->produced = (struct utc){seconds * 1000};
    return VALUE_OK;
}

static enum value_verdict read_target(const struct header_value *v)
{
    struct bytes rest = v->text;
    struct bytes word;
    while (words_next(&rest, "+", &word)) {
        unsigned bit = vendor_text_is(word, "OTA")   ? VENDOR_TARGET_OTA
                       : vendor_text_is(word, "AUC") ? VENDOR_TARGET_AUC
                       : vendor_text_is(word, "LOG") ? VENDOR_TARGET_LOG
                                                     : 0;
        if (bit == 0 || (v->header->targets & bit) != 0)
            return VALUE_MALFORMED;
        v->header->targets |= bit;
    }
    return verdict_of(v->header->targets != 0);
}

static bool read_iv(struct bytes text, uint8_t iv[16])
{
    if (bytes_equal(text, bytes_of_text("0"))) {
        memset(iv, 0, 16);
        return true;
    }
    return words_hex(text, iv, 16);
}

// "07 AES128-CBC IV=0 KCV=3544E0"
static enum value_verdict read_transport(const struct header_value *v)
{
    struct vendor_transport *t =
        &v->header->transport[v->id == HEADER_TRANSPORT_OTA ? TRANSPORT_OTA : TRANSPORT_AUC];
    struct bytes rest = v->text;
    struct bytes index;
    struct bytes algorithm;
    uint64_t number;
    if (!words_next(&rest, " \t", &index) || !words_next(&rest, " \t", &algorithm) ||
        !words_number(index, 1, 99, &number))
        return VALUE_MALFORMED;
    struct word_value values[] = {{.name = "IV", .must = true}, {.name = "KCV", .must = true}};
    if (!words_read(rest, values, 2) || !read_iv(values[0].value, t->iv) ||
        !words_hex(values[1].value, t->kcv, 3))
        return VALUE_MALFORMED;
    t->named = true;
    t->has_kcv = true;
    t->index = (uint8_t)number;
    return vendor_text_is(algorithm, "AES128-CBC") ? VALUE_OK : VALUE_ALGORITHM;
}

static enum value_verdict read_keyset(const struct header_value *v)
{
    struct vendor_header *h = v->header;
    struct word_value values[] = {{.name = "KVN", .must = true},
                                  {.name = "KIC-ALG", .must = true},
                                  {.name = "KID-ALG", .must = true},
                                  {.name = "CNTR", .must = true}};
    uint8_t counter[5];
    uint64_t number;
    if (!words_read(v->text, values, 4) || !words_number(values[0].value, 1, 15, &number) ||
        !words_hex(values[3].value, counter, sizeof counter))
        return VALUE_MALFORMED;
    struct reader reader = reader_of(bytes_of(counter, sizeof counter));
    h->counter = reader_u40(&reader);
    h->keyset = (uint8_t)number;
    bool aes =
        vendor_text_is(values[1].value, "AES-CBC") && vendor_text_is(values[2].value, "AES-CMAC");
    return aes ? VALUE_OK : VALUE_ALGORITHM;
}

static enum value_verdict read_security(const struct header_value *v)
{
    struct word_value values[] = {{.name = "SPI", .must = true}, {.name = "MSL", .must = true}};
    return verdict_of(words_read(v->text, values, 2) &&
                      words_hex(values[0].value, v->header->spi, 2) &&
                      words_hex(values[1].value, &v->header->minimum_level, 1));
}

static bool read_templates(struct bytes text, struct vendor_applet *applet)
{
    struct bytes word;
    uint64_t number;
    while (words_next(&text, ",", &word)) {
        if (!words_number(word, 1, 254, &number) || applet->template_count == VENDOR_TEMPLATES_MAX)
            return false;
        applet->templates[applet->template_count++] = (uint8_t)number;
    }
    return true;
}

static enum value_verdict read_applet(const struct header_value *v)
{
    struct vendor_applet *a = &v->header->applet;
    struct word_value values[] = {{.name = "AID", .must = true},
                                  {.name = "TAR", .must = true},
                                  {.name = "VER", .must = true},
                                  {.name = "SLOTS", .must = true},
                                  {.name = "TEMPLATES", .must = false}};
    uint64_t slots;
    // With the TAR in its octets 13 to 15, an AID has its full length of 16 [101.220 Annex L].
    if (!words_read(v->text, values, 5) || !words_hex(values[0].value, a->aid, sizeof a->aid) ||
        !words_hex(values[1].value, a->tar, sizeof a->tar) ||
        !keep_text(values[2].value, a->version, sizeof a->version) ||
        !words_number(values[3].value, 0, UINT8_MAX, &slots) || !read_templates(values[4].value, a))
        return VALUE_MALFORMED;
    a->aid_len = sizeof a->aid;
    a->slot_count = (uint8_t)slots;
    return slots >= 1 && slots <= VENDOR_SLOTS_MAX ? VALUE_OK : VALUE_SLOTS;
}

static bool read_role(const struct header_value *v, struct bytes text, enum vendor_role *role)
{
    *role = v->id == HEADER_BOOTSTRAP ? VENDOR_BOOTSTRAP : VENDOR_OPERATIONAL;
    if (text.len == 0)
        return true;
    if (v->id != HEADER_SUBSCRIPTION)
        return false;
    if (vendor_text_is(text, "BOOTSTRAP"))
        *role = VENDOR_BOOTSTRAP;
    else if (vendor_text_is(text, "TEST"))
        *role = VENDOR_TEST;
    else
        return vendor_text_is(text, "OPERATIONAL");
    return true;
}

static bool read_choice(struct bytes text, const char *yes, const char *no, bool *choice)
{
    *choice = vendor_text_is(text, yes);
    return *choice || vendor_text_is(text, no);
}

static enum value_verdict read_factory(const struct header_value *v)
{
    struct vendor_header *h = v->header;
    struct vendor_factory f = {.line = v->line};
    struct word_value values[] = {{.name = "SLOT", .must = true},
                                  {.name = "STATE", .must = true},
                                  {.name = "FALLBACK", .must = true},
                                  {.name = "ROLE", .must = false}};
    uint64_t slot;
    if (!words_read(v->text, values, 4) || !words_number(values[0].value, 0, UINT8_MAX, &slot) ||
        !read_choice(values[1].value, "ENABLED", "DISABLED", &f.enabled) ||
        !read_choice(values[2].value, "YES", "NO", &f.fallback) ||
        !read_role(v, values[3].value, &f.role))
        return VALUE_MALFORMED;
    f.slot = (uint8_t)slot;
    for (uint8_t i = 0; i < h->factory_count; i++)
        if (h->factory[i].slot == slot)
            return VALUE_SLOTS;
    if (slot < 1 || slot > VENDOR_SLOTS_MAX || h->factory_count == VENDOR_SLOTS_MAX)
        return VALUE_SLOTS;
    h->factory[h->factory_count++] = f;
    return VALUE_OK;
}

// "20D LUHN", "19D NOLUHN SWAP"
static enum value_verdict read_iccid_format(const struct header_value *v)
{
    struct vendor_iccid_format f = {0};
    bool has_check = false;
    struct bytes rest = v->text;
    struct bytes word;
    while (words_next(&rest, " \t", &word)) {
        if (f.digits == 0 && vendor_text_is(word, "19D"))
            f.digits = 19;
        else if (f.digits == 0 && vendor_text_is(word, "20D"))
            f.digits = 20;
        else if (!has_check && read_choice(word, "LUHN", "NOLUHN", &f.has_check_digit))
            has_check = true;
        else if (!f.is_swapped && vendor_text_is(word, "SWAP"))
            f.is_swapped = true;
        else
            return VALUE_MALFORMED;
    }
    if (f.digits == 0 || !has_check)
        return VALUE_MALFORMED;
    v->header->iccid_format = f;
    return VALUE_OK;
}

static enum value_verdict read_start_imsi(const struct header_value *v)
{
    struct vendor_header *h = v->header;
    h->start_line[v->slot] = v->line;
    return verdict_of(v->text.len == 15 && text_read_decimal(v->text, &h->start_imsi[v->slot]));
}

static enum value_verdict read_kind(const struct header_value *v)
{
    return verdict_of(read_choice(v->text, "POOL", "CARDS", &v->header->is_pool));
}

#define ANY_TEXT "1 to 63 characters"

// In the order of enum header_id.
static const struct {
    const char *name;
    enum value_verdict (*read)(const struct header_value *value);
    const char *expected;
} keys[HEADER_IDS] = {
    {"File-Version", read_version, "major.minor"},
    {"Customer", read_text, ANY_TEXT},
    {"Order-No", read_text, ANY_TEXT},
    {"Batch", read_text, ANY_TEXT},
    {"Quantity", read_quantity, "a whole number from 1"},
    {"Card-Type", read_text, ANY_TEXT},
    {"Card-OS", read_text, ANY_TEXT},
    {"Profile", read_text, ANY_TEXT},
    {"Graph-Ref", read_text, ANY_TEXT},
    {"Produced", read_produced, "YYYYMMDDThhmmssZ"},
    {"Output-Target", read_target, "OTA, AUC, LOG or a sum of them"},
    {"Transport-Key-AUC", read_transport,
     "index AES128-CBC IV=0 or 32 hex digits, KCV=6 hex digits"},
    {"Transport-Key-OTA", read_transport,
     "index AES128-CBC IV=0 or 32 hex digits, KCV=6 hex digits"},
    {"OTA-Keyset", read_keyset, "KVN=1..15 KIC-ALG= KID-ALG= CNTR=10 hex digits"},
    {"OTA-Security", read_security, "SPI=4 hex digits MSL=2 hex digits"},
    {"Applet-SM", read_applet, "AID=32 hex digits TAR=6 hex digits VER= SLOTS= TEMPLATES="},
    {"Bootstrap", read_factory, "SLOT= STATE=ENABLED|DISABLED FALLBACK=YES|NO"},
    {"Operational", read_factory, "SLOT= STATE=ENABLED|DISABLED FALLBACK=YES|NO"},
    {"Subscription", read_factory, "SLOT= STATE=ENABLED|DISABLED FALLBACK=YES|NO ROLE="},
    {"ICCID-Format", read_iccid_format, "19D or 20D, LUHN or NOLUHN, optionally SWAP"},
    {"Var_In", read_nothing, "a list of names"},
    {"Start-IMSI", read_start_imsi, "15 digits"},
    {"Var_Out", read_var_out, "names separated by /"},
    {"Encrypted", read_encrypted, "NAME=index, separated by spaces"},
    {"Kind", read_kind, "POOL or CARDS"},
    {"Operator", read_operator, "1 to 31 characters"},
};

const char *header_name(enum header_id id)
{
    return keys[id].name;
}

static struct bytes trim(struct bytes text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = bytes_of(text.at + 1, text.len - 1);
    while (text.len > 0 && (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
        text.len--;
    return text;
}

bool header_split(struct bytes line, struct bytes *key, struct bytes *value)
{
    const uint8_t *colon = line.len > 0 ? memchr(line.at, ':', line.len) : NULL;
    if (colon == NULL)
        return false;
    size_t key_len = (size_t)(colon - line.at);
    *key = trim(bytes_slice(line, 0, key_len));
    *value = trim(bytes_slice(line, key_len + 1, line.len));
    return key->len > 0;
}

// The key's id, and for Start-IMSIn its slot; HEADER_IDS = unknown.
static enum header_id find(struct bytes key, uint8_t *slot)
{
    const struct bytes start = bytes_of_text(keys[HEADER_START_IMSI].name);
    uint64_t number;
    if (vendor_text_equal(bytes_slice(key, 0, start.len), start)) {
        if (!words_number(bytes_slice(key, start.len, 2), 1, VENDOR_SLOTS_MAX, &number) ||
            key.len > start.len + 2)
            return HEADER_IDS;
        *slot = (uint8_t)number;
        return HEADER_START_IMSI;
    }
    for (size_t i = 0; i < HEADER_IDS; i++)
        if (i != HEADER_START_IMSI && vendor_text_is(key, keys[i].name))
            return (enum header_id)i;
    return HEADER_IDS;
}

static uint32_t line_before(const struct vendor_header *h, enum header_id id, uint8_t slot)
{
    if (id == HEADER_BOOTSTRAP || id == HEADER_OPERATIONAL || id == HEADER_SUBSCRIPTION)
        return 0;
    return id == HEADER_START_IMSI ? h->start_line[slot] : h->line[id];
}

static void report(struct findings *findings, const struct header_value *v,
                   enum value_verdict verdict)
{
    const char *name = keys[v->id].name;
    switch (verdict) {
    case VALUE_OK:
        return;
    case VALUE_MALFORMED:
        findings_add(findings, IMP_119, v->line, name, "malformed value; expected %s",
                     keys[v->id].expected);
        return;
    case VALUE_VERSION:
        findings_add(findings, IMP_101, v->line, name, "version %s is not supported; expected 3.x",
                     findings_quote(v->text).text);
        return;
    case VALUE_ALGORITHM:
        findings_add(findings, IMP_116, v->line, name,
                     v->id == HEADER_OTA_KEYSET ? "expected KIC-ALG=AES-CBC and KID-ALG=AES-CMAC"
                                                : "expected AES128-CBC");
        return;
    case VALUE_SLOTS:
        findings_add(findings, IMP_112, v->line, name,
                     v->id == HEADER_APPLET_SM ? "expected 1 to 16 slots"
                                               : "slot used twice, or not 1 to 16");
        return;
    }
}

void header_read(struct vendor_header *h, struct bytes key, struct bytes value, uint32_t line,
                 struct findings *findings)
{
    struct header_value v = {.header = h, .text = value, .line = line};
    v.id = find(key, &v.slot);
    if (v.id == HEADER_IDS) {
        findings_add(findings, W_010, line, findings_field(key).text, "unknown header key");
        return;
    }
    uint32_t before = line_before(h, v.id, v.slot);
    if (before != 0) {
        findings_add(findings, IMP_107, line, keys[v.id].name, "stands already in line %u", before);
        return;
    }
    h->line[v.id] = line;
    report(findings, &v, keys[v.id].read(&v));
}

void header_wipe(struct vendor_header *h)
{
    for (size_t i = 0; i < TRANSPORT_KINDS; i++)
        secret_wipe(&h->transport[i].key, sizeof h->transport[i].key);
}
