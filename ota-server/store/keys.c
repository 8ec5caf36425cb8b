// Keys at rest: AES-256-GCM under master keys from outside the database, with the card (or IMSI),
// the key's number and version as additional data, so that a row moved elsewhere does not open.
#include "ota-server/store/driver.h"

#include "common/wire/ident.h"

#include <stdio.h>
#include <stdlib.h>

#define NONCE_SIZE 12
#define TAG_SIZE 16

// All keys of a card, or of a subscription, are sealed as one. Older releases sealed each alone;
// such rows are read, and count as nothing beside a whole set.
enum { KEY_SET = 0, KEY_KIC = 1, KEY_KID = 2, KEY_KIK = 3 };
enum { KEY_K = 1, KEY_OP = 2 };

#define SET_PLAIN_MAX (3 * (1 + SECRET_KEY_MAX))
#define SEALED_MAX (NONCE_SIZE + SET_PLAIN_MAX + TAG_SIZE)

static const struct secret_key *master_of(const struct store *s, bool is_network,
                                          uint32_t generation)
{
    if (generation == s->generation)
        return is_network ? &s->options.network_master : &s->options.ota_master;
    return is_network ? &s->old_network : &s->old_ota;
}

bool key_seal(struct store *s, bool is_network, struct bytes additional, struct bytes plain,
              struct writer *out)
{
    uint8_t nonce[NONCE_SIZE];
    const struct secret_key *master = master_of(s, is_network, s->generation);
    if (master->len != SECRET_KEY_MAX)
        return false;
    s->crypto->random(nonce, sizeof(nonce));
    writer_copy(out, bytes_of(nonce, sizeof(nonce)));
    return s->crypto->seal(s->crypto->context, master, nonce, additional, plain, out);
}

bool key_unseal(struct store *s, bool is_network, uint32_t generation, struct bytes additional,
                struct bytes sealed, struct writer *out)
{
    const struct secret_key *master = master_of(s, is_network, generation);
    return master->len == SECRET_KEY_MAX && sealed.len >= NONCE_SIZE &&
           s->crypto->unseal(s->crypto->context, master, sealed.at, additional,
                             bytes_slice(sealed, NONCE_SIZE, sealed.len), out);
}

#define ADDITIONAL_MAX 32
// ICCID as digits (or IMSI octets), key number, key version.
static struct bytes additional_of(uint8_t out[ADDITIONAL_MAX], struct bytes owner, uint8_t key_id,
                                  uint8_t version)
{
    struct writer w = writer_of(out, ADDITIONAL_MAX);
    writer_copy(&w, owner);
    writer_u8(&w, key_id);
    writer_u8(&w, version);
    return writer_bytes(&w);
}

// A known text under each master tells at start whether these are the right ones.
static enum store_status check_master(struct store *s, bool is_network, const char *name)
{
    uint8_t buffer[64];
    struct writer w = writer_of(buffer, sizeof(buffer));
    const struct secret_key *master = master_of(s, is_network, s->generation);
    if (master->len == 0)
        return STORE_OK; // opens no keys
    enum store_status status = store_value(s, name, &w);
    if (status == STORE_OK) {
        uint8_t known[SECRET_KEY_MAX];
        struct writer found = writer_of(known, sizeof(known));
        const bool is_right =
            key_unseal(s, is_network, s->generation, bytes_of_text(name), writer_bytes(&w), &found);
        return is_right && found.len == 16 ? STORE_OK : STORE_KEYS;
    }
    if (status != STORE_NONE || s->options.is_reader)
        return status;
    if (!key_seal(s, is_network, bytes_of_text(name), bytes_of_text("otaria-key-check"), &w))
        return STORE_FAILED;
    return store_value_put(s, name, writer_bytes(&w));
}

// Keys are on their way to these masters as long as this value is there.
#define MOVING "master_moving"
// The key of pseudonyms outlives the masters, or the trail would call every object anew.
#define PSEUDONYMS "pseudonym_key"

static enum store_status read_generation(struct store *s)
{
    uint8_t buffer[8];
    struct writer w = writer_of(buffer, sizeof(buffer));
    const enum store_status status = store_value(s, "key_generation", &w);
    if (status != STORE_OK && status != STORE_NONE)
        return status;
    struct reader r = reader_of(writer_bytes(&w));
    s->generation = status == STORE_OK ? reader_u32(&r) : 1;
    s->old_ota = s->options.old_ota;
    s->old_network = s->options.old_network;
    return STORE_OK;
}

