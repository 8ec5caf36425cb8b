#include "profiles/vendor/record.h"

#include "common/base/text.h"
#include "profiles/vendor/weak.h"

#include <stdio.h>

#define KCV_SIZE 3
#define FIELD_OCTETS_MAX 32

struct record {
    const struct record_options *o;
    const struct vendor_fields *fields;
    struct vendor_card *card;
    struct vendor_card unused; // takes what is checked but not stored
    const struct vendor_column *column;
    struct bytes text;
    uint8_t kcv[3 * KCV_SIZE];
    uint8_t kcv_count;
    const char *kcv_name;
    uint32_t op_slots;  // bit per subscription: opc holds OP
    uint32_t acc_slots; // bit per subscription: the file has an ACC
    bool is_bad;
    bool is_failed;
};

#define BAD(r, code, ...)                                                                          \
    ((r)->is_bad = true,                                                                           \
     findings_add((r)->o->findings, code, (r)->fields->line, (r)->column->name, __VA_ARGS__))

static struct vendor_card *target(struct record *r)
{
    return r->column->is_stored ? r->card : &r->unused;
}

static struct vendor_subscription *subscription(struct record *r)
{
    return &target(r)->subscriptions[r->column->subscription];
}

static void keep(char *to, struct bytes text)
{
    memcpy(to, text.at, text.len);
    to[text.len] = '\0';
}

// The check digit is the last; doubled are every second digit from its left [E.118 Annex B].
static unsigned check_digit(const char *digits, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; i + 1 < len; i++) {
        unsigned digit = (unsigned)(digits[len - 2 - i] - '0');
        if (i % 2 == 0)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return (10 - sum % 10) % 10;
}

// Brings "SWAP" notation and the filler into plain digits; false when they are none.
static bool plain_iccid(struct bytes text, const struct vendor_iccid_format *format, char *to)
{
    if (text.len > VENDOR_ICCID_SIZE - 1 || (format->is_swapped && text.len % 2 != 0))
        return false;
    for (size_t i = 0; i < text.len; i++)
        to[i] = (char)text.at[format->is_swapped ? i ^ 1 : i];
    size_t len = text.len;
    if (format->digits == 19 && len == 20 && (to[19] == 'F' || to[19] == 'f'))
        len--;
    to[len] = '\0';
    return len == format->digits && text_is_digits(bytes_of(to, len));
}

static void read_iccid(struct record *r, char *to)
{
    const struct vendor_iccid_format *format = &r->o->file->header.iccid_format;
    char digits[VENDOR_ICCID_SIZE];
    if (!plain_iccid(r->text, format, digits)) {
        BAD(r, IMP_202, "%zu characters; expected %u digits", r->text.len, format->digits);
        return;
    }
    unsigned expected = check_digit(digits, format->digits);
    unsigned found = (unsigned)(digits[format->digits - 1] - '0');
    if (format->has_check_digit && found != expected) {
        BAD(r, IMP_201, "check digit is %u, expected %u", found, expected);
        return;
    }
    memcpy(to, digits, sizeof digits);
}

static void read_eid(struct record *r)
{
    if (r->text.len != VENDOR_EID_SIZE - 1 || !text_is_digits(r->text))
        BAD(r, IMP_202, "%zu characters; expected 32 digits", r->text.len);
    else
        keep(target(r)->eid, r->text);
}

static void read_imsi(struct record *r)
{
    struct vendor_subscription *s = subscription(r);
    if (r->text.len != 15 || !text_is_digits(r->text)) {
        BAD(r, IMP_203, "%zu characters; expected 15 digits", r->text.len);
        return;
    }
    const char *operator_name = profile_operator(r->o->options->profile, r->text);
    const struct vendor_header *h = &r->o->file->header;
    keep(s->imsi, r->text);
    if (operator_name == NULL)
        BAD(r, IMP_216, "no operator of the vendor profile has such an IMSI");
    else if (h->is_pool && strcmp(operator_name, h->operator_name) != 0)
        BAD(r, IMP_216, "the IMSI is not one of the pool's operator");
    else
        (void)snprintf(s->operator_name, sizeof s->operator_name, "%s", operator_name);
}

