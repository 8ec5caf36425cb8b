#include "profiles/vendor/layout.h"
#include "profiles/vendor/words.h"

#include "common/base/check.h"

#include <stdio.h>

// A minimum level is coded as the first octet of an SPI [102.225 §5.1.1].
#define LEVEL_AUTHENTICATION 0x03
#define LEVEL_MAC 0x02
#define LEVEL_CIPHERED 0x04
#define LEVEL_COUNTER 0x18
#define LEVEL_COUNTER_HIGHER 0x10
#define LEVEL_OURS 0x16 // MAC, ciphered, counter higher: what the server always sends

static bool has(const struct vendor_file *f, enum header_id id)
{
    return f->header.line[id] != 0;
}

static void require_key(struct vendor_file *f, enum header_id id)
{
    if (!has(f, id))
        findings_add(f->findings, IMP_106, f->data_line, header_name(id),
                     "mandatory header key is missing");
}

static void judge_keys(struct vendor_file *f)
{
    const struct vendor_header *h = &f->header;
    require_key(f, HEADER_CUSTOMER);
    require_key(f, HEADER_BATCH);
    require_key(f, HEADER_QUANTITY);
    if (h->is_pool) {
        require_key(f, HEADER_OPERATOR);
        if (columns_find(f, bytes_of_text("ICCID")) != NULL)
            require_key(f, HEADER_ICCID_FORMAT);
        return;
    }
    require_key(f, HEADER_OUTPUT_TARGET);
    require_key(f, HEADER_ICCID_FORMAT);
    // A positional file has no version, and a CSV without metadata neither version nor time.
    if (f->layout == VENDOR_VAROUT || f->has_metadata) {
        require_key(f, HEADER_FILE_VERSION);
        require_key(f, HEADER_PRODUCED);
    }
    if (f->layout == VENDOR_VAROUT)
        require_key(f, HEADER_VAR_OUT);
    if ((h->targets & VENDOR_TARGET_OTA) == 0)
        return;
    require_key(f, HEADER_OTA_KEYSET);
    require_key(f, HEADER_OTA_SECURITY);
    require_key(f, HEADER_APPLET_SM);
}

static void judge_kind(struct vendor_file *f)
{
    bool wants_pool = f->options->kind == VENDOR_POOL;
    if (f->header.is_pool != wants_pool)
        findings_add(f->findings, IMP_119, f->header.line[HEADER_KIND], "Kind",
                     wants_pool ? "a file of cards; expected #Kind: POOL"
                                : "a pool of subscriptions; expected cards");
}

// The answer does not tell whether such a customer exists.
static void judge_customer(struct vendor_file *f)
{
    struct vendor_header *h = &f->header;
    if (h->customer[0] == '\0')
        return;
    const char *tenant = profile_tenant(f->options->profile, bytes_of_text(h->customer));
    const char *own = f->options->tenant;
    if (tenant == NULL || (own != NULL && strcmp(own, tenant) != 0)) {
        findings_add(f->findings, IMP_117, h->line[HEADER_CUSTOMER], "Customer",
                     "not a customer of this import");
        return;
    }
    (void)snprintf(h->tenant, sizeof h->tenant, "%s", tenant);
}

static bool may_be_encrypted(enum vendor_name name, enum transport_kind *kind)
{
    *kind = name == VENDOR_KI || name == VENDOR_OPC || name == VENDOR_OP ? TRANSPORT_AUC
                                                                         : TRANSPORT_OTA;
    return *kind == TRANSPORT_AUC || name == VENDOR_ADM1 ||
           (name >= VENDOR_KIC && name <= VENDOR_KIK);
}

static void encrypt_column(struct vendor_file *f, struct bytes name, uint64_t index)
{
    const uint32_t line = f->header.line[HEADER_ENCRYPTED];
    struct quoted field = findings_field(name);
    struct vendor_column *column = columns_find(f, name);
    enum transport_kind kind;
    if (column == NULL) {
        findings_add(f->findings, IMP_104, line, field.text, "is not a field of the records");
        return;
    }
    if (!may_be_encrypted(column->meaning.name, &kind)) {
        findings_add(f->findings, IMP_119, line, field.text, "only keys and ADM1 are encrypted");
        return;
    }
    if (column->is_encrypted) {
        findings_add(f->findings, IMP_107, line, field.text, "stands twice");
        return;
    }
    if (index == 0)
        return;
    const struct vendor_transport *t = &f->header.transport[kind];
    if (!t->named || t->index != index) {
        findings_add(f->findings, IMP_110, line, field.text,
                     "transport key %02u is not named in the header for this field; load key "
                     "%02u first",
                     (unsigned)index, (unsigned)index);
        return;
    }
    column->is_encrypted = true;
    column->transport = kind;
}

