// Loads of imports: hidden until they end, or taken away.
#include "ota-server/store/driver.h"

#include "common/wire/ident.h"

#define UNDO_MAX 256

static enum store_status run_with(struct store *s, enum statement statement, uint64_t id)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, (int64_t)id);
    return query_run(&q);
}

enum store_status store_loading_begin(struct store *s, uint64_t import)
{
    return run_with(s, STATEMENT_LOADING_PUT, import);
}

enum store_status store_loading_end(struct store *s, uint64_t import)
{
    s->has_filled = true;
    return run_with(s, STATEMENT_LOADING_END, import);
}

enum store_status store_loading_merge(struct store *s, uint64_t import)
{
    return run_with(s, STATEMENT_LOADING_MERGE, import);
}

enum store_status store_loading_next(struct store *s, uint64_t *import, bool *is_merging)
{
    struct query q = query_of(s, STATEMENT_LOADING_LIST);
    const enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        *import = (uint64_t)column_number(&q, 0);
        *is_merging = column_number(&q, 1) != 0;
    }
    query_end(&q);
    return status;
}

// --- parts ---

#define PART_OWNER_SIZE 17

// A part opens for its card and import alone.
static struct bytes owner_of(uint8_t octets[PART_OWNER_SIZE], uint64_t import, uint64_t card)
{
    struct writer w = writer_of(octets, PART_OWNER_SIZE);
    writer_u8(&w, 'p');
    writer_u64(&w, import);
    writer_u64(&w, card);
    return writer_bytes(&w);
}

bool part_seal(struct store *s, uint64_t import, uint64_t card, struct bytes content,
               struct writer *out)
{
    uint8_t owner[PART_OWNER_SIZE];
    return key_seal(s, true, owner_of(owner, import, card), content, out);
}

enum store_status store_part_next(struct store *s, uint64_t import, uint64_t *card,
                                  struct writer *content)
{
    uint8_t owner[PART_OWNER_SIZE];
    struct query q = query_of(s, STATEMENT_PART_NEXT);
    bind_number(&q, 1, (int64_t)import);
    enum store_status status = query_step(&q);
    if (status == STORE_OK) {
        *card = (uint64_t)column_number(&q, 0);
        if (!key_unseal(s, true, (uint32_t)column_number(&q, 1), owner_of(owner, import, *card),
                        column_octets(&q, 2), content))
            status = STORE_KEYS;
    }
    query_end(&q);
    return status;
}

enum store_status store_part_drop(struct store *s, uint64_t import, uint64_t card)
{
    struct query q = query_of(s, STATEMENT_PART_DROP);
    bind_number(&q, 1, (int64_t)import);
    bind_number(&q, 2, (int64_t)card);
    return query_run(&q);
}

static enum store_status drop_parts(struct store *s, uint64_t import, uint32_t limit,
                                    uint32_t *count)
{
    struct query q = query_of(s, STATEMENT_PARTS_DROP);
    bind_number(&q, 1, (int64_t)import);
    bind_number(&q, 2, limit);
    const enum store_status status = query_run(&q);
    *count = status == STORE_OK ? (uint32_t)sqlite3_changes(s->db) : 0;
    return status;
}

// --- taking away ---

struct loaded {
    uint64_t ids[UNDO_MAX];
    uint8_t imsis[UNDO_MAX][COMMAND_IMSI_SIZE];
    uint32_t count;
};

static enum store_status list(struct store *s, enum statement statement, uint64_t import,
                              uint32_t limit, struct loaded *out)
{
    struct query q = query_of(s, statement);
    bind_number(&q, 1, (int64_t)import);
    bind_number(&q, 2, limit);
    enum store_status status = query_step(&q);
    out->count = 0;
    while (status == STORE_OK && out->count < UNDO_MAX) {
        out->ids[out->count] = (uint64_t)column_number(&q, 0);
        if (statement == STATEMENT_LOADED_SUBSCRIPTIONS &&
            !imsi_write(column_text(&q, 1), out->imsis[out->count]))
            memset(out->imsis[out->count], 0xFF, COMMAND_IMSI_SIZE);
        out->count++;
        status = query_step(&q);
    }
    query_end(&q);
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status erase_subscription(struct store *s, uint64_t id,
                                            const uint8_t imsi[COMMAND_IMSI_SIZE])
{
    const enum store_status status = store_network_keys_erase(s, imsi);
    return status == STORE_OK ? run_with(s, STATEMENT_SUBSCRIPTION_ERASE, id) : status;
}

static enum store_status erase_card(struct store *s, uint64_t id)
{
    enum store_status status = store_card_keys_erase(s, id);
    if (status == STORE_OK)
        status = run_with(s, STATEMENT_REFERENCE_DROP, id);
    return status == STORE_OK ? run_with(s, STATEMENT_CARD_ERASE, id) : status;
}

enum store_status store_loading_undo(struct store *s, uint64_t import, uint32_t limit,
                                     bool *is_gone)
{
    struct loaded found;
    const uint32_t at_once = limit < UNDO_MAX ? limit : UNDO_MAX;
    enum store_status status = list(s, STATEMENT_LOADED_SUBSCRIPTIONS, import, at_once, &found);
    const uint32_t subscriptions = found.count;
    for (uint32_t i = 0; i < found.count && status == STORE_OK; i++)
        status = erase_subscription(s, found.ids[i], found.imsis[i]);
    if (status == STORE_OK)
        status = list(s, STATEMENT_LOADED_CARDS, import, at_once, &found);
    for (uint32_t i = 0; i < found.count && status == STORE_OK; i++)
        status = erase_card(s, found.ids[i]);
    uint32_t parts = 0;
    if (status == STORE_OK)
        status = drop_parts(s, import, at_once, &parts);
    *is_gone = status == STORE_OK && subscriptions == 0 && found.count == 0 && parts == 0;
    return status;
}
