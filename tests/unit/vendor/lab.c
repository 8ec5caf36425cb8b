#include "tests/unit/vendor/lab.h"

#include "common/base/text.h"
#include "common/host/cipher_openssl.h"
#include "profiles/vendor/compare.h"
#include "profiles/vendor/shell/digest_host.h"
#include "profiles/vendor/shell/scratch_host.h"
#include "tests/lib/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_file(void *context, uint8_t *at, size_t cap, size_t *got)
{
    struct lab *l = context;
    // Small and odd, so that lines fall across chunks.
    size_t part = cap < 601 ? cap : 601;
    *got = part < l->len - l->at ? part : l->len - l->at;
    if (*got > 0)
        memcpy(at, l->file + l->at, *got);
    l->at += *got;
    return true;
}

static bool rewind_file(void *context)
{
    struct lab *l = context;
    l->at = 0;
    l->rewinds++;
    if (l->rewinds == l->change_at_rewind)
        lab_edit(l, "Graph-Ref: NW", "Graph-Ref: WN");
    return true;
}

static bool transport_key(void *context, uint8_t index, enum transport_kind kind,
                          struct secret_key *key)
{
    (void)context;
    const char *hex = NULL;
    if (index == 7 && kind == TRANSPORT_AUC)
        hex = "00112233445566778899AABBCCDDEEFF";
    if (index == 12 && kind == TRANSPORT_OTA)
        hex = "0F1E2D3C4B5A69788796A5B4C3D2E1F0";
    if (hex == NULL)
        return false;
    struct writer out = writer_of(key->octets, sizeof key->octets);
    key->len = 16;
    return text_unhex(bytes_of_text(hex), &out);
}

static const struct number_rule *number_rule(void *context, const char *operator_name)
{
    const struct lab *l = context;
    bool cn = l->has_cn_iot && strcmp(operator_name, "TEST-999-70") == 0;
    return cn ? &number_rule_cn_iot : NULL;
}

static bool file_known(void *context, const uint8_t sha256[CIPHER_SHA256_SIZE],
                       char reference[IMPORT_REFERENCE_SIZE])
{
    const struct lab *l = context;
    for (size_t i = 0; i < l->file_count; i++)
        if (memcmp(l->files[i], sha256, CIPHER_SHA256_SIZE) == 0) {
            (void)snprintf(reference, IMPORT_REFERENCE_SIZE, "imp-%zu", i + 1);
            return true;
        }
    return false;
}

static enum import_batch batch(void *context, const struct vendor_header *header)
{
    const struct lab *l = context;
    if (l->is_busy)
        return BATCH_BUSY;
    for (size_t i = 0; i < l->card_count; i++)
        if (strcmp(l->cards[i].batch, header->batch) == 0 && l->cards[i].targets == header->targets)
            return BATCH_LOADED;
    return BATCH_NEW;
}

static const struct lab_card *find(const struct lab *l, const struct vendor_card *card)
{
    for (size_t i = 0; i < l->card_count; i++) {
        const struct vendor_card *own = &l->cards[i].card;
        bool by_iccid = card->iccid[0] != '\0' && strcmp(own->iccid, card->iccid) == 0;
        bool by_imsi = card->iccid[0] == '\0' && card->subscription_count > 0 &&
                       strcmp(own->subscriptions[0].imsi, card->subscriptions[0].imsi) == 0;
        if (by_iccid || by_imsi)
            return &l->cards[i];
    }
    return NULL;
}

static bool same_key(const struct secret_key *a, const struct secret_key *b)
{
    return a->len == b->len && secret_equal(a->octets, b->octets, a->len);
}

static bool same_content(const struct vendor_card *a, const struct vendor_card *b)
{
    bool same = a->subscription_count == b->subscription_count &&
                memcmp(&a->codes, &b->codes, sizeof a->codes) == 0 &&
                same_key(&a->keyset.kic, &b->keyset.kic) &&
                same_key(&a->keyset.kid, &b->keyset.kid) &&
                same_key(&a->keyset.kik, &b->keyset.kik);
    for (uint8_t i = 0; same && i < a->subscription_count; i++)
        same = strcmp(a->subscriptions[i].imsi, b->subscriptions[i].imsi) == 0 &&
               strcmp(a->subscriptions[i].msisdn, b->subscriptions[i].msisdn) == 0 &&
               same_key(&a->subscriptions[i].k, &b->subscriptions[i].k);
    return same;
}

