#include "profiles/vendor/compare.h"

#include "common/base/text.h"

#define KNOWN_TEXT "already loaded with other content"
#define GAP_SHOWN_MAX 100000

struct comparing {
    struct compare *c;
    const struct vendor_card *card;
    bool may_ask; // the registry does not have the very same card
    bool is_bad;
    bool is_failed;
};

bool compare_open(struct compare *c, const struct import_options *options, struct vendor_file *file,
                  struct findings *findings)
{
    *c = (struct compare){.options = options, .file = file, .findings = findings};
    const struct secret_key *key = &options->fingerprint_key;
    struct reader seed = reader_of(bytes_of(key->octets, key->len));
    for (uint8_t i = 0; i < file->slot_count; i++)
        c->next_imsi[i] = file->header.start_imsi[file->header.is_pool ? 1 : file->slots[i]];
    if (values_open(&c->values, options->scratch, reader_u64(&seed)))
        return true;
    compare_close(c);
    return false;
}

void compare_close(struct compare *c)
{
    values_close(&c->values);
    line_set_close(&c->bad);
    line_set_close(&c->equal);
}

static void bad(struct comparing *r, enum finding_code code, uint8_t column, const char *text)
{
    r->is_bad = true;
    findings_add(r->c->findings, code, r->card->line, r->c->file->columns[column].name, "%s", text);
}

// The column of a meaning; the caller knows that there is one.
static uint8_t column_of(const struct comparing *r, enum vendor_name name, uint8_t number)
{
    const struct vendor_file *f = r->c->file;
    for (size_t i = 0; i < f->column_count; i++) {
        const struct vendor_column *column = &f->columns[i];
        if (column->is_stored && column->meaning.name == name && column->meaning.number == number)
            return (uint8_t)i;
    }
    return 0;
}

static void add_value(struct comparing *r, enum value_kind kind, uint64_t value, uint8_t column)
{
    const struct value_note note = {
        .value = value, .line = r->card->line, .kind = (uint8_t)kind, .column = column};
    r->is_failed = r->is_failed || !values_add(&r->c->values, &note);
}

static bool tell_again(void *context, const struct value_note *note, const struct seen_place *first,
                       bool is_repeated)
{
    static const enum finding_code codes[] = {[VALUES_ICCID] = IMP_210,
                                              [VALUES_IMSI] = IMP_212,
                                              [VALUES_MSISDN] = IMP_214,
                                              [VALUES_KEY] = IMP_303};
    struct compare *c = context;
    const struct vendor_column *columns = c->file->columns;
    const enum finding_code code = codes[note->kind];
    const bool is_one_record = first->line == note->line;
    if (!is_repeated && !is_one_record)
        findings_add(c->findings, code, first->line, columns[first->column].name,
                     "the same value again in line %u", note->line);
    findings_add(c->findings, code, note->line, columns[note->column].name,
                 is_one_record ? "the same value as %s of line %u"
                               : "the same value is in %s of line %u",
                 columns[first->column].name, first->line);
    return line_set_add(&c->bad, first->line) && line_set_add(&c->bad, note->line);
}

bool compare_finish(struct compare *c)
{
    return values_compare(&c->values, tell_again, c);
}

static bool value_known(struct comparing *r, enum import_value what, struct bytes value)
{
    const struct import_registry *registry = &r->c->options->registry;
    return r->may_ask && registry->value_known(registry->context, what, value, r->card);
}

// 19 digits are exact; a twentieth, which is nearly always 8, is mixed in from above.
static uint64_t iccid_value(const char *iccid)
{
    uint64_t value = 0;
    size_t len = strlen(iccid);
    size_t skipped = len > 19 ? len - 19 : 0;
    for (size_t i = skipped; i < len; i++)
        value = value * 10 + (uint64_t)(iccid[i] - '0');
    return skipped > 0 ? value ^ (uint64_t)(iccid[0] - '0') * 0x9E3779B97F4A7C15U : value;
}

// Digits with a one in front, so that leading zeros count.
static uint64_t digits_value(const char *digits)
{
    uint64_t value = 1;
    for (; *digits != '\0'; digits++)
        value = value * 10 + (uint64_t)(*digits - '0');
    return value;
}

// The chain of blocks behind the length [SP 800-38B §6.2 without subkeys, which the length stands
// for]: a quarter of what a CMAC costs.
bool compare_fingerprint(const struct cipher *cipher, const struct secret_key *under,
                         const struct secret_key *key, uint8_t mac[CIPHER_AES_BLOCK])
{
    uint8_t block[CIPHER_AES_BLOCK] = {key->len};
    bool good = cipher->aes_block(cipher->context, under, block, mac);
    for (size_t at = 0; at < key->len && good; at += sizeof block) {
        for (size_t i = 0; i < sizeof block; i++)
            block[i] = (uint8_t)(mac[i] ^ (at + i < key->len ? key->octets[at + i] : 0));
        good = cipher->aes_block(cipher->context, under, block, mac);
    }
    secret_wipe(block, sizeof block);
    return good;
}

