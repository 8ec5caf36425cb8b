#include "ota-server/service/rekey.h"

#include "common/base/text.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/auth_factor.h"
#include "ota-server/service/import_body.h"
#include "ota-server/service/sink.h"

#include <stdlib.h>

#define PAGE 32
#define PLAIN_MAX SINK_TOKEN_MAX // of what documents hold
#define SEALED_MAX (CRYPTO_NONCE_SIZE + PLAIN_MAX + CRYPTO_TAG_SIZE)
#define NAME_SIZE 64

// Octets under the old key become octets under the new one, with a nonce of their own.
static bool seal_again(const struct rekey *r, struct bytes additional, uint8_t *nonce,
                       struct bytes sealed, struct writer *out)
{
    uint8_t plain[PLAIN_MAX];
    struct writer p = writer_of(plain, sizeof(plain));
    const bool is_done = crypto_unseal(r->crypto, r->old, nonce, additional, sealed, &p) &&
                         r->fill(r->fill_context, nonce, CRYPTO_NONCE_SIZE) &&
                         crypto_seal(r->crypto, r->new, nonce, additional, writer_bytes(&p), out);
    secret_wipe(plain, sizeof(plain));
    return is_done;
}

// --- clients ---

static enum store_status rekey_client(const struct rekey *r, struct auth_client *client)
{
    const struct bytes additional = bytes_of_text(client->app_key);
    for (uint8_t i = 0; i < client->secret_count; i++) {
        struct auth_secret *s = &client->secrets[i];
        uint8_t sealed[AUTH_SEALED_SIZE];
        struct writer w = writer_of(sealed, sizeof(sealed));
        if (!seal_again(r, additional, s->nonce, bytes_of(s->sealed, sizeof(s->sealed)), &w))
            return STORE_KEYS;
        memcpy(s->sealed, sealed, sizeof(sealed));
    }
    return client->secret_count > 0 ? auth_client_put(r->store, client, r->now) : STORE_OK;
}

struct id_page {
    uint64_t at[PAGE];
    size_t count;
};

static bool see_id(void *context, const struct document *d)
{
    struct id_page *ids = context;
    ids->at[ids->count++] = d->id;
    return ids->count < PAGE;
}

static enum store_status rekey_one_client(const struct rekey *r, uint64_t id)
{
    struct auth_client *client = malloc(sizeof(*client));
    if (client == NULL)
        return STORE_FAILED;
    enum store_status status = auth_client_get(r->store, id, client);
    if (status == STORE_OK)
        status = rekey_client(r, client);
    free(client);
    return status;
}

// --- transport keys ---

// One whose body is sealed octets in hexadecimal; others have none.
struct sealed {
    struct document document;
    char kind[24], name[NAME_SIZE];
    char hex[2 * SEALED_MAX];
    uint8_t octets[SEALED_MAX];
    size_t len;
    bool is_sealed, fits;
};

static bool see_sealed(void *context, const struct document *d)
{
    struct sealed *s = context;
    struct writer o = writer_of(s->octets, sizeof(s->octets));
    struct writer n = writer_of(s->name, sizeof(s->name));
    s->document = *d;
    text_put(&n, d->name != NULL ? d->name : "");
    (void)text_end(&n);
    s->document.kind = s->kind;
    s->document.name = d->name != NULL ? s->name : NULL;
    s->is_sealed = text_unhex(d->body, &o) && o.len > CRYPTO_NONCE_SIZE + CRYPTO_TAG_SIZE;
    s->len = o.len;
    s->fits = !n.failed;
    return false;
}

// What the octets are bound to: a key, a sink's secret or a second factor to its name, a component
// to the id of its key, that of a file to the id of its import.
static struct bytes bound_to(const struct sealed *s, char text[API_ID_SIZE])
{
    if (strcmp(s->kind, "transport-component") != 0 && strcmp(s->kind, IMPORT_BODY_KIND) != 0)
        return bytes_of_text(s->name);
    api_id_write(text, "rec", s->document.parent);
    return bytes_of_text(text);
}

static enum store_status rekey_sealed(const struct rekey *r, const char *kind, uint64_t id)
{
    struct sealed s = {0};
    char text[API_ID_SIZE];
    struct writer k = writer_of(s.kind, sizeof(s.kind));
    text_put(&k, kind);
    (void)text_end(&k);
    const enum store_status status = store_document_get(r->store, kind, id, see_sealed, &s);
    if (status != STORE_OK || !s.is_sealed)
        return status;
    uint8_t nonce[CRYPTO_NONCE_SIZE];
    memcpy(nonce, s.octets, sizeof(nonce));
    uint8_t again[SEALED_MAX];
    struct writer w = writer_of(again + CRYPTO_NONCE_SIZE, s.len - CRYPTO_NONCE_SIZE);
    const struct bytes sealed = bytes_of(s.octets + CRYPTO_NONCE_SIZE, s.len - CRYPTO_NONCE_SIZE);
    if (!s.fits || !seal_again(r, bound_to(&s, text), nonce, sealed, &w))
        return STORE_KEYS;
    memcpy(again, nonce, sizeof(nonce));
    struct writer h = writer_of(s.hex, sizeof(s.hex));
    text_hex(&h, bytes_of(again, s.len));
    s.document.body = writer_bytes(&h);
    s.document.changed_at = r->now;
    return store_document_put(r->store, &s.document);
}

// --- all of them ---

// Nothing is added or taken away meanwhile, so the pages stay as they are.
static enum store_status each_of(const struct rekey *r, const char *kind)
{
    const struct document_filter filter = {.kind = kind, .state = -1};
    struct id_page ids = {.count = PAGE};
    enum store_status status = STORE_OK;
    for (struct store_page page = {.limit = PAGE}; status == STORE_OK && ids.count == PAGE;
         page.offset += PAGE) {
        ids.count = 0;
        status = store_documents(r->store, &filter, &page, see_id, &ids, NULL);
        for (size_t i = 0; i < ids.count && status == STORE_OK; i++)
            status = strcmp(kind, "client") == 0 ? rekey_one_client(r, ids.at[i])
                                                 : rekey_sealed(r, kind, ids.at[i]);
    }
    return status;
}

enum store_status rekey_documents(const struct rekey *r)
{
    enum store_status status = each_of(r, "client");
    if (status == STORE_OK)
        status = each_of(r, "transport-key");
    if (status == STORE_OK)
        status = each_of(r, "transport-component");
    if (status == STORE_OK)
        status = each_of(r, SINK_SECRET_KIND);
    if (status == STORE_OK)
        status = each_of(r, FACTOR_KIND);
    return status == STORE_OK ? each_of(r, IMPORT_BODY_KIND) : status;
}