// Without the old masters some cards' keys would not open, here or there.
static enum store_status check_moving(struct store *s)
{
    uint8_t buffer[8];
    struct writer w = writer_of(buffer, sizeof(buffer));
    const enum store_status status = store_value(s, MOVING, &w);
    if (status == STORE_OK)
        return s->old_ota.len == 0 && !s->options.is_reader ? STORE_MOVING : STORE_OK;
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status read_pseudonym_key(struct store *s)
{
    uint8_t sealed[NONCE_SIZE + SECRET_KEY_MAX + TAG_SIZE];
    struct writer w = writer_of(sealed, sizeof(sealed));
    struct secret_key *key = &s->options.pseudonym_key;
    struct writer k = writer_of(key->octets, sizeof(key->octets));
    const enum store_status status = store_value(s, PSEUDONYMS, &w);
    if (status != STORE_OK || s->options.ota_master.len == 0)
        return status == STORE_NONE ? STORE_OK : status;
    if (!key_unseal(s, false, s->generation, bytes_of_text(PSEUDONYMS), writer_bytes(&w), &k))
        return STORE_KEYS;
    key->len = (uint8_t)k.len;
    return STORE_OK;
}

enum store_status keys_open(struct store *s)
{
    enum store_status status = read_generation(s);
    if (status == STORE_OK)
        status = check_master(s, false, "ota_master");
    if (status == STORE_OK)
        status = check_master(s, true, "network_master");
    if (status == STORE_OK)
        status = check_moving(s);
    return status == STORE_OK ? read_pseudonym_key(s) : status;
}

// --- sets ------------------------------------------------------------------------------------

// Each key after its length.
static void put_key(struct writer *out, const struct secret_key *key)
{
    writer_u8(out, key->len);
    writer_copy(out, bytes_of(key->octets, key->len));
}

static bool take_key(struct reader *from, struct secret_key *key)
{
    const uint8_t len = reader_u8(from);
    const struct bytes octets = reader_bytes(from, len);
    if (from->failed || len > SECRET_KEY_MAX)
        return false;
    *key = secret_key_of(octets);
    return true;
}

// What a row opens to: the keys of a set in their order, or the one that the row is of.
static bool open_row(const struct query *q, bool is_network, struct bytes additional, int at,
                     struct secret_key *const keys[3])
{
    uint8_t plain[SET_PLAIN_MAX];
    struct writer w = writer_of(plain, sizeof(plain));
    const int64_t key_id = column_number(q, 0);
    bool good = key_unseal(q->s, is_network, (uint32_t)column_number(q, at), additional,
                           column_octets(q, at + 1), &w);
    struct reader r = reader_of(writer_bytes(&w));
    if (good && key_id == KEY_SET) {
        for (size_t i = 0; i < 3 && keys[i] != NULL && good; i++)
            good = take_key(&r, keys[i]);
        good = good && reader_done(&r);
    } else if (good) {
        good = key_id <= 3 && keys[key_id - 1] != NULL && w.len <= SECRET_KEY_MAX;
        if (good)
            *keys[key_id - 1] = secret_key_of(writer_bytes(&w));
    }
    secret_wipe(plain, sizeof(plain));
    return good;
}

bool card_keys_seal(struct store *s, const uint8_t iccid[COMMAND_ICCID_SIZE],
                    const struct card_keys *keys, struct writer *out)
{
    char text[ICCID_SIZE];
    uint8_t additional[ADDITIONAL_MAX];
    uint8_t plain[SET_PLAIN_MAX];
    struct writer p = writer_of(plain, sizeof(plain));
    if (!iccid_read(iccid, text))
        return false;
    put_key(&p, &keys->kic);
    put_key(&p, &keys->kid);
    put_key(&p, &keys->kik);
    const struct bytes a = additional_of(additional, bytes_of_text(text), KEY_SET, keys->version);
    const bool is_sealed = key_seal(s, false, a, writer_bytes(&p), out);
    secret_wipe(plain, sizeof(plain));
    return is_sealed;
}

enum store_status store_card_keys_put(struct store *s, uint64_t card,
                                      const uint8_t iccid[COMMAND_ICCID_SIZE],
                                      const struct card_keys *keys)
{
    uint8_t sealed[SEALED_MAX];
    struct writer w = writer_of(sealed, sizeof(sealed));
    if (!card_keys_seal(s, iccid, keys, &w))
        return STORE_KEYS;
    struct query q = query_of(s, STATEMENT_KEY_PUT);
    bind_number(&q, 1, (int64_t)card);
    bind_number(&q, 2, KEY_SET);
    bind_number(&q, 3, keys->version);
    bind_number(&q, 4, keys->tar);
    bind_number(&q, 5, keys->spi1);
    bind_number(&q, 6, keys->spi2);
    bind_number(&q, 7, keys->cmac_len);
    bind_number(&q, 8, s->generation);
    bind_octets(&q, 9, writer_bytes(&w));
    return query_run(&q);
}

enum store_status store_card_keys(struct store *s, uint64_t card, struct card_keys *out)
{
    struct secret_key *const keys[3] = {&out->kic, &out->kid, &out->kik};
    struct query q = query_of(s, STATEMENT_KEY_GET);
    bind_number(&q, 1, (int64_t)card);
    memset(out, 0, sizeof(*out));
    enum store_status status = query_step(&q);
    bool is_set = false;
    while (status == STORE_OK && !is_set) {
        uint8_t additional[ADDITIONAL_MAX];
        const uint8_t key_id = (uint8_t)column_number(&q, 0);
        is_set = key_id == KEY_SET; // the first, when there is one
        out->version = (uint8_t)column_number(&q, 1);
        out->tar = (uint32_t)column_number(&q, 2);
        out->spi1 = (uint8_t)column_number(&q, 3);
        out->spi2 = (uint8_t)column_number(&q, 4);
        out->cmac_len = (uint8_t)column_number(&q, 5);
        const struct bytes a =
            additional_of(additional, bytes_of_text(column_text(&q, 8)), key_id, out->version);
        status = !open_row(&q, false, a, 6, keys) ? STORE_KEYS : query_step(&q);
    }
    query_end(&q);
    if (status != STORE_NONE && !(is_set && status == STORE_OK)) {
        secret_wipe(out, sizeof(*out));
        return status;
    }
    return out->kic.len > 0 && out->kid.len > 0 ? STORE_OK : STORE_NONE;
}

// The engine overwrites what it deletes on a page; here also the pages that a deletion empties.
static enum store_status shred(struct query *q)
{
    enum store_status status = store_run_text(q->s, "PRAGMA secure_delete = ON");
    if (status == STORE_OK)
        status = query_run(q);
    else
        query_end(q);
    const enum store_status back = store_run_text(q->s, "PRAGMA secure_delete = FAST");
    return status == STORE_OK ? back : status;
}

enum store_status store_card_keys_erase(struct store *s, uint64_t card)
{
    struct query q = query_of(s, STATEMENT_KEY_ERASE);
    bind_number(&q, 1, (int64_t)card);
    return shred(&q);
}

enum store_status store_network_keys_erase(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE])
{
    struct query q = query_of(s, STATEMENT_NETWORK_ERASE);
    bind_octets(&q, 1, bytes_of(imsi, COMMAND_IMSI_SIZE));
    return shred(&q);
}

