#include "sim-emulator/shell/cards_vendor.h"

#include "common/base/text.h"
#include "common/host/config.h"
#include "common/host/entropy.h"
#include "profiles/vendor/import.h"
#include "profiles/vendor/shell/digest_host.h"
#include "profiles/vendor/shell/scratch_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRANSPORT_KEYS_MAX 32
#define KEY_LINE_SIZE 128

struct transport_key {
    uint8_t index;
    enum transport_kind kind;
    struct secret_key key;
};

struct reading {
    struct cards *cards;
    struct transport_key keys[TRANSPORT_KEYS_MAX];
    size_t key_count;
    FILE *file;
    const char *server_number;
    const struct vendor_profile *profile;
    const char *refusal; // of cards that are right but cannot be emulated, or NULL
};

// --- the transport keys ----------------------------------------------------------------------

// The next word of a line, ended with a zero; NULL at its end.
static char *next_word(char **at)
{
    char *word = *at + strspn(*at, " \t\r\n");
    char *end = word + strcspn(word, " \t\r\n");
    *at = *end == 0 ? end : end + 1;
    *end = 0;
    return *word == 0 ? NULL : word;
}

// "07 auc 0011..": index, kind, 32, 48 or 64 hexadecimal digits.
static bool read_key_line(struct reading *r, char *line)
{
    const char *index = next_word(&line);
    if (index == NULL || index[0] == '#')
        return true;
    const char *kind = next_word(&line);
    const char *hex = next_word(&line);
    uint64_t number;
    if (kind == NULL || hex == NULL || next_word(&line) != NULL ||
        r->key_count == TRANSPORT_KEYS_MAX || !text_read_decimal(bytes_of_text(index), &number) ||
        number < 1 || number > 99)
        return false;
    struct transport_key *k = &r->keys[r->key_count];
    if (strcmp(kind, "auc") != 0 && strcmp(kind, "ota") != 0)
        return false;
    k->index = (uint8_t)number;
    k->kind = strcmp(kind, "auc") == 0 ? TRANSPORT_AUC : TRANSPORT_OTA;
    struct writer w = writer_of(k->key.octets, sizeof k->key.octets);
    if (!text_unhex(bytes_of_text(hex), &w) || (w.len != 16 && w.len != 24 && w.len != 32))
        return false;
    k->key.len = (uint8_t)w.len;
    r->key_count++;
    return true;
}

static bool read_keys(struct reading *r, const char *path, char error[CARDS_ERROR_SIZE])
{
    if (path == NULL)
        return true;
    FILE *file = config_is_private(path) ? fopen(path, "r") : NULL;
    if (file == NULL) {
        (void)snprintf(error, CARDS_ERROR_SIZE,
                       "%s: cannot be read, or others than its owner can read it (chmod 600)",
                       path);
        return false;
    }
    char line[KEY_LINE_SIZE];
    unsigned number = 0;
    bool ok = true;
    while (ok && fgets(line, sizeof line, file) != NULL) {
        number++;
        ok = read_key_line(r, line);
    }
    if (!ok)
        (void)snprintf(error, CARDS_ERROR_SIZE, "%s: line %u is not: INDEX auc|ota HEX", path,
                       number);
    secret_wipe(line, sizeof line);
    (void)fclose(file);
    return ok;
}

static bool transport_key(void *context, uint8_t index, enum transport_kind kind,
                          struct secret_key *key)
{
    const struct reading *r = context;
    for (size_t i = 0; i < r->key_count; i++) {
        if (r->keys[i].index == index && r->keys[i].kind == kind) {
            *key = r->keys[i].key;
            return true;
        }
    }
    return false;
}

// --- records ---------------------------------------------------------------------------------

static void copy_text(char *to, size_t size, const char *from)
{
    (void)snprintf(to, size, "%s", from);
}

static bool note_subscription(struct cards *cards, const struct vendor_subscription *s)
{
    struct cards_known known = {.keys = {.k = s->k, .op = s->opc}};
    copy_text(known.imsi, sizeof known.imsi, s->imsi);
    copy_text(known.msisdn, sizeof known.msisdn, s->msisdn);
    bool ok = cards_add_known(cards, &known);
    secret_wipe(&known, sizeof known);
    return ok;
}

static uint8_t role_of(enum vendor_role role)
{
    switch (role) {
    case VENDOR_BOOTSTRAP:
        return ROLE_BOOTSTRAP;
    case VENDOR_OPERATIONAL:
        return ROLE_OPERATIONAL;
    case VENDOR_TEST:
        break;
    }
    return ROLE_TEST;
}