static bool agrees(const struct vendor_card *a, const struct vendor_card *b)
{
    return a->subscription_count == 0 || b->subscription_count == 0 ||
           strcmp(a->subscriptions[0].imsi, b->subscriptions[0].imsi) == 0;
}

static enum import_known card_known(void *context, const struct vendor_header *header,
                                    const struct vendor_card *card)
{
    const struct lab *l = context;
    for (size_t i = 0; header->is_pool && i < l->subscription_count; i++)
        if (strcmp(l->subscriptions[i].imsi, card->subscriptions[0].imsi) == 0)
            return same_key(&l->subscriptions[i].k, &card->subscriptions[0].k) ? KNOWN_EQUAL
                                                                               : KNOWN_OTHER;
    const struct lab_card *own = find(l, card);
    if (own == NULL)
        return KNOWN_NOT;
    if (strcmp(own->tenant, header->tenant) != 0)
        return KNOWN_FOREIGN;
    if (strcmp(own->batch, header->batch) == 0 && own->targets != header->targets)
        return agrees(&own->card, card) ? KNOWN_MERGES : KNOWN_DISAGREES;
    return same_content(&own->card, card) ? KNOWN_EQUAL : KNOWN_OTHER;
}

static bool has_fingerprint(const struct lab *l, const struct secret_key *key, struct bytes value)
{
    uint8_t mac[CIPHER_AES_BLOCK];
    if (key->len == 0)
        return false;
    assert_true(compare_fingerprint(&l->cipher, &l->options.fingerprint_key, key, mac));
    return bytes_equal(bytes_of(mac, sizeof mac), value);
}

static bool has_value(const struct lab *l, const struct vendor_card *own, enum import_value what,
                      struct bytes value)
{
    bool found = false;
    for (uint8_t i = 0; i < own->subscription_count; i++) {
        const struct vendor_subscription *s = &own->subscriptions[i];
        found = found || (what == VALUE_IMSI && bytes_equal(bytes_of_text(s->imsi), value)) ||
                (what == VALUE_MSISDN && bytes_equal(bytes_of_text(s->msisdn), value)) ||
                (what == VALUE_KEY && has_fingerprint(l, &s->k, value));
    }
    return found || (what == VALUE_KEY && (has_fingerprint(l, &own->keyset.kic, value) ||
                                           has_fingerprint(l, &own->keyset.kid, value) ||
                                           has_fingerprint(l, &own->keyset.kik, value)));
}

static bool value_known(void *context, enum import_value what, struct bytes value,
                        const struct vendor_card *card)
{
    const struct lab *l = context;
    const struct lab_card *self = find(l, card);
    for (size_t i = 0; i < l->card_count; i++)
        if (&l->cards[i] != self && has_value(l, &l->cards[i].card, what, value))
            return true;
    return false;
}

static bool begin(void *context, const struct vendor_header *header, struct import_counts counts)
{
    struct lab *l = context;
    assert_true(counts.records > 0 && header->tenant[0] != '\0');
    l->begun++;
    l->staged_count = 0;
    l->staged_subscription_count = 0;
    l->held_back_count = 0;
    return true;
}

static bool load_card(void *context, const struct vendor_header *header,
                      const struct vendor_card *card)
{
    struct lab *l = context;
    if (l->fails_to_load && l->staged_count == 1)
        return false;
    struct lab_card *to = &l->staged[l->staged_count++];
    *to = (struct lab_card){.targets = header->targets, .card = *card};
    (void)snprintf(to->tenant, sizeof to->tenant, "%s", header->tenant);
    (void)snprintf(to->batch, sizeof to->batch, "%s", header->batch);
    return true;
}

static bool load_subscription(void *context, const struct vendor_header *header,
                              const struct vendor_subscription *subscription)
{
    struct lab *l = context;
    assert_true(header->is_pool);
    if (l->staged_subscription_count < LAB_CARDS_MAX)
        l->staged_subscriptions[l->staged_subscription_count++] = *subscription;
    return true;
}

static bool quarantine(void *context, uint32_t line, struct bytes raw)
{
    struct lab *l = context;
    assert_true(raw.len > 0);
    l->held_back[l->held_back_count++] = line;
    return true;
}

static bool commit(void *context)
{
    struct lab *l = context;
    l->committed++;
    memcpy(l->cards + l->card_count, l->staged, l->staged_count * sizeof l->staged[0]);
    l->card_count += l->staged_count;
    memcpy(l->subscriptions + l->subscription_count, l->staged_subscriptions,
           l->staged_subscription_count * sizeof l->subscriptions[0]);
    l->subscription_count += l->staged_subscription_count;
    return true;
}

