// A copy of checkpoints that lies where the server cannot write: is the trail that the server has
// now the one that they were made of?
#include "ota-server/shell/otactl_proof.h"

#include "common/base/text.h"
#include "common/host/crypto.h"
#include "ota-server/core/checkpoint.h"

#include <errno.h>
#include <stdlib.h>

struct witness {
    uint64_t sequence;
    uint8_t hash[CIPHER_SHA256_SIZE];
};

struct copy {
    struct ctl_task *t;
    uint8_t signer[CRYPTO_SIGNER_SIZE];
    struct witness *at; // ascending
    size_t count;
    uint64_t forged; // sequence of the first line that the key did not sign, or 0
};

// Those without a signature anybody can have written.
static bool add(struct copy *c, const struct checkpoint *from)
{
    if ((c->count & (c->count + 1)) == 0) { // it doubles
        struct witness *more = realloc(c->at, 2 * (c->count + 1) * sizeof(*more));
        if (more == NULL)
            return false;
        c->at = more;
    }
    struct witness *w = &c->at[c->count++];
    w->sequence = from->sequence;
    memcpy(w->hash, from->hash, sizeof(w->hash));
    return true;
}

static enum ctl_exit read_copy(struct copy *c, const char *path)
{
    char line[CHECKPOINT_LINE_MAX];
    struct checkpoint point;
    struct bytes text = {0};
    bool is_good = true;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fprintf(stderr, "otactl: %s: %s\n", path, strerror(errno));
        return CTL_WRONG_USE;
    }
    while (is_good && fgets(line, sizeof(line), file) != NULL) {
        if (!checkpoint_read(line, &point, &text) || !point.is_signed)
            continue;
        if (!crypto_is_signed(c->signer, text, point.signature))
            c->forged = c->forged == 0 ? point.sequence : c->forged;
        else if (c->count == 0 || point.sequence > c->at[c->count - 1].sequence)
            is_good = add(c, &point);
    }
    is_good = is_good && ferror(file) == 0;
    (void)fclose(file);
    if (!is_good)
        fprintf(stderr, "otactl: %s: %s\n", path, strerror(errno));
    else if (c->count == 0 && c->forged == 0)
        return ctl_wrong(c->t, "no checkpoint is in", path);
    return is_good ? CTL_DONE : CTL_INTERNAL;
}

// Rows before this one have left the server.
static enum ctl_exit ask_first(struct ctl_task *t, uint64_t *first)
{
    struct ctl_request r;
    struct ctl_answer a;
    ctl_request_init(&r, "GET", "/audit-trail");
    ctl_request_query(&r, "perPage", "1");
    ctl_request_query(&r, "sort", "sequence");
    const enum ctl_exit exit = ctl_ask(t, &r, &a);
    const json_t *row = json_array_get(json_object_get(a.json, "items"), 0);
    *first = exit == CTL_DONE ? (uint64_t)json_integer_value(json_object_get(row, "sequence")) : 0;
    ctl_answer_free(&a);
    return exit;
}

static enum ctl_exit ask_row(struct ctl_task *t, const struct witness *w, bool *fits)
{
    struct ctl_request r;
    struct ctl_answer a;
    char problem[256];
    char number[24];
    char hash[2 * CIPHER_SHA256_SIZE + 1];
    struct writer to = writer_of(hash, sizeof(hash));
    text_hex(&to, bytes_of(w->hash, sizeof(w->hash)));
    (void)text_end(&to);
    snprintf(number, sizeof(number), "%llu", (unsigned long long)w->sequence);
    ctl_request_init(&r, "GET", "/audit-trail");
    ctl_request_segment(&r, number);
    enum ctl_exit exit = ctl_call_quietly(*t->client, &r, &a, problem);
    *fits = exit == CTL_DONE && strcmp(ctl_string_at(a.json, "hash"), hash) == 0;
    if (exit == CTL_NOT_FOUND) // the trail ends before it
        exit = CTL_DONE;
    if (exit != CTL_DONE)
        fprintf(stderr, "otactl: %s\n", problem);
    ctl_answer_free(&a);
    return exit;
}

// A row that fits proves all before it, since the chain holds: those that fit come first.
static enum ctl_exit find_bad(const struct copy *c, size_t from, uint64_t *bad)
{
    size_t low = from;
    size_t high = c->count;
    bool fits = false;
    enum ctl_exit exit = ask_row(c->t, &c->at[high - 1], &fits);
    *bad = 0;
    if (exit != CTL_DONE || fits)
        return exit;
    while (low < high && exit == CTL_DONE) {
        const size_t middle = low + (high - low) / 2;
        exit = ask_row(c->t, &c->at[middle], &fits);
        if (fits)
            low = middle + 1;
        else
            high = middle;
    }
    *bad = c->at[low < c->count ? low : c->count - 1].sequence;
    return exit;
}

static void tell(json_t *verdict, const struct copy *c, const char *problem, uint64_t bad)
{
    json_t *of = json_pack("{s:I,s:I}", "checked", (json_int_t)c->count, "lastSequence",
                           (json_int_t)(c->count > 0 ? c->at[c->count - 1].sequence : 0));
    (void)json_object_set_new(verdict, "copy", of);
    if (bad == 0)
        return;
    (void)json_object_set_new(verdict, "ok", json_false());
    (void)json_object_set_new(verdict, "problem", json_string(problem));
    (void)json_object_set_new(verdict, "firstBadSequence", json_integer((json_int_t)bad));
}

static enum ctl_exit compare(struct copy *c, json_t *verdict)
{
    uint64_t first = 0;
    uint64_t bad = 0;
    size_t from = 0;
    if (c->forged != 0) {
        tell(verdict, c, "SIGNATURE", c->forged);
        return CTL_DONE;
    }
    enum ctl_exit exit = ask_first(c->t, &first);
    while (from < c->count && c->at[from].sequence < first)
        from++;
    if (exit == CTL_DONE && from == c->count)
        return ctl_wrong(c->t, "the rows of all its checkpoints have left the server:",
                         c->t->option[OPTION_CHECKPOINTS]);
    if (exit == CTL_DONE)
        exit = find_bad(c, from, &bad);
    if (exit == CTL_DONE)
        tell(verdict, c, "CHECKPOINT", bad);
    return exit;
}

enum ctl_exit ctl_prove_copy(struct ctl_task *t, json_t *verdict)
{
    struct copy c = {.t = t};
    enum ctl_exit exit = ctl_proof_signer(t, c.signer);
    if (exit == CTL_DONE)
        exit = read_copy(&c, t->option[OPTION_CHECKPOINTS]);
    if (exit == CTL_DONE)
        exit = compare(&c, verdict);
    free(c.at);
    return exit;
}