// Of the longest operator prefix in the profile that fits: three digits of country, then these.
static uint8_t mnc_length(const struct vendor_profile *profile, const char *imsi)
{
    size_t longest = 0;
    for (size_t i = 0; i < profile->operator_count; i++) {
        size_t len = strlen(profile->operators[i].key);
        if (len > longest && strncmp(profile->operators[i].key, imsi, len) == 0)
            longest = len;
    }
    return longest == 6 ? 3 : 2;
}

static bool fill_slot(struct slot *slot, const struct vendor_subscription *s,
                      const struct vendor_profile *profile)
{
    *slot = (struct slot){.state = s->enabled ? SLOT_ENABLED : SLOT_DISABLED,
                          .role = role_of(s->role),
                          .is_fallback = s->fallback,
                          .rank = s->slot,
                          .mnc_length = mnc_length(profile, s->imsi),
                          .keys = {.k = s->k, .op = s->opc}};
    slot->has_iccid = s->iccid[0] != 0 && s->slot != 1 && iccid_write(s->iccid, slot->iccid);
    if (s->msisdn[0] != 0)
        cards_set_number(&slot->msisdn, s->msisdn);
    cards_set_number(&slot->smsc, s->smsp[0] != 0 ? s->smsp : CARDS_SERVICE_CENTRE);
    return imsi_write(s->imsi, slot->imsi);
}

static bool load_card(void *context, const struct vendor_header *header,
                      const struct vendor_card *card)
{
    struct reading *r = context;
    const struct vendor_applet *applet = &header->applet;
    if (applet->aid_len == 0 || card->keyset.number == 0 || card->subscription_count == 0)
        r->refusal = "the cards have no applet, no OTA keys or no subscription";
    else if (applet->template_count > COMMAND_TEMPLATES_MAX)
        r->refusal = "the cards have more than 8 templates";
    if (r->refusal != NULL)
        return false;
    struct applet_factory f = {.level = applet->level,
                               .slot_count = applet->slot_count,
                               .tar = (uint32_t)applet->tar[0] << 16 |
                                      (uint32_t)applet->tar[1] << 8 | applet->tar[2],
                               .key_version = card->keyset.number,
                               .kic = card->keyset.kic,
                               .kid = card->keyset.kid,
                               .kik = card->keyset.kik,
                               .template_count = applet->template_count,
                               .subscription_count = card->subscription_count};
    vendor_applet_version(applet, f.version);
    cards_set_templates(r->cards, applet->templates, applet->template_count);
    cards_set_number(&f.server_address, r->server_number);
    struct slot slots[VENDOR_SLOTS_MAX];
    bool ok = iccid_write(card->iccid, f.card_iccid);
    for (uint8_t i = 0; ok && i < card->subscription_count; i++)
        ok = fill_slot(&slots[i], &card->subscriptions[i], r->profile) &&
             note_subscription(r->cards, &card->subscriptions[i]);
    ok = ok && cards_add(r->cards, &f, slots);
    secret_wipe(slots, sizeof slots);
    secret_wipe(&f, sizeof f);
    return ok;
}

static bool load_subscription(void *context, const struct vendor_header *header,
                              const struct vendor_subscription *subscription)
{
    (void)header;
    struct reading *r = context;
    return note_subscription(r->cards, subscription);
}

// --- the importer's questions ----------------------------------------------------------------

static bool file_known(void *context, const uint8_t sha256[CIPHER_SHA256_SIZE],
                       char reference[IMPORT_REFERENCE_SIZE])
{
    (void)context;
    (void)sha256;
    (void)reference;
    return false;
}

static enum import_batch batch(void *context, const struct vendor_header *header)
{
    (void)context;
    (void)header;
    return BATCH_NEW;
}

static enum import_known card_known(void *context, const struct vendor_header *header,
                                    const struct vendor_card *card)
{
    (void)context;
    (void)header;
    (void)card;
    return KNOWN_NOT;
}

static bool value_known(void *context, enum import_value what, struct bytes value,
                        const struct vendor_card *card)
{
    (void)context;
    (void)what;
    (void)value;
    (void)card;
    return false;
}

static bool begin(void *context, const struct vendor_header *header, struct import_counts counts)
{
    (void)context;
    (void)header;
    (void)counts;
    return true;
}

static bool quarantine(void *context, uint32_t line, struct bytes raw)
{
    (void)context;
    (void)line;
    (void)raw;
    return true;
}

static bool commit(void *context)
{
    (void)context;
    return true;
}