static void abort_unit(void *context)
{
    struct lab *l = context;
    l->aborted++;
}

static bool progress(void *context, unsigned pass, uint64_t done, uint64_t total)
{
    struct lab *l = context;
    assert_true((pass == 1 || pass == 2) && total > 0);
    l->progress_count += done > 0;
    return pass != l->cancelled_pass;
}

static size_t slurp(const char *path, uint8_t *to, size_t cap)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(to, 1, cap, file);
    assert_true(len > 0 && len < cap);
    assert_int_equal(fclose(file), 0);
    return len;
}

void lab_read(struct lab *l, const char *path)
{
    l->len = slurp(path, l->file, sizeof l->file);
}

void lab_text(struct lab *l, const char *text)
{
    l->len = strlen(text);
    memcpy(l->file, text, l->len);
}

int lab_setup(void **state)
{
    struct lab *l = calloc(1, sizeof *l);
    uint8_t json[16384];
    char error[PROFILE_ERROR_SIZE];
    if (l == NULL || !cipher_openssl_open(&l->cipher))
        return 1;
    size_t len = slurp("profiles/vendor/samples/alder.json", json, sizeof json);
    l->profile = profile_open(bytes_of(json, len), error);
    lab_read(l, "tests/samples/alder-0000717.out");
    l->options = (struct import_options){
        .file = {.profile = l->profile,
                 .cipher = &l->cipher,
                 .digest = &vendor_digest_host,
                 .transport_key = transport_key},
        .registry = {.context = l,
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
        .scratch = &l->scratch,
        .fingerprint_key = secret_key_of(bytes_of_text("fingerprint-test")),
        .context = l,
        .number_rule = number_rule,
        .progress = progress,
    };
    *state = l;
    return l->profile == NULL || !vendor_scratch_open(&l->scratch, NULL);
}

int lab_teardown(void **state)
{
    struct lab *l = *state;
    import_report_close(&l->report);
    profile_close(l->profile);
    cipher_openssl_close(&l->cipher);
    vendor_scratch_close(&l->scratch);
    free(l);
    return 0;
}

static uint8_t *find_text(struct lab *l, const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i + len <= l->len; i++)
        if (memcmp(l->file + i, text, len) == 0)
            return l->file + i;
    return NULL;
}

static void splice(struct lab *l, size_t at, size_t old_len, const char *to)
{
    size_t new_len = strlen(to);
    assert_true(l->len - old_len + new_len < LAB_FILE_MAX);
    memmove(l->file + at + new_len, l->file + at + old_len, l->len - at - old_len);
    memcpy(l->file + at, to, new_len);
    l->len += new_len - old_len;
}

void lab_edit(struct lab *l, const char *from, const char *to)
{
    const uint8_t *at = find_text(l, from);
    assert_non_null(at);
    splice(l, (size_t)(at - l->file), strlen(from), to);
}

void lab_sha256(struct bytes text, char hex[65])
{
    uint8_t digest[CIPHER_SHA256_SIZE];
    const struct vendor_digest *d = &vendor_digest_host;
    void *stream = d->open();
    assert_non_null(stream);
    assert_true(d->add(stream, text) && d->finish(stream, digest));
    d->close(stream);
    struct writer out = writer_of(hex, 65);
    text_hex(&out, bytes_of(digest, sizeof digest));
    (void)text_end(&out);
}

// The data lines stand between the line after `start` and `end`, without line ends changed.
void lab_digest(struct lab *l)
{
    bool csv = find_text(l, "*DATA\n") == NULL;
    const char *start = csv ? "\niccid" : "*DATA\n";
    uint8_t *from = find_text(l, start);
    const uint8_t *to = find_text(l, csv ? "#Records" : "*END\n");
    uint8_t *digest = find_text(l, "SHA256-DATA: ");
    assert_true(from != NULL && to != NULL && digest != NULL);
    from = csv ? (uint8_t *)memchr(from + 1, '\n', l->len) + 1 : from + strlen(start);
    char hex[65];
    lab_sha256(bytes_of(from, (size_t)(to - from)), hex);
    memcpy(digest + strlen("SHA256-DATA: "), hex, 64);
}