// After all IMSIs are read: the rule is that of the subscription's operator.
static void read_msisdn(struct record *r)
{
    struct vendor_subscription *s = subscription(r);
    const char *operator_name = subscription(r)->operator_name;
    const struct number_rule *rule = NULL;
    if (operator_name[0] != '\0' && r->o->number_rule != NULL)
        rule = r->o->number_rule(r->o->context, operator_name);
    if (rule == NULL)
        rule = &number_rule_e164;
    switch (number_read(rule, r->text, s->msisdn)) {
    case NUMBER_OK:
        return;
    case NUMBER_BREAKS_RULE:
        BAD(r, IMP_220, "%zu characters; %s version %u rule %s: expected %s", r->text.len,
            rule->pack, rule->version, rule->rule, rule->expected);
        return;
    case NUMBER_AMBIGUOUS:
        BAD(r, IMP_221, "%s version %u rule %s: could be two different numbers", rule->pack,
            rule->version, rule->rule);
        return;
    }
}

static void read_acc(struct record *r)
{
    uint8_t octets[2];
    struct writer out = writer_of(octets, sizeof octets);
    if (r->text.len != 4)
        BAD(r, IMP_205, "%zu characters; expected 4 hex digits", r->text.len);
    else if (!text_unhex(r->text, &out))
        BAD(r, IMP_204, "expected 4 hex digits");
    else
        subscription(r)->acc = (uint16_t)(octets[0] << 8 | octets[1]);
    if (r->column->is_stored)
        r->acc_slots |= 1U << r->column->subscription;
}

static void read_digits(struct record *r, enum finding_code code, char *to, size_t min, size_t max)
{
    if (r->text.len < min || r->text.len > max || !text_is_digits(r->text))
        BAD(r, code, "%zu characters; expected %zu to %zu digits", r->text.len, min, max);
    else
        keep(to, r->text);
}

static void read_algorithm(struct record *r)
{
    if (vendor_text_is(r->text, "tuak"))
        subscription(r)->algorithm = VENDOR_TUAK;
    else if (!vendor_text_is(r->text, "milenage"))
        BAD(r, IMP_204, "expected milenage or tuak");
}

// Hexadecimal of 16 octets, or 32 where `long_too`, deciphered where the column says so.
static bool read_octets(struct record *r, bool long_too, struct secret_key *key)
{
    const struct cipher *c = r->o->options->cipher;
    struct writer out = writer_of(key->octets, sizeof key->octets);
    if (r->text.len != 32 && !(long_too && r->text.len == 64)) {
        BAD(r, IMP_205, "%zu characters; expected 32 hex digits%s", r->text.len,
            long_too ? " (64 for a long key)" : "");
        return false;
    }
    if (!text_unhex(r->text, &out)) {
        BAD(r, IMP_204, "expected hexadecimal digits");
        return false;
    }
    key->len = (uint8_t)out.len;
    if (!r->column->is_encrypted)
        return true;
    const struct vendor_transport *t = &r->o->file->header.transport[r->column->transport];
    r->is_failed = r->is_failed ||
                   !c->cbc_decrypt(c->context, CIPHER_AES, &t->key, t->iv, key->octets, key->len);
    return !r->is_failed;
}

static void judge_key(struct record *r, const struct secret_key *key)
{
    switch (weak_judge(key)) {
    case KEY_STRONG:
        return;
    case KEY_PATTERN:
        BAD(r, IMP_303, "weak key: all octets equal or counting");
        return;
    case KEY_PUBLISHED:
        if (r->o->is_lab)
            findings_warn(r->o->findings, IMP_303, r->fields->line, r->column->name,
                          "published test key; accepted in lab mode");
        else
            BAD(r, IMP_303, "weak key: a published test key");
        return;
    }
}

