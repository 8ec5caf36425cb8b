#include "ota-server/service/import_body.h"

#include "common/base/text.h"
#include "ota-server/service/api_text.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE 65536
#define SEALED_PIECE (PIECE + CRYPTO_TAG_SIZE)
#define PATH_SIZE 4096
#define SUFFIX ".body"
#define SEALED_LEN (CRYPTO_NONCE_SIZE + IMPORT_BODY_SEED + CRYPTO_TAG_SIZE)

// --- the file --------------------------------------------------------------------------------

struct pieces {
    struct crypto *c;
    struct secret_key key;
    uint64_t import, number;
    uint8_t plain[PIECE], sealed[SEALED_PIECE];
};

static bool path_of(const char *folder, uint64_t import, char path[PATH_SIZE])
{
    char id[API_ID_SIZE];
    api_id_write(id, "imp", import);
    const int len = snprintf(path, PATH_SIZE, "%s/%s" SUFFIX, folder, id);
    return len > 0 && len < PATH_SIZE;
}

static struct pieces *pieces_open(struct crypto *c, const struct import_body *body)
{
    static const char use[] = "otaria import body 1";
    const struct bytes part = bytes_of_text(use);
    uint8_t mac[CRYPTO_SHA256_SIZE];
    struct pieces *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->c = c;
    p->import = body->import;
    if (!crypto_hmac(c, bytes_of(body->seed.octets, body->seed.len), &part, 1, mac)) {
        free(p);
        return NULL;
    }
    p->key = secret_key_of(bytes_of(mac, sizeof(mac)));
    secret_wipe(mac, sizeof(mac));
    return p;
}

static void pieces_close(struct pieces *p)
{
    secret_wipe(p, sizeof(*p));
    free(p);
}

// The key is this file's alone, so that counting nonces serve once each.
static void place_of(const struct pieces *p, uint8_t nonce[CRYPTO_NONCE_SIZE])
{
    struct writer w = writer_of(nonce, CRYPTO_NONCE_SIZE);
    writer_u32(&w, 0);
    writer_u64(&w, p->number);
}

static struct bytes bound_to(const struct pieces *p, bool is_last, uint8_t octets[9])
{
    struct writer w = writer_of(octets, 9);
    writer_u64(&w, p->import);
    writer_u8(&w, is_last);
    return writer_bytes(&w);
}

static bool seal_piece(struct pieces *p, size_t len, bool is_last, FILE *to)
{
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    uint8_t additional[9];
    struct writer w = writer_of(p->sealed, sizeof(p->sealed));
    place_of(p, nonce);
    p->number++;
    return crypto_seal(p->c, &p->key, nonce, bound_to(p, is_last, additional),
                       bytes_of(p->plain, len), &w) &&
           fwrite(p->sealed, 1, w.len, to) == w.len;
}

// The last piece is shorter than the others, and may be empty.
static bool seal_all(struct pieces *p, FILE *from, FILE *to)
{
    size_t len = PIECE;
    bool is_good = fseek(from, 0, SEEK_SET) == 0;
    while (is_good && len == PIECE) {
        len = fread(p->plain, 1, PIECE, from);
        is_good = ferror(from) == 0 && seal_piece(p, len, len < PIECE, to);
    }
    return is_good && fflush(to) == 0 && fsync(fileno(to)) == 0;
}

bool import_body_write(struct crypto *c, const char *folder, const struct import_body *body,
                       FILE *from)
{
    char path[PATH_SIZE];
    struct pieces *p = path_of(folder, body->import, path) ? pieces_open(c, body) : NULL;
    FILE *to = p != NULL ? fopen(path, "wbe") : NULL;
    bool is_good = to != NULL && seal_all(p, from, to);
    if (to != NULL)
        is_good = fclose(to) == 0 && is_good;
    if (!is_good)
        import_body_remove(folder, body->import);
    if (p != NULL)
        pieces_close(p);
    return is_good;
}

static bool open_piece(struct pieces *p, size_t len, bool is_last, FILE *to)
{
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    uint8_t additional[9];
    struct writer w = writer_of(p->plain, sizeof(p->plain));
    place_of(p, nonce);
    p->number++;
    return crypto_unseal(p->c, &p->key, nonce, bound_to(p, is_last, additional),
                         bytes_of(p->sealed, len), &w) &&
           fwrite(p->plain, 1, w.len, to) == w.len;
}

bool import_body_read(struct crypto *c, const char *folder, const struct import_body *body,
                      FILE *to)
{
    char path[PATH_SIZE];
    struct pieces *p = path_of(folder, body->import, path) ? pieces_open(c, body) : NULL;
    FILE *from = p != NULL ? fopen(path, "rbe") : NULL;
    size_t len = SEALED_PIECE;
    bool is_good = from != NULL;
    while (is_good && len == SEALED_PIECE) {
        len = fread(p->sealed, 1, SEALED_PIECE, from);
        is_good = ferror(from) == 0 && open_piece(p, len, len < SEALED_PIECE, to);
    }
    if (from != NULL)
        (void)fclose(from);
    if (p != NULL)
        pieces_close(p);
    return is_good && fflush(to) == 0;
}

void import_body_remove(const char *folder, uint64_t import)
{
    char path[PATH_SIZE];
    if (path_of(folder, import, path))
        (void)unlink(path); // one that stays cannot be opened, and goes at the next start
}