static void compare_key(struct comparing *r, const struct secret_key *key, enum vendor_name name,
                        uint8_t number)
{
    const struct import_options *o = r->c->options;
    uint8_t mac[CIPHER_AES_BLOCK];
    if (key->len == 0)
        return;
    if (!compare_fingerprint(o->file.cipher, &o->fingerprint_key, key, mac)) {
        r->is_failed = true;
        return;
    }
    uint8_t column = column_of(r, name, number);
    struct reader reader = reader_of(bytes_of(mac, sizeof mac));
    add_value(r, VALUES_KEY, reader_u64(&reader), column);
    if (value_known(r, VALUE_KEY, bytes_of(mac, sizeof mac)))
        bad(r, IMP_303, column, "the key is already on another card");
}

// A gap, or disorder, against the IMSIs that the order asked for.
static void compare_order(struct comparing *r, uint8_t index, uint8_t column)
{
    uint64_t *next = &r->c->next_imsi[index];
    uint64_t imsi;
    if (*next == 0 || !text_read_decimal(bytes_of_text(r->card->subscriptions[index].imsi), &imsi))
        return;
    const char *name = r->c->file->columns[column].name;
    const unsigned end = (unsigned)(*next % 10000);
    // A large gap says nothing more: its size would tell the IMSI.
    if (imsi > *next && imsi - *next < GAP_SHOWN_MAX)
        findings_add(r->c->findings, W_020, r->card->line, name,
                     "gap: %u IMSIs left out, ...%04u expected", (unsigned)(imsi - *next), end);
    else if (imsi != *next)
        findings_add(r->c->findings, W_020, r->card->line, name, "disorder: ...%04u expected", end);
    *next = imsi + 1;
}

static void compare_subscription(struct comparing *r, uint8_t index)
{
    const struct vendor_subscription *s = &r->card->subscriptions[index];
    const uint8_t slot = s->slot > 0 ? s->slot : 1;
    if (s->imsi[0] != '\0') {
        uint8_t column = column_of(r, VENDOR_IMSI, slot);
        compare_order(r, index, column);
        add_value(r, VALUES_IMSI, digits_value(s->imsi), column);
        if (value_known(r, VALUE_IMSI, bytes_of_text(s->imsi)))
            bad(r, IMP_212, column, "the IMSI is already on another card");
    }
    if (s->msisdn[0] != '\0') {
        uint8_t column = column_of(r, VENDOR_MSISDN, slot);
        add_value(r, VALUES_MSISDN, digits_value(s->msisdn), column);
        if (value_known(r, VALUE_MSISDN, bytes_of_text(s->msisdn)))
            bad(r, IMP_214, column, "the number is already on another subscription");
    }
    if (s->iccid[0] != '\0' && strcmp(s->iccid, r->card->iccid) != 0) {
        uint8_t column =
            s->slot == 0 ? column_of(r, VENDOR_ICCID, 0) : column_of(r, VENDOR_SLOT_ICCID, slot);
        add_value(r, VALUES_ICCID, iccid_value(s->iccid), column);
        if (value_known(r, VALUE_ICCID, bytes_of_text(s->iccid)))
            bad(r, IMP_211, column, KNOWN_TEXT);
    }
    compare_key(r, &s->k, VENDOR_KI, slot);
}

// True when the registry has the very same card.
static bool compare_known(struct comparing *r)
{
    const struct import_registry *registry = &r->c->options->registry;
    const bool is_pool = r->c->file->header.is_pool;
    const uint8_t column =
        r->card->iccid[0] != '\0' ? column_of(r, VENDOR_ICCID, 0) : column_of(r, VENDOR_IMSI, 1);
    switch (registry->card_known(registry->context, &r->c->file->header, r->card)) {
    case KNOWN_NOT:
    case KNOWN_MERGES:
        return false;
    case KNOWN_EQUAL:
        return true;
    case KNOWN_OTHER:
        bad(r, is_pool ? IMP_212 : IMP_211, column, KNOWN_TEXT);
        return false;
    case KNOWN_FOREIGN:
        bad(r, IMP_213, column, KNOWN_TEXT);
        return false;
    case KNOWN_DISAGREES:
        bad(r, IMP_215, column, "differs from another part of the same batch");
        return false;
    }
    return false;
}

bool compare_record(struct compare *c, const struct vendor_card *card, bool is_bad)
{
    struct comparing r = {.c = c, .card = card, .is_bad = is_bad};
    const bool is_equal = compare_known(&r);
    r.may_ask = !is_equal;
    if (card->iccid[0] != '\0')
        add_value(&r, VALUES_ICCID, iccid_value(card->iccid), column_of(&r, VENDOR_ICCID, 0));
    for (uint8_t i = 0; i < card->subscription_count; i++)
        compare_subscription(&r, i);
    const struct vendor_keyset *k = &card->keyset;
    const uint8_t set = c->file->header.keyset;
    compare_key(&r, &k->kic, VENDOR_KIC, set);
    compare_key(&r, &k->kid, VENDOR_KID, set);
    compare_key(&r, &k->kik, VENDOR_KIK, set);
    if (r.is_bad && !line_set_add(&c->bad, card->line))
        return false;
    if (is_equal && !line_set_add(&c->equal, card->line))
        return false;
    return !r.is_failed;
}