static void read_key(struct record *r, struct secret_key *to)
{
    struct secret_key key = {0};
    if (read_octets(r, true, &key)) {
        *to = key;
        if (r->column->meaning.name != VENDOR_OPC && r->column->meaning.name != VENDOR_OP)
            judge_key(r, &key);
    }
    secret_wipe(&key, sizeof key);
}

static void keep_adm(struct record *r, struct bytes digits)
{
    if (digits.len != 8 || !text_is_digits(digits))
        BAD(r, IMP_206, "expected 8 digits");
    else
        keep(target(r)->codes.adm1, digits);
}

// 8 digits; enciphered they are followed by 80 and zeros.
static void read_adm(struct record *r)
{
    static const uint8_t padding[8] = {0x80};
    struct secret_key block = {0};
    if (!r->column->is_encrypted) {
        keep_adm(r, r->text);
        return;
    }
    if (read_octets(r, false, &block)) {
        if (memcmp(block.octets + 8, padding, sizeof padding) == 0)
            keep_adm(r, bytes_of(block.octets, 8));
        else
            BAD(r, IMP_302, "padding after deciphering is wrong: wrong transport key?");
    }
    secret_wipe(&block, sizeof block);
}

static void read_kcv(struct record *r)
{
    struct writer out = writer_of(r->kcv, sizeof r->kcv);
    if (r->text.len != 4 * KCV_SIZE && r->text.len != 6 * KCV_SIZE) {
        BAD(r, IMP_205, "%zu characters; expected 12 or 18 hex digits", r->text.len);
        return;
    }
    if (!text_unhex(r->text, &out)) {
        BAD(r, IMP_204, "expected hexadecimal digits");
        return;
    }
    r->kcv_count = (uint8_t)(out.len / KCV_SIZE);
    r->kcv_name = r->column->name;
}

static void read_info(struct record *r)
{
    struct vendor_card *card = target(r);
    if (card->info_count == VENDOR_INFOS_MAX || r->text.len >= VENDOR_INFO_SIZE) {
        BAD(r, IMP_205, "expected at most %u texts of %u characters", VENDOR_INFOS_MAX,
            VENDOR_INFO_SIZE - 1);
        return;
    }
    struct vendor_info *info = &card->infos[card->info_count++];
    info->number = r->column->meaning.number;
    keep(info->text, r->text);
}

// The names that come once per card.
static void read_card_field(struct record *r)
{
    struct vendor_codes *codes = &target(r)->codes;
    switch (r->column->meaning.name) {
    case VENDOR_ICCID:
        read_iccid(r,
                   r->o->file->header.is_pool ? r->card->subscriptions[0].iccid : target(r)->iccid);
        break;
    case VENDOR_EID:
        read_eid(r);
        break;
    case VENDOR_PIN1:
        read_digits(r, IMP_206, codes->pin1, 4, 8);
        break;
    case VENDOR_PUK1:
        read_digits(r, IMP_206, codes->puk1, 8, 8);
        break;
    case VENDOR_PIN2:
        read_digits(r, IMP_206, codes->pin2, 4, 8);
        break;
    case VENDOR_PUK2:
        read_digits(r, IMP_206, codes->puk2, 8, 8);
        break;
    case VENDOR_ADM1:
        read_adm(r);
        break;
    case VENDOR_KCV:
        read_kcv(r);
        break;
    case VENDOR_KIC:
        read_key(r, &target(r)->keyset.kic);
        break;
    case VENDOR_KID:
        read_key(r, &target(r)->keyset.kid);
        break;
    case VENDOR_KIK:
        read_key(r, &target(r)->keyset.kik);
        break;
    case VENDOR_INFO:
        read_info(r);
        break;
    case VENDOR_SLOT_ICCID:
    case VENDOR_IMSI:
    case VENDOR_MSISDN:
    case VENDOR_ACC:
    case VENDOR_KI:
    case VENDOR_OPC:
    case VENDOR_OP:
    case VENDOR_ALGO:
    case VENDOR_SMSP:
    case VENDOR_IGNORED:
        break;
    }
}