bool network_keys_seal(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                       const struct network_keys *keys, struct writer *out)
{
    uint8_t additional[ADDITIONAL_MAX];
    uint8_t plain[SET_PLAIN_MAX];
    struct writer p = writer_of(plain, sizeof(plain));
    put_key(&p, &keys->k);
    put_key(&p, &keys->op);
    const struct bytes a = additional_of(additional, bytes_of(imsi, COMMAND_IMSI_SIZE), KEY_SET, 0);
    const bool is_sealed = key_seal(s, true, a, writer_bytes(&p), out);
    secret_wipe(plain, sizeof(plain));
    return is_sealed;
}

enum store_status store_network_keys_put(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                         const struct network_keys *keys)
{
    uint8_t sealed[SEALED_MAX];
    struct writer w = writer_of(sealed, sizeof(sealed));
    if (!network_keys_seal(s, imsi, keys, &w))
        return STORE_KEYS;
    struct query q = query_of(s, STATEMENT_NETWORK_PUT);
    bind_octets(&q, 1, bytes_of(imsi, COMMAND_IMSI_SIZE));
    bind_number(&q, 2, KEY_SET);
    bind_number(&q, 3, s->generation);
    bind_octets(&q, 4, writer_bytes(&w));
    return query_run(&q);
}

enum store_status store_network_keys(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                     struct network_keys *out)
{
    struct secret_key *const keys[3] = {&out->k, &out->op, NULL};
    struct query q = query_of(s, STATEMENT_NETWORK_GET);
    const struct bytes owner = bytes_of(imsi, COMMAND_IMSI_SIZE);
    bind_octets(&q, 1, owner);
    memset(out, 0, sizeof(*out));
    enum store_status status = query_step(&q);
    bool is_set = false;
    while (status == STORE_OK && !is_set) {
        uint8_t additional[ADDITIONAL_MAX];
        const uint8_t key_id = (uint8_t)column_number(&q, 0);
        is_set = key_id == KEY_SET; // the first, when there is one
        const struct bytes a = additional_of(additional, owner, key_id, 0);
        status = !open_row(&q, true, a, 1, keys) ? STORE_KEYS : query_step(&q);
    }
    query_end(&q);
    if ((status == STORE_NONE || status == STORE_OK) && out->k.len > 0 && out->op.len > 0)
        return STORE_OK;
    secret_wipe(out, sizeof(*out));
    return status == STORE_OK ? STORE_NONE : status;
}

