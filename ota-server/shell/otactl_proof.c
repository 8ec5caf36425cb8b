// Months of the audit trail that left the server, verified from their files alone; and, when asked
// for, that the server's trail goes on where they end.
#include "ota-server/shell/otactl_proof.h"

#include "common/base/text.h"
#include "common/host/cipher_openssl.h"
#include "common/host/crypto.h"
#include "ota-server/core/trail_file.h"

#include <errno.h>
#include <stdlib.h>

struct proof {
    struct ctl_task *t;
    struct cipher cipher;
    bool has_signer;
    uint8_t signer[CRYPTO_SIGNER_SIZE]; // that all must be signed by
    uint64_t first, next;               // next: 0 before the first file
    uint64_t rows, files;
    uint8_t hash[CIPHER_SHA256_SIZE]; // of the last row
    const char *problem;              // NULL: none yet
    uint64_t bad;
    const char *file;
    struct trail_file in;
};

static void find(struct proof *p, const char *problem, uint64_t row)
{
    p->problem = problem;
    p->bad = row == 0 ? 1 : row;
}

// What the first line says must follow from the file before, and be of the same signer.
static void judge_head(struct proof *p)
{
    static const uint8_t nothing[CIPHER_SHA256_SIZE];
    const struct trail_file_head *h = &p->in.head;
    const bool is_first = p->next == 0;
    const uint8_t *before = h->first == 1 ? nothing : is_first ? h->previous : p->hash;
    if (is_first)
        p->first = p->next = h->first;
    if (!p->has_signer)
        memcpy(p->signer, h->signer, sizeof(p->signer));
    p->has_signer = true;
    if (h->first != p->next)
        find(p, "GAP", p->next);
    else if (memcmp(h->previous, before, sizeof(h->previous)) != 0)
        find(p, "HASH", p->next);
    else if (memcmp(h->signer, p->signer, sizeof(p->signer)) != 0)
        find(p, "SIGNATURE", p->next);
}

static void judge_end(struct proof *p)
{
    char text[TOMBSTONE_TEXT_SIZE];
    const struct tombstone *t = &p->in.end;
    if (!crypto_is_signed(p->signer, tombstone_text(t, text), t->signature))
        find(p, "SIGNATURE", t->first);
    p->rows += t->last - t->first + 1;
    p->next = t->last + 1;
    memcpy(p->hash, t->hash, sizeof(p->hash));
}

static void judge_line(struct proof *p, struct bytes line)
{
    const bool is_head = p->in.next == 0;
    switch (trail_file_line(&p->in, &p->cipher, line)) {
    case TRAIL_FILE_OK:
        if (is_head)
            judge_head(p);
        break;
    case TRAIL_FILE_END:
        judge_end(p);
        break;
    case TRAIL_FILE_GAP:
        find(p, "GAP", p->in.next);
        break;
    case TRAIL_FILE_FORM:
    case TRAIL_FILE_HASH:
        find(p, "HASH", p->in.next != 0 ? p->in.next : p->next);
        break;
    }
}

static enum ctl_exit read_one(struct proof *p, const char *path)
{
    char line[TRAIL_LINE_MAX + 2];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "otactl: %s: %s\n", path, strerror(errno));
        return CTL_WRONG_USE;
    }
    p->file = path;
    p->files++;
    trail_file_init(&p->in);
    while (p->problem == NULL && fgets(line, sizeof(line), file) != NULL) {
        const size_t len = strlen(line);
        if (len == 0 || line[len - 1] != '\n') // cut, or with a zero in it
            find(p, "HASH", p->in.next != 0 ? p->in.next : p->next);
        else
            judge_line(p, bytes_of(line, len - 1));
    }
    const int error = ferror(file) != 0 ? errno : 0;
    (void)fclose(file);
    if (error != 0) {
        fprintf(stderr, "otactl: %s: %s\n", path, strerror(error));
        return CTL_INTERNAL;
    }
    if (p->problem == NULL && !p->in.has_ended)
        find(p, "GAP", p->in.next != 0 ? p->in.next : p->next);
    return CTL_DONE;
}

static bool take_signer(const char *text, uint8_t signer[CRYPTO_SIGNER_SIZE])
{
    struct writer w = writer_of(signer, CRYPTO_SIGNER_SIZE);
    return text_unhex(bytes_of_text(text), &w) && w.len == CRYPTO_SIGNER_SIZE;
}