// The names that come once per slot, without IMSI and MSISDN, whose order matters.
static void read_slot_field(struct record *r)
{
    struct vendor_subscription *s = subscription(r);
    switch (r->column->meaning.name) {
    case VENDOR_SLOT_ICCID:
        read_iccid(r, s->iccid);
        break;
    case VENDOR_ACC:
        read_acc(r);
        break;
    case VENDOR_KI:
        read_key(r, &s->k);
        break;
    case VENDOR_OPC:
        read_key(r, &s->opc);
        break;
    case VENDOR_OP:
        read_key(r, &s->opc);
        if (r->column->is_stored && s->opc.len > 0)
            r->op_slots |= 1U << r->column->subscription;
        break;
    case VENDOR_ALGO:
        read_algorithm(r);
        break;
    case VENDOR_SMSP:
        read_digits(r, IMP_220, s->smsp, 3, VENDOR_SMSP_SIZE - 1);
        break;
    case VENDOR_ICCID:
    case VENDOR_EID:
    case VENDOR_PIN1:
    case VENDOR_PUK1:
    case VENDOR_PIN2:
    case VENDOR_PUK2:
    case VENDOR_ADM1:
    case VENDOR_KCV:
    case VENDOR_IMSI:
    case VENDOR_MSISDN:
    case VENDOR_KIC:
    case VENDOR_KID:
    case VENDOR_KIK:
    case VENDOR_INFO:
    case VENDOR_IGNORED:
        break;
    }
}

enum pass {
    PASS_IMSI,   // the operators become known
    PASS_OTHERS, // including keys
    PASS_MSISDN, // judged by the operator's rule
};

static void read_fields(struct record *r, enum pass pass)
{
    const struct vendor_file *f = r->o->file;
    for (size_t i = 0; i < f->column_count; i++) {
        enum vendor_name name = f->columns[i].meaning.name;
        enum pass own = name == VENDOR_IMSI     ? PASS_IMSI
                        : name == VENDOR_MSISDN ? PASS_MSISDN
                                                : PASS_OTHERS;
        if (own != pass)
            continue;
        r->column = &f->columns[i];
        r->text = r->fields->at[i];
        if (pass == PASS_IMSI)
            read_imsi(r);
        else if (pass == PASS_MSISDN)
            read_msisdn(r);
        else if (vendor_name_has_slot(name))
            read_slot_field(r);
        else
            read_card_field(r);
    }
}

// OPc = OP xor E_K(OP) [35.206 §4.1]; TOPc is not derived here.
static void derive_opc(struct record *r, struct vendor_subscription *s)
{
    const struct cipher *c = r->o->options->cipher;
    uint8_t block[CIPHER_AES_BLOCK] = {0};
    if (s->k.len == 0)
        return;
    if (s->algorithm != VENDOR_MILENAGE || s->k.len != 16 || s->opc.len != 16) {
        r->is_bad = true;
        findings_add(r->o->findings, IMP_205, r->fields->line, "OP",
                     "OP goes with Milenage and keys of 32 hex digits only");
        return;
    }
    r->is_failed = r->is_failed || !c->aes_block(c->context, &s->k, s->opc.octets, block);
    for (size_t i = 0; i < sizeof block; i++)
        s->opc.octets[i] ^= block[i];
    secret_wipe(block, sizeof block);
}

static void complete_subscription(struct record *r, uint8_t index)
{
    struct vendor_subscription *s = &r->card->subscriptions[index];
    if ((r->op_slots & 1U << index) != 0)
        derive_opc(r, s);
    if (s->slot == 1 && s->iccid[0] == '\0')
        memcpy(s->iccid, r->card->iccid, sizeof s->iccid);
    if (s->imsi[0] == '\0')
        return;
    const uint16_t fitting = (uint16_t)(1U << (s->imsi[14] - '0'));
    if ((r->acc_slots & 1U << index) == 0) {
        s->acc = fitting;
    } else if (s->acc != fitting) {
        char name[VENDOR_NAME_SIZE];
        vendor_name_write((struct vendor_meaning){VENDOR_ACC, s->slot > 0 ? s->slot : 1}, name);
        findings_add(r->o->findings, W_021, r->fields->line, name,
                     "does not fit the last digit of the IMSI; kept");
    }
}