// A set has an octet of length before each key.
enum store_status store_network_keys_len(struct store *s, const uint8_t imsi[COMMAND_IMSI_SIZE],
                                         uint8_t *len)
{
    struct query q = query_of(s, STATEMENT_NETWORK_GET);
    bind_octets(&q, 1, bytes_of(imsi, COMMAND_IMSI_SIZE));
    size_t total = 0;
    bool is_set = false;
    enum store_status status = query_step(&q);
    while (status == STORE_OK && !is_set) {
        const size_t sealed = column_octets(&q, 2).len;
        is_set = column_number(&q, 0) == KEY_SET; // the first, when there is one
        const size_t more = NONCE_SIZE + TAG_SIZE + (is_set ? 2 : 0);
        total += sealed > more ? sealed - more : 0;
        status = query_step(&q);
    }
    query_end(&q);
    *len = total <= COMMAND_KEYS_MAX ? (uint8_t)total : 0;
    return status == STORE_NONE ? STORE_OK : status;
}

// --- a new pair of master keys ---------------------------------------------------------------

#define REWRAP_MAX 256

struct moved {
    int64_t card;
    uint8_t imsi[COMMAND_IMSI_SIZE];
    uint8_t key_id;
    uint8_t sealed[SEALED_MAX];
    uint8_t sealed_len;
};

static bool renew(struct store *s, bool is_network, uint32_t generation, struct bytes additional,
                  struct bytes sealed, struct moved *m)
{
    uint8_t plain[SET_PLAIN_MAX];
    struct writer p = writer_of(plain, sizeof(plain));
    struct writer w = writer_of(m->sealed, sizeof(m->sealed));
    const bool is_done = key_unseal(s, is_network, generation, additional, sealed, &p) &&
                         key_seal(s, is_network, additional, writer_bytes(&p), &w);
    secret_wipe(plain, sizeof(plain));
    m->sealed_len = (uint8_t)w.len;
    return is_done;
}

// The next rows of an older generation, sealed again under the present one.
// The next rows of an older generation, sealed again under the present one; behind those that the
// last call saw, so that each row is looked at once.
static struct query next_old(struct store *s, bool is_network, uint32_t limit)
{
    struct query q = query_of(s, is_network ? STATEMENT_NETWORK_OLD : STATEMENT_KEY_OLD);
    bind_number(&q, 1, s->generation);
    bind_number(&q, 2, limit);
    if (is_network)
        bind_octets(&q, 3, bytes_of(s->moved.imsi, s->moved.has_imsi ? COMMAND_IMSI_SIZE : 0));
    else
        bind_number(&q, 3, s->moved.card);
    bind_number(&q, 4, is_network ? s->moved.network_id : s->moved.ota_id);
    return q;
}

static void note_moved(struct store *s, bool is_network, const struct moved *m)
{
    if (is_network) {
        memcpy(s->moved.imsi, m->imsi, sizeof(s->moved.imsi));
        s->moved.has_imsi = true;
        s->moved.network_id = m->key_id;
    } else {
        s->moved.card = m->card;
        s->moved.ota_id = m->key_id;
    }
}