// --- its key ---------------------------------------------------------------------------------

// As components of transport keys: one form is sealed again when the master changes.
enum store_status import_body_put(const struct import_target *t, struct crypto *c,
                                  const struct import_body *body,
                                  const uint8_t nonce[CRYPTO_NONCE_SIZE])
{
    char bound[API_ID_SIZE];
    char hex[2 * SEALED_LEN];
    uint8_t octets[SEALED_LEN];
    struct writer o = writer_of(octets, sizeof(octets));
    struct writer h = writer_of(hex, sizeof(hex));
    api_id_write(bound, "rec", t->import);
    writer_copy(&o, bytes_of(nonce, CRYPTO_NONCE_SIZE));
    if (!crypto_seal(c, t->key, nonce, bytes_of_text(bound),
                     bytes_of(body->seed.octets, body->seed.len), &o))
        return STORE_FAILED;
    text_hex(&h, writer_bytes(&o));
    const struct document d = {.kind = IMPORT_BODY_KIND,
                               .id = t->import,
                               .owner = t->tenant,
                               .parent = t->import,
                               .created_at = t->now,
                               .changed_at = t->now,
                               .body = writer_bytes(&h)};
    return store_document_put(t->store, &d);
}

struct found {
    uint8_t octets[SEALED_LEN];
    bool is_whole;
};

static bool see_sealed(void *context, const struct document *d)
{
    struct found *f = context;
    struct writer w = writer_of(f->octets, sizeof(f->octets));
    f->is_whole = text_unhex(d->body, &w) && w.len == sizeof(f->octets);
    return false;
}

enum store_status import_body_get(const struct import_target *t, struct import_body *body)
{
    char bound[API_ID_SIZE];
    struct found f = {.is_whole = false};
    const enum store_status status =
        store_document_get(t->store, IMPORT_BODY_KIND, t->import, see_sealed, &f);
    if (status != STORE_OK)
        return status;
    *body = (struct import_body){.import = t->import};
    api_id_write(bound, "rec", t->import);
    struct writer w = writer_of(body->seed.octets, sizeof(body->seed.octets));
    if (!f.is_whole ||
        !crypto_unseal(t->crypto, t->key, f.octets, bytes_of_text(bound),
                       bytes_of(f.octets + CRYPTO_NONCE_SIZE, IMPORT_BODY_SEED + CRYPTO_TAG_SIZE),
                       &w))
        return STORE_KEYS;
    body->seed.len = (uint8_t)w.len;
    return STORE_OK;
}

// --- the end of its time -----------------------------------------------------------------------

struct old_ones {
    struct utc now;
    uint64_t *imports, owners[IMPORT_BODIES_MAX];
    size_t count;
};

static bool see_old(void *context, const struct document *d)
{
    struct old_ones *o = context;
    if (d->created_at.ms + IMPORT_BODY_KEPT_MS > o->now.ms)
        return false; // oldest first
    o->owners[o->count] = d->owner;
    o->imports[o->count++] = d->id;
    return o->count < IMPORT_BODIES_MAX;
}

static enum store_status take_away(struct store *store, uint64_t import, uint64_t owner,
                                   struct utc now)
{
    const struct trail_new row = {.at = now,
                                  .tenant = owner,
                                  .actor = {.kind = ACTOR_SYSTEM},
                                  .action = "import.file.removed",
                                  .object_kind = "import",
                                  .object = import,
                                  .reason = "kept for 30 days",
                                  .result = "done"};
    const enum store_status status = store_document_delete(store, IMPORT_BODY_KIND, import);
    return status == STORE_OK ? store_trail_add(store, &row) : status;
}

enum store_status import_bodies_sweep(struct store *store, struct utc now,
                                      uint64_t imports[IMPORT_BODIES_MAX], size_t *count)
{
    struct old_ones old = {.now = now, .imports = imports};
    const struct document_filter filter = {.kind = IMPORT_BODY_KIND, .state = -1};
    const struct store_page page = {.limit = IMPORT_BODIES_MAX};
    enum store_status status = store_documents(store, &filter, &page, see_old, &old, NULL);
    for (size_t i = 0; i < old.count && status == STORE_OK; i++)
        status = take_away(store, imports[i], old.owners[i], now);
    *count = status == STORE_OK ? old.count : 0;
    return status;
}

// Of no import, or of one whose key is gone. Not when the store cannot say.
static bool is_stray(struct store *store, struct bytes id)
{
    struct found f = {.is_whole = false};
    uint64_t import = 0;
    return !api_id_read(id, "imp", &import) ||
           store_document_get(store, IMPORT_BODY_KIND, import, see_sealed, &f) == STORE_NONE;
}

void import_bodies_tidy(struct store *store, const char *folder)
{
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        const struct bytes name = bytes_of_text(e->d_name);
        const size_t end = strlen(SUFFIX);
        const bool is_body = name.len > end && strcmp(e->d_name + name.len - end, SUFFIX) == 0;
        if ((is_body && is_stray(store, bytes_slice(name, 0, name.len - end))) ||
            strncmp(e->d_name, "upload-", 7) == 0)
            (void)unlinkat(dirfd(dir), e->d_name, 0);
    }
    (void)closedir(dir);
}