struct bytes lab_line(const struct lab *l, uint32_t number)
{
    const uint8_t *at = l->file;
    const uint8_t *end = l->file + l->len;
    for (uint32_t i = 1; i < number; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(at);
        at++;
    }
    const uint8_t *feed = memchr(at, '\n', (size_t)(end - at));
    return bytes_of(at, (size_t)((feed != NULL ? feed : end) - at));
}

void lab_set_line(struct lab *l, uint32_t number, const char *text)
{
    struct bytes line = lab_line(l, number);
    splice(l, (size_t)(line.at - l->file), line.len, text);
}

void lab_to_csv(struct lab *l)
{
    static char out[LAB_FILE_MAX];
    size_t len = 0;
    for (uint32_t i = 2; i <= 25; i++) {
        struct bytes line = lab_line(l, i);
        if (i < 21 || i == 25)
            len += (size_t)snprintf(out + len, sizeof out - len, "#%.*s\n", (int)line.len,
                                    (const char *)line.at);
    }
    len += (size_t)snprintf(out + len, sizeof out - len,
                            "iccid,imsi1,msisdn1,acc,pin1,puk1,adm1,ki1,opc1,imsi2,ki2,opc2,kic1,"
                            "kid1,kik1,kcv\n");
    for (uint32_t i = 27; i <= 29; i++) {
        struct bytes line = lab_line(l, i);
        for (size_t j = 0; j < line.len; j++)
            out[len++] = line.at[j] == ' ' ? ',' : (char)line.at[j];
        out[len++] = '\n';
    }
    (void)snprintf(out + len, sizeof out - len,
                   "#Records: 3\n#SHA256-DATA: "
                   "630a05cdd14f0fb2d7aec4a50b359dd724e779a3191266fe3fdd1ce455949d0a\n");
    lab_text(l, out);
}

void lab_to_positional(struct lab *l)
{
    static char out[LAB_FILE_MAX];
    struct bytes lines[3];
    for (uint32_t i = 0; i < 3; i++)
        lines[i] = lab_line(l, 27 + i);
    (void)snprintf(out, sizeof out, "0000717 260718093012 3 0201 2 7 12\n%.*s\n%.*s\n%.*s\n",
                   (int)lines[0].len, (const char *)lines[0].at, (int)lines[1].len,
                   (const char *)lines[1].at, (int)lines[2].len, (const char *)lines[2].at);
    lab_text(l, out);
}

enum import_verdict lab_try(struct lab *l)
{
    const struct vendor_source source = {.context = l, .read = read_file, .rewind = rewind_file};
    import_report_close(&l->report);
    return import_run(&l->options, &source, &l->report);
}

void lab_run(struct lab *l)
{
    assert_int_equal(lab_try(l), IMPORT_DONE);
    if (l->report.outcome == REPORT_IMPORTED || l->report.outcome == REPORT_IMPORTED_IN_PART)
        memcpy(l->files[l->file_count++], l->report.sha256, CIPHER_SHA256_SIZE);
}

static void print_all(const struct lab *l)
{
    for (size_t i = 0; i < l->report.findings.listed_count; i++) {
        const struct finding *f = &l->report.findings.listed[i];
        print_message("  %s %s line %u field \"%s\": %s\n", finding_code_name(f->code),
                      finding_level_name(f->level), f->line, f->field, f->text);
    }
}

void lab_expect(const struct lab *l, enum finding_code code, uint32_t line, const char *field)
{
    for (size_t i = 0; i < l->report.findings.listed_count; i++) {
        const struct finding *f = &l->report.findings.listed[i];
        if (f->code == code && f->line == line && strcmp(f->field, field) == 0)
            return;
    }
    print_all(l);
    fail_msg("no %s in line %u, field \"%s\"", finding_code_name(code), line, field);
}

bool lab_has(const struct lab *l, enum finding_code code)
{
    return l->report.findings.by_code[code] > 0;
}

const char *lab_text_of(const struct lab *l, enum finding_code code)
{
    for (size_t i = 0; i < l->report.findings.listed_count; i++)
        if (l->report.findings.listed[i].code == code)
            return l->report.findings.listed[i].text;
    fail_msg("no %s", finding_code_name(code));
    return "";
}

void lab_refuses(struct lab *l, enum finding_code code, uint32_t line, const char *field)
{
    size_t cards = l->card_count;
    lab_run(l);
    lab_expect(l, code, line, field);
    assert_int_equal(l->report.outcome, REPORT_REFUSED);
    assert_int_equal(import_exit_code(l->report.outcome), 4);
    assert_int_equal(l->report.loaded, 0);
    assert_int_equal(l->card_count, cards);
}