static enum store_status read_old(struct store *s, bool is_network, uint32_t limit,
                                  struct moved *rows, uint32_t *count)
{
    struct query q = next_old(s, is_network, limit);
    enum store_status status = query_step(&q);
    while (status == STORE_OK && *count < limit) {
        struct moved *m = &rows[(*count)++];
        uint8_t additional[ADDITIONAL_MAX];
        struct bytes a;
        m->key_id = (uint8_t)column_number(&q, 1);
        if (is_network) {
            const struct bytes imsi = column_octets(&q, 0);
            memcpy(m->imsi, imsi.at, imsi.len < sizeof(m->imsi) ? imsi.len : sizeof(m->imsi));
            a = additional_of(additional, bytes_of(m->imsi, sizeof(m->imsi)), m->key_id, 0);
        } else {
            m->card = column_number(&q, 0);
            a = additional_of(additional, bytes_of_text(column_text(&q, 4)), m->key_id,
                              (uint8_t)column_number(&q, 2));
        }
        const uint32_t generation = (uint32_t)column_number(&q, is_network ? 3 : 5);
        status = renew(s, is_network, generation, a, column_octets(&q, is_network ? 2 : 3), m)
                     ? query_step(&q)
                     : STORE_KEYS;
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status write_renewed(struct store *s, bool is_network, const struct moved *m)
{
    struct query q = query_of(s, is_network ? STATEMENT_NETWORK_RENEW : STATEMENT_KEY_RENEW);
    if (is_network)
        bind_octets(&q, 1, bytes_of(m->imsi, sizeof(m->imsi)));
    else
        bind_number(&q, 1, m->card);
    bind_number(&q, 2, m->key_id);
    bind_number(&q, 3, s->generation);
    bind_octets(&q, 4, bytes_of(m->sealed, m->sealed_len));
    return query_run(&q);
}

static enum store_status renew_some(struct store *s, bool is_network, uint32_t limit,
                                    uint32_t *count)
{
    struct moved *rows = calloc(limit, sizeof(*rows));
    if (rows == NULL)
        return STORE_FAILED;
    enum store_status status = read_old(s, is_network, limit, rows, count);
    for (uint32_t i = 0; i < *count && status == STORE_OK; i++)
        status = write_renewed(s, is_network, &rows[i]);
    if (status == STORE_OK && *count > 0)
        note_moved(s, is_network, &rows[*count - 1]);
    free(rows);
    return status;
}

static enum store_status keep_pseudonym_key(struct store *s)
{
    uint8_t sealed[NONCE_SIZE + SECRET_KEY_MAX + TAG_SIZE];
    struct writer w = writer_of(sealed, sizeof(sealed));
    const struct secret_key *key = &s->options.pseudonym_key;
    if (!key_seal(s, false, bytes_of_text(PSEUDONYMS), bytes_of(key->octets, key->len), &w))
        return STORE_KEYS;
    return store_value_put(s, PSEUDONYMS, writer_bytes(&w));
}

enum store_status store_masters_change(struct store *s, const struct secret_key *ota,
                                       const struct secret_key *network)
{
    uint8_t value[4];
    struct writer w = writer_of(value, sizeof(value));
    s->old_ota = s->options.ota_master;
    s->old_network = s->options.network_master;
    s->options.ota_master = *ota;
    s->options.network_master = *network;
    s->generation++;
    writer_u32(&w, s->generation);
    enum store_status status = store_value_put(s, "key_generation", writer_bytes(&w));
    if (status == STORE_OK)
        status = store_value_put(s, MOVING, bytes_of_text("1"));
    if (status == STORE_OK)
        status = store_run_text(s, "DELETE FROM value WHERE name IN ('ota_master',"
                                   " 'network_master')");
    if (status == STORE_OK)
        status = check_master(s, false, "ota_master");
    if (status == STORE_OK)
        status = check_master(s, true, "network_master");
    return status == STORE_OK ? keep_pseudonym_key(s) : status;
}

enum store_status store_rewrap(struct store *s, uint32_t limit, bool *is_done)
{
    uint32_t ota = 0;
    uint32_t network = 0;
    if (limit == 0 || limit > REWRAP_MAX)
        limit = REWRAP_MAX;
    enum store_status status = renew_some(s, false, limit, &ota);
    if (status == STORE_OK)
        status = renew_some(s, true, limit, &network);
    *is_done = status == STORE_OK && ota == 0 && network == 0;
    return *is_done ? store_run_text(s, "DELETE FROM value WHERE name = '" MOVING "'") : status;
}