enum ctl_exit ctl_proof_signer(struct ctl_task *t, uint8_t *signer)
{
    const char *key = t->option[OPTION_CHECKPOINT_KEY];
    struct ctl_request r;
    struct ctl_answer a;
    if (key != NULL)
        return take_signer(key, signer)
                   ? CTL_DONE
                   : ctl_wrong(t, "--checkpoint-key takes 64 hexadecimal digits, not", key);
    ctl_request_init(&r, "GET", "/system");
    enum ctl_exit exit = ctl_ask(t, &r, &a);
    const char *own = ctl_string_at(json_object_get(a.json, "auditTrail"), "checkpointKey");
    if (exit == CTL_DONE && !take_signer(own, signer)) {
        fputs("otactl: the server does not say its key\n", stderr);
        exit = CTL_INTERNAL;
    }
    ctl_answer_free(&a);
    return exit;
}

static void hex_of(char text[2 * CIPHER_SHA256_SIZE + 1], const uint8_t octets[CIPHER_SHA256_SIZE])
{
    struct writer w = writer_of(text, 2 * CIPHER_SHA256_SIZE + 1);
    text_hex(&w, bytes_of(octets, CIPHER_SHA256_SIZE));
    (void)text_end(&w);
}

// The row behind the files is on the server, and chained from their last one.
static enum ctl_exit ask_next(struct proof *p)
{
    struct ctl_request r;
    struct ctl_answer a;
    char number[24];
    char hash[2 * CIPHER_SHA256_SIZE + 1];
    char problem[256];
    snprintf(number, sizeof(number), "%llu", (unsigned long long)p->next);
    hex_of(hash, p->hash);
    ctl_request_init(&r, "GET", "/audit-trail");
    ctl_request_segment(&r, number);
    enum ctl_exit exit = CTL_DONE;
    if (*p->t->client == NULL)
        exit = ctl_client_open(p->t->client, true);
    if (exit != CTL_DONE)
        return exit;
    exit = ctl_call_quietly(*p->t->client, &r, &a, problem);
    if (exit == CTL_NOT_FOUND) {
        fputs("otactl: the server has no row behind the files: one is missing\n", stderr);
        find(p, "GAP", p->next);
        exit = CTL_DONE;
    } else if (exit != CTL_DONE) {
        fprintf(stderr, "otactl: %s\n", problem);
    } else if (strcmp(ctl_string_at(a.json, "previousHash"), hash) != 0) {
        find(p, "HASH", p->next);
    }
    ctl_answer_free(&a);
    return exit;
}

static json_t *verdict_of(const struct proof *p)
{
    char key[2 * CIPHER_SHA256_SIZE + 1];
    char hash[2 * CIPHER_SHA256_SIZE + 1];
    hex_of(key, p->signer);
    hex_of(hash, p->hash);
    json_t *v = json_pack(
        "{s:b,s:I,s:I,s:I,s:s,s:I,s:s}", "ok", p->problem == NULL, "fromSequence",
        (json_int_t)p->first, "toSequence", (json_int_t)(p->next == 0 ? 0 : p->next - 1), "checked",
        (json_int_t)p->rows, "headHash", hash, "files", (json_int_t)p->files, "checkpointKey", key);
    if (v != NULL && p->problem != NULL) {
        json_object_set_new(v, "firstBadSequence", json_integer((json_int_t)p->bad));
        json_object_set_new(v, "problem", json_string(p->problem));
        json_object_set_new(v, "file", json_string(p->file));
    }
    return v;
}

static enum ctl_exit prove(struct proof *p, bool is_live)
{
    enum ctl_exit exit = CTL_DONE;
    if (is_live || ctl_has(p->t, OPTION_CHECKPOINT_KEY)) {
        exit = ctl_proof_signer(p->t, p->signer);
        p->has_signer = exit == CTL_DONE;
    }
    for (size_t i = 0; i < p->t->arg_count && exit == CTL_DONE && p->problem == NULL; i++)
        exit = read_one(p, p->t->args[i]);
    if (is_live && exit == CTL_DONE && p->problem == NULL)
        exit = ask_next(p);
    return exit;
}

enum ctl_exit ctl_prove_files(struct ctl_task *t, uint64_t *next, json_t **verdict)
{
    struct proof *p = calloc(1, sizeof(*p));
    enum ctl_exit exit = CTL_INTERNAL;
    *verdict = NULL;
    if (p == NULL || !cipher_openssl_open(&p->cipher)) {
        fputs("otactl: no memory, or OpenSSL lacks an algorithm\n", stderr);
        free(p);
        return exit;
    }
    p->t = t;
    exit = prove(p, ctl_has(t, OPTION_LIVE));
    if (exit == CTL_DONE)
        *verdict = verdict_of(p);
    *next = p->next;
    cipher_openssl_close(&p->cipher);
    free(p);
    return exit == CTL_DONE && *verdict == NULL ? CTL_INTERNAL : exit;
}