static void give_up(void *context)
{
    (void)context;
}

static bool source_read(void *context, uint8_t *at, size_t cap, size_t *got)
{
    FILE *file = context;
    *got = fread(at, 1, cap, file);
    return ferror(file) == 0;
}

static bool source_rewind(void *context)
{
    FILE *file = context;
    return fseek(file, 0, SEEK_SET) == 0;
}

// --- a file ----------------------------------------------------------------------------------

static struct vendor_profile *read_profile(const char *path, char error[CARDS_ERROR_SIZE])
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(PROFILE_JSON_MAX + 1);
    struct vendor_profile *profile = NULL;
    (void)snprintf(error, CARDS_ERROR_SIZE, "%s: cannot be read", path);
    if (file != NULL && text != NULL) {
        size_t len = fread(text, 1, PROFILE_JSON_MAX + 1, file);
        char reason[PROFILE_ERROR_SIZE];
        profile = profile_open(bytes_of(text, len), reason);
        if (profile == NULL)
            (void)snprintf(error, CARDS_ERROR_SIZE, "%s: %s", path, reason);
    }
    free(text);
    if (file != NULL)
        (void)fclose(file);
    return profile;
}

// The first finding that holds something back.
static void tell_first(const struct findings *findings, const char *path,
                       char error[CARDS_ERROR_SIZE])
{
    (void)snprintf(error, CARDS_ERROR_SIZE, "%s: has no record", path);
    for (size_t i = 0; i < findings->listed_count; i++) {
        const struct finding *f = &findings->listed[i];
        if (f->level == FINDING_WARNING)
            continue;
        (void)snprintf(error, CARDS_ERROR_SIZE, "%.60s:%u: %s%s%s: %.120s", path, f->line,
                       finding_code_name(f->code), f->field[0] != '\0' ? " " : "", f->field,
                       f->text);
        return;
    }
}

static bool run_import(struct reading *r, const struct file_options *file, const char *path,
                       char error[CARDS_ERROR_SIZE])
{
    struct vendor_scratch scratch;
    if (!vendor_scratch_open(&scratch, NULL)) {
        (void)snprintf(error, CARDS_ERROR_SIZE, "%.120s: no room for a temporary file", path);
        return false;
    }
    struct import_options options = {.file = *file,
                                     .registry = {r, file_known, batch, card_known, value_known,
                                                  begin, load_card, load_subscription, quarantine,
                                                  commit, give_up},
                                     .is_lab = true,
                                     .scratch = &scratch,
                                     .fingerprint_key.len = 16,
                                     .context = r};
    entropy_fill(options.fingerprint_key.octets, 16);
    struct vendor_source source = {
        .context = r->file, .read = source_read, .rewind = source_rewind};
    struct import_report report;
    enum import_verdict verdict = import_run(&options, &source, &report);
    vendor_scratch_close(&scratch);
    bool ok = verdict == IMPORT_DONE && report.outcome == REPORT_IMPORTED;
    if (!ok && verdict == IMPORT_DONE)
        tell_first(&report.findings, path, error);
    else if (!ok)
        (void)snprintf(error, CARDS_ERROR_SIZE, "%.120s: %s", path,
                       r->refusal != NULL ? r->refusal : "cannot be read to its end");
    import_report_close(&report);
    return ok;
}

bool cards_read_vendor(struct cards *cards, const struct options *options, const char *path,
                       bool is_pool, const struct cipher *cipher, char error[CARDS_ERROR_SIZE])
{
    struct reading r = {.cards = cards, .server_number = options->server_number};
    struct vendor_profile *profile = NULL;
    bool ok = read_keys(&r, options->transport_keys, error);
    if (ok) {
        profile = read_profile(options->vendor_profile, error);
        ok = profile != NULL;
        r.profile = profile;
    }
    if (ok) {
        r.file = fopen(path, "rb");
        ok = r.file != NULL;
        if (!ok)
            (void)snprintf(error, CARDS_ERROR_SIZE, "%s: cannot be opened", path);
    }
    if (ok) {
        struct file_options file = {.profile = profile,
                                    .cipher = cipher,
                                    .digest = &vendor_digest_host,
                                    .kind = is_pool ? VENDOR_POOL : VENDOR_CARDS,
                                    .context = &r,
                                    .transport_key = transport_key};
        ok = run_import(&r, &file, path, error);
    }
    if (r.file != NULL)
        (void)fclose(r.file);
    if (profile != NULL)
        profile_close(profile);
    secret_wipe(r.keys, sizeof r.keys);
    return ok;
}
