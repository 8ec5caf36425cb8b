// F12: vendor files of each layout. Whatever the octets are, the importer loads all or nothing, and
// no finding holds a key or an identifier. Each input is read as it stands, and once more with the
// right digest in its trailer and in parts, so that pass 2 is reached.
#include "common/base/check.h"
#include "common/base/text.h"
#include "common/host/cipher_openssl.h"
#include "profiles/vendor/import.h"
#include "profiles/vendor/shell/digest_host.h"
#include "profiles/vendor/shell/scratch_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536
#define HEX_RUN_MAX 11 // a count or an offset is shorter, keys and identifiers are longer

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct fuzz {
    struct cipher cipher;
    struct vendor_profile *profile;
    uint8_t file[FILE_MAX];
    size_t len;
    size_t at;
    bool is_open; // between begin and commit or abort
    size_t begun, ended, loaded, held_back;
    bool committed;
};

static bool read_file(void *context, uint8_t *at, size_t cap, size_t *got)
{
    struct fuzz *f = context;
    *got = cap < f->len - f->at ? cap : f->len - f->at;
    memcpy(at, f->file + f->at, *got);
    f->at += *got;
    return true;
}

static bool rewind_file(void *context)
{
    ((struct fuzz *)context)->at = 0;
    return true;
}

static bool transport_key(void *context, uint8_t index, enum transport_kind kind,
                          struct secret_key *key)
{
    (void)context;
    const char *hex = kind == TRANSPORT_AUC ? "00112233445566778899AABBCCDDEEFF"
                                            : "0F1E2D3C4B5A69788796A5B4C3D2E1F0";
    struct writer out = writer_of(key->octets, sizeof key->octets);
    key->len = 16;
    return index != 9 && text_unhex(bytes_of_text(hex), &out);
}

static const struct number_rule *number_rule(void *context, const char *operator_name)
{
    (void)context;
    return strcmp(operator_name, "TEST-999-70") == 0 ? &number_rule_cn_iot : NULL;
}

static bool file_known(void *context, const uint8_t sha256[CIPHER_SHA256_SIZE],
                       char reference[IMPORT_REFERENCE_SIZE])
{
    (void)context;
    (void)sha256;
    reference[0] = '\0';
    return false;
}

static enum import_batch batch(void *context, const struct vendor_header *header)
{
    (void)context;
    return header->batch[0] == 'L' ? BATCH_LOADED : BATCH_NEW;
}

static enum import_known card_known(void *context, const struct vendor_header *header,
                                    const struct vendor_card *card)
{
    (void)context;
    (void)header;
    size_t len = strlen(card->iccid);
    return len > 0 && card->iccid[len - 1] == '7' ? KNOWN_EQUAL : KNOWN_NOT;
}

static bool value_known(void *context, enum import_value what, struct bytes value,
                        const struct vendor_card *card)
{
    (void)context;
    (void)card;
    return what == VALUE_MSISDN && value.len > 0 && value.at[value.len - 1] == '9';
}

static bool begin(void *context, const struct vendor_header *header, struct import_counts counts)
{
    struct fuzz *f = context;
    check(!f->is_open && header->tenant[0] != '\0' && counts.records >= counts.quarantined);
    f->is_open = true;
    f->begun++;
    return true;
}

static bool load_card(void *context, const struct vendor_header *header,
                      const struct vendor_card *card)
{
    struct fuzz *f = context;
    check(f->is_open && !header->is_pool && card->subscription_count <= VENDOR_SLOTS_MAX);
    f->loaded++;
    return true;
}

static bool load_subscription(void *context, const struct vendor_header *header,
                              const struct vendor_subscription *subscription)
{
    struct fuzz *f = context;
    check(f->is_open && header->is_pool && strlen(subscription->imsi) == 15);
    f->loaded++;
    return true;
}

static bool quarantine(void *context, uint32_t line, struct bytes raw)
{
    struct fuzz *f = context;
    check(f->is_open && line > 0 && raw.len > 0);
    f->held_back++;
    return true;
}

static bool commit(void *context)
{
    struct fuzz *f = context;
    check(f->is_open);
    f->is_open = false;
    f->committed = true;
    f->ended++;
    return true;
}

static void abort_unit(void *context)
{
    struct fuzz *f = context;
    check(f->is_open);
    f->is_open = false;
    f->ended++;
}

static void check_text(const char *text)
{
    size_t run = 0;
    for (; *text != '\0'; text++) {
        check(*text >= 0x20 && *text < 0x7F);
        run = text_hex_digit(*text) >= 0 ? run + 1 : 0;
        check(run <= HEX_RUN_MAX);
    }
}