static void check_kcv(struct record *r, const struct secret_key *key, uint8_t index)
{
    static const uint8_t ones[CIPHER_AES_BLOCK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const char *const names[] = {"KIC", "KID", "KIK"};
    const struct cipher *c = r->o->options->cipher;
    uint8_t block[CIPHER_AES_BLOCK];
    // A second reading is of the same octets, or counts as nothing.
    if (key->len == 0 || index >= r->kcv_count || r->o->findings == NULL)
        return;
    if (!c->aes_block(c->context, key, ones, block)) {
        r->is_failed = true;
        return;
    }
    if (memcmp(block, r->kcv + (size_t)KCV_SIZE * index, KCV_SIZE) != 0) {
        r->is_bad = true;
        findings_add(r->o->findings, IMP_301, r->fields->line, r->kcv_name,
                     "check value of %s differs from the deciphered key's", names[index]);
    }
    secret_wipe(block, sizeof block);
}

static void complete_keyset(struct record *r)
{
    static const char label[] = "card-ref";
    const struct cipher *c = r->o->options->cipher;
    const struct vendor_header *h = &r->o->file->header;
    struct vendor_keyset *k = &r->card->keyset;
    check_kcv(r, &k->kic, 0);
    check_kcv(r, &k->kid, 1);
    check_kcv(r, &k->kik, 2);
    if (k->kic.len == 0 && k->kid.len == 0 && k->kik.len == 0)
        return;
    k->number = h->keyset;
    k->counter = h->counter;
    uint8_t mac[CIPHER_AES_BLOCK];
    const struct bytes part = bytes_of(label, sizeof label - 1);
    if (k->kik.len == 0)
        return;
    r->is_failed = r->is_failed || !c->aes_cmac(c->context, &k->kik, &part, 1, mac);
    memcpy(k->reference, mac, sizeof k->reference);
}

static void start_card(const struct record_options *o, struct vendor_card *card)
{
    const struct vendor_header *h = &o->file->header;
    card->iccid[0] = '\0';
    card->eid[0] = '\0';
    card->codes = (struct vendor_codes){0};
    card->keyset = (struct vendor_keyset){0};
    card->info_count = 0;
    card->subscription_count = o->file->slot_count;
    for (uint8_t i = 0; i < card->subscription_count; i++) {
        struct vendor_subscription *s = &card->subscriptions[i];
        *s = (struct vendor_subscription){.role = VENDOR_OPERATIONAL};
        s->slot = h->is_pool ? 0 : o->file->slots[i];
        for (uint8_t j = 0; j < h->factory_count && !h->is_pool; j++)
            if (h->factory[j].slot == s->slot) {
                s->role = h->factory[j].role;
                s->enabled = h->factory[j].enabled;
                s->fallback = h->factory[j].fallback;
            }
    }
}

enum record_verdict vendor_record_read(const struct record_options *o,
                                       const struct vendor_fields *fields, struct vendor_card *card)
{
    struct record r = {.o = o, .fields = fields, .card = card};
    start_card(o, card);
    start_card(o, &r.unused);
    card->line = fields->line;
    if (fields->count != o->file->column_count) {
        findings_add(o->findings, IMP_200, fields->line, "", "%zu fields; expected %zu",
                     fields->count, o->file->column_count);
        return RECORD_BAD;
    }
    read_fields(&r, PASS_IMSI);
    read_fields(&r, PASS_OTHERS);
    read_fields(&r, PASS_MSISDN);
    for (uint8_t i = 0; i < card->subscription_count; i++)
        complete_subscription(&r, i);
    complete_keyset(&r);
    vendor_card_wipe(&r.unused);
    if (r.is_failed)
        return RECORD_FAILED;
    return r.is_bad ? RECORD_BAD : RECORD_GOOD;
}