static void judge_encrypted(struct vendor_file *f)
{
    struct bytes rest = bytes_of_text(f->header.encrypted);
    struct bytes word;
    while (words_next(&rest, " \t", &word)) {
        const uint8_t *equal = memchr(word.at, '=', word.len);
        size_t name_len = equal != NULL ? (size_t)(equal - word.at) : word.len;
        uint64_t index;
        if (equal == NULL ||
            !words_number(bytes_slice(word, name_len + 1, word.len), 0, 99, &index))
            findings_add(f->findings, IMP_119, f->header.line[HEADER_ENCRYPTED], "Encrypted",
                         "malformed value; expected NAME=index");
        else
            encrypt_column(f, bytes_of(word.at, name_len), index);
    }
}

static bool is_used(const struct vendor_file *f, enum transport_kind kind)
{
    for (size_t i = 0; i < f->column_count; i++)
        if (f->columns[i].is_encrypted && f->columns[i].transport == kind)
            return true;
    return false;
}

// False only when the cryptography fails.
static bool load_transport(struct vendor_file *f, enum transport_kind kind)
{
    static const uint8_t ones[CIPHER_AES_BLOCK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    const enum header_id id = kind == TRANSPORT_AUC ? HEADER_TRANSPORT_AUC : HEADER_TRANSPORT_OTA;
    struct vendor_transport *t = &f->header.transport[kind];
    const struct file_options *o = f->options;
    uint32_t line = f->header.line[id] != 0 ? f->header.line[id] : f->data_line;
    uint8_t block[CIPHER_AES_BLOCK];
    if (!is_used(f, kind))
        return true;
    if (!o->transport_key(o->context, t->index, kind, &t->key) || t->key.len != 16) {
        findings_add(f->findings, IMP_110, line, header_name(id), "load key %02u first", t->index);
        return true;
    }
    t->loaded = true;
    if (!o->cipher->aes_block(o->cipher->context, &t->key, ones, block))
        return false;
    if (t->has_kcv && memcmp(block, t->kcv, sizeof t->kcv) != 0)
        findings_add(f->findings, IMP_111, line, header_name(id),
                     "check value %02X%02X%02X; the loaded key %02u has %02X%02X%02X", t->kcv[0],
                     t->kcv[1], t->kcv[2], t->index, block[0], block[1], block[2]);
    memcpy(t->kcv, block, sizeof t->kcv);
    secret_wipe(block, sizeof block);
    return true;
}

static void judge_security(struct vendor_file *f)
{
    const struct vendor_header *h = &f->header;
    uint32_t line = h->line[HEADER_OTA_SECURITY];
    uint8_t level = h->minimum_level;
    if (line == 0)
        return;
    if (h->spi[0] != LEVEL_OURS || h->spi[1] != 0x39)
        findings_add(f->findings, IMP_115, line, "OTA-Security", "SPI %02X%02X; expected 1639",
                     h->spi[0], h->spi[1]);
    uint8_t counter = level & LEVEL_COUNTER;
    if ((level & LEVEL_AUTHENTICATION) != LEVEL_MAC || counter != LEVEL_COUNTER_HIGHER ||
        level > LEVEL_OURS) {
        findings_add(f->findings, IMP_115, line, "OTA-Security",
                     "minimum level %02X; expected MAC and counter higher, 12 or 16", level);
        return;
    }
    if ((level & LEVEL_CIPHERED) == 0)
        findings_add(f->findings, W_022, line, "OTA-Security",
                     "minimum level %02X is weaker than 16; 16 is used", level);
}

static void judge_applet(struct vendor_file *f)
{
    struct vendor_header *h = &f->header;
    struct vendor_applet *a = &h->applet;
    uint32_t line = h->line[HEADER_APPLET_SM];
    if (line == 0 || a->aid_len == 0)
        return;
    if (memcmp(a->aid + 12, a->tar, sizeof a->tar) != 0)
        findings_add(f->findings, IMP_114, line, "Applet-SM",
                     "TAR %02X%02X%02X; octets 13 to 15 of the AID are %02X%02X%02X", a->tar[0],
                     a->tar[1], a->tar[2], a->aid[12], a->aid[13], a->aid[14]);
    struct bytes version = bytes_of_text(a->version);
    struct bytes major;
    uint64_t number;
    if (!words_next(&version, ".", &major) || !words_number(major, 0, UINT8_MAX, &number) ||
        profile_level(f->options->profile, number) == 0)
        findings_add(f->findings, IMP_119, line, "Applet-SM",
                     "the vendor profile names no protocol level for this version");
    else
        a->level = profile_level(f->options->profile, number);
}

static bool has_slot(const struct vendor_file *f, uint8_t slot)
{
    for (uint8_t i = 0; i < f->slot_count; i++)
        if (f->slots[i] == slot)
            return true;
    return false;
}

// Counts the factory subscriptions that the records do not name: they are DISABLED or not there.
static void judge_subscriptions(struct vendor_file *f)
{
    const struct vendor_header *h = &f->header;
    const bool complete = (h->targets & VENDOR_TARGET_AUC) != 0;
    unsigned enabled = 0;
    unsigned fallback = 0;
    uint8_t highest = 0;
    uint32_t line = h->line[HEADER_APPLET_SM];
    for (uint8_t i = 0; i < h->factory_count; i++) {
        char name[VENDOR_NAME_SIZE];
        const struct vendor_factory *factory = &h->factory[i];
        line = factory->line;
        enabled += factory->enabled;
        fallback += factory->fallback;
        highest = factory->slot > highest ? factory->slot : highest;
        vendor_name_write((struct vendor_meaning){VENDOR_IMSI, factory->slot}, name);
        if (complete && !has_slot(f, factory->slot))
            findings_add(f->findings, IMP_106, factory->line, name,
                         "the header names a subscription in slot %u; expected its IMSI",
                         factory->slot);
    }
    if (f->slot_count > 0 && f->slots[f->slot_count - 1] > highest)
        highest = f->slots[f->slot_count - 1];
    if (h->applet.aid_len != 0 && h->applet.slot_count >= 1 && highest > h->applet.slot_count)
        findings_add(f->findings, IMP_112, h->line[HEADER_APPLET_SM], "Applet-SM",
                     "%u slots; the batch has a subscription in slot %u", h->applet.slot_count,
                     highest);
    if (enabled != 1)
        findings_add(f->findings, IMP_113, line, "STATE",
                     "%u subscriptions are ENABLED; expected exactly one", enabled);
    if (fallback != 1)
        findings_add(f->findings, IMP_113, line, "FALLBACK",
                     "%u subscriptions are the fallback; expected exactly one", fallback);
}

// A CSV without metadata takes the header of the profile's only product, and the user's batch.
static void complete_metadata(struct vendor_file *f)
{
    const struct file_options *o = f->options;
    if (f->layout != VENDOR_CSV || f->has_metadata)
        return;
    const struct profile_product *p = &o->profile->products[0];
    for (size_t i = 0; o->profile->product_count == 1 && i < p->header_count; i++)
        header_read(&f->header, bytes_of_text(p->header[i].key), bytes_of_text(p->header[i].value),
                    f->data_line, f->findings);
    if (o->batch != NULL)
        header_read(&f->header, bytes_of_text("Batch"), bytes_of_text(o->batch), f->data_line,
                    f->findings);
    if (o->quantity > 0) {
        f->header.quantity = o->quantity;
        f->header.line[HEADER_QUANTITY] = f->data_line;
    }
}

enum file_verdict judge_header(struct vendor_file *f)
{
    complete_metadata(f);
    judge_keys(f);
    judge_kind(f);
    judge_customer(f);
    columns_judge(f);
    judge_encrypted(f);
    for (size_t kind = 0; kind < TRANSPORT_KINDS; kind++)
        if (!load_transport(f, (enum transport_kind)kind))
            return FILE_UNREADABLE;
    if (!f->header.is_pool && (f->header.targets & VENDOR_TARGET_OTA) != 0) {
        judge_security(f);
        judge_applet(f);
        judge_subscriptions(f);
    }
    return FILE_OK;
}