static void check_report(const struct fuzz *f, const struct import_report *r, bool is_partial)
{
    for (size_t i = 0; i < r->findings.listed_count; i++) {
        check_text(r->findings.listed[i].text);
        check_text(r->findings.listed[i].field);
    }
    const uint64_t *levels = r->findings.by_level;
    bool loaded = r->outcome == REPORT_IMPORTED || r->outcome == REPORT_IMPORTED_IN_PART;
    check(loaded == f->committed && f->begun == (f->committed ? 1U : 0U) && f->begun == f->ended);
    check(!loaded || levels[FINDING_FILE] == 0);
    check(!loaded || is_partial || levels[FINDING_RECORD] == 0);
    check(r->outcome != REPORT_IMPORTED || f->held_back == 0);
    check(f->loaded == (loaded ? r->loaded : 0));
    check(!loaded || f->loaded + f->held_back + r->unchanged == r->records);
}

static void run(struct fuzz *f, bool is_partial, enum vendor_kind kind)
{
    static struct vendor_scratch scratch;
    check(scratch.context != NULL || vendor_scratch_open(&scratch, NULL));
    const struct import_options options = {
        .file = {.profile = f->profile,
                 .cipher = &f->cipher,
                 .digest = &vendor_digest_host,
                 .kind = kind,
                 .transport_key = transport_key},
        .registry = {.context = f,
                     .file_known = file_known,
                     .batch = batch,
                     .card_known = card_known,
                     .value_known = value_known,
                     .begin = begin,
                     .load_card = load_card,
                     .load_subscription = load_subscription,
                     .quarantine = quarantine,
                     .commit = commit,
                     .abort = abort_unit},
        .is_partial = is_partial,
        .scratch = &scratch,
        .fingerprint_key = secret_key_of(bytes_of_text("fingerprint-fuzz")),
        .number_rule = number_rule,
    };
    const struct vendor_source source = {.context = f, .read = read_file, .rewind = rewind_file};
    struct import_report report;
    f->begun = f->ended = f->loaded = f->held_back = 0;
    f->committed = false;
    check(import_run(&options, &source, &report) == IMPORT_DONE);
    check_report(f, &report, is_partial);
    import_report_close(&report);
}

static uint8_t *find(struct fuzz *f, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= f->len; i++)
        if (memcmp(f->file + i, text, len) == 0)
            return f->file + i;
    return NULL;
}

// The data of a well-formed file stand between two lines; others keep their digest.
static void mend_digest(struct fuzz *f)
{
    const bool csv = find(f, "*DATA\n") == NULL;
    const uint8_t *from = find(f, csv ? "\niccid" : "*DATA\n");
    const uint8_t *to = find(f, csv ? "#Records" : "*END\n");
    uint8_t *at = find(f, "SHA256-DATA: ");
    uint8_t digest[CIPHER_SHA256_SIZE];
    if (from == NULL || to == NULL || at == NULL)
        return;
    from = memchr(from + 1, '\n', (size_t)(f->file + f->len - from - 1));
    at += strlen("SHA256-DATA: ");
    if (from == NULL || ++from > to || (size_t)(f->file + f->len - at) < 64)
        return;
    void *stream = vendor_digest_host.open();
    check(stream != NULL && vendor_digest_host.add(stream, bytes_of(from, (size_t)(to - from))) &&
          vendor_digest_host.finish(stream, digest));
    vendor_digest_host.close(stream);
    struct writer out = writer_of(at, 64);
    text_hex(&out, bytes_of(digest, sizeof digest));
}

static struct vendor_profile *read_profile(void)
{
    static uint8_t json[16384];
    char error[PROFILE_ERROR_SIZE];
    FILE *file = fopen("profiles/vendor/samples/alder.json", "rb");
    check(file != NULL);
    size_t len = fread(json, 1, sizeof json, file);
    check(fclose(file) == 0);
    return profile_open(bytes_of(json, len), error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz f;
    if (f.profile == NULL) {
        f.profile = read_profile();
        check(f.profile != NULL && cipher_openssl_open(&f.cipher));
    }
    if (len > FILE_MAX)
        return 0;
    memcpy(f.file, data, len);
    f.len = len;
    const enum vendor_kind kind = find(&f, "POOL") != NULL ? VENDOR_POOL : VENDOR_CARDS;
    run(&f, false, kind);
    mend_digest(&f);
    run(&f, true, kind);
    return 0;
}
