#include "sim-emulator/core/uicc/store.h"

#include "common/base/check.h"
#include "common/wire/crc.h"

// The journal: marker(1) CRC-32(4) length(2), then pieces: offset in the store(2) length(1) octets.
// The marker is written last and erased first; content counts only with both it and the CRC.
#define JOURNAL_MARKER 0xA6
#define JOURNAL_HEAD 7
// A chunk: mark, space, generation, number; then its octets. What bears no mark is free.
#define CHUNK_MARK 0x5C
#define PIECE_HEAD 3

_Static_assert(UICC_STORE_LEN <= UINT16_MAX, "a piece's offset has two octets");

static uint32_t chunk_offset(unsigned page)
{
    return UICC_JOURNAL_LEN + (uint32_t)page * NVM_PAGE_LEN;
}

// The next used chunk from `*page` on.
static bool chunk_next(const struct uicc_store *store, unsigned *page, struct bytes *octets)
{
    uint32_t first = (store->offset + UICC_JOURNAL_LEN) / NVM_PAGE_LEN;
    uint32_t number = first + *page;
    while (nvm_next_page(store->nvm, &number, octets) && number < first + UICC_CHUNKS) {
        if (octets->at[0] == CHUNK_MARK) {
            *page = number - first;
            return true;
        }
        number++;
    }
    return false;
}

static void head_write(uint8_t head[UICC_CHUNK_HEAD], struct uicc_place place)
{
    head[0] = CHUNK_MARK;
    head[1] = place.space;
    head[2] = place.generation;
    head[3] = (uint8_t)(place.at / UICC_CHUNK_LEN);
}

static bool chunk_find(const struct uicc_store *store, struct uicc_place place, unsigned *page,
                       struct bytes *octets)
{
    uint8_t head[UICC_CHUNK_HEAD];
    head_write(head, place);
    for (*page = 0; chunk_next(store, page, octets); (*page)++) {
        if (memcmp(octets->at, head, sizeof head) == 0)
            return true;
    }
    return false;
}

static size_t length_in_chunk(uint16_t at, size_t len)
{
    size_t room = UICC_CHUNK_LEN - at % UICC_CHUNK_LEN;
    return len < room ? len : room;
}

bool uicc_store_read(const struct uicc_store *store, struct uicc_place place, void *to, size_t len)
{
    check(place.at + len <= UICC_SPACE_LEN);
    uint8_t *at = to;
    bool is_found = false;
    for (size_t done = 0; done < len;) {
        size_t here = length_in_chunk(place.at, len - done);
        unsigned page;
        struct bytes octets;
        if (chunk_find(store, place, &page, &octets)) {
            if (!is_found)
                memset(at, NVM_ERASED, len);
            is_found = true;
            memcpy(at + done, octets.at + UICC_CHUNK_HEAD + place.at % UICC_CHUNK_LEN, here);
        }
        place.at = (uint16_t)(place.at + here);
        done += here;
    }
    return is_found;
}

void uicc_store_drop(const struct uicc_store *store,
                     bool (*is_dropped)(const void *context, struct uicc_place first),
                     const void *context)
{
    struct bytes octets;
    for (unsigned page = 0; chunk_next(store, &page, &octets); page++) {
        struct uicc_place first = {.space = octets.at[1],
                                   .generation = octets.at[2],
                                   .at = (uint16_t)(octets.at[3] * UICC_CHUNK_LEN)};
        if (is_dropped(context, first) &&
            nvm_erase(store->nvm, store->offset + chunk_offset(page), NVM_PAGE_LEN) != NVM_OK)
            return;
    }
}

size_t uicc_store_free(const struct uicc_store *store)
{
    size_t used = 0;
    struct bytes octets;
    for (unsigned page = 0; chunk_next(store, &page, &octets); page++)
        used++;
    return UICC_CHUNKS - used;
}

// --- changes ---------------------------------------------------------------------------------

void uicc_change_begin(struct uicc_change *change, const struct uicc_store *store)
{
    change->store = *store;
    change->is_full = false;
    change->taken_count = 0;
    change->pieces = writer_of(change->octets, sizeof change->octets);
}

static void piece(struct uicc_change *change, uint32_t offset, struct bytes octets)
{
    writer_u16(&change->pieces, (uint16_t)offset);
    writer_u8(&change->pieces, (uint8_t)octets.len);
    writer_copy(&change->pieces, octets);
}

static bool is_taken(const struct uicc_change *change, unsigned page)
{
    for (unsigned i = 0; i < change->taken_count; i++) {
        if (change->taken[i].page == page)
            return true;
    }
    return false;
}

// The first page that bears no chunk and is not given away in this change.
static unsigned page_free(const struct uicc_change *change)
{
    struct bytes octets;
    for (unsigned page = 0; page < UICC_CHUNKS; page++) {
        unsigned used = page;
        bool is_used = chunk_next(&change->store, &used, &octets) && used == page;
        if (!is_used && !is_taken(change, page))
            return page;
    }
    return UICC_CHUNKS;
}

// A chunk that is not there yet is written whole, so that nothing of a former one shows.
static void put_new(struct uicc_change *change, const uint8_t head[UICC_CHUNK_HEAD],
                    struct uicc_place place, struct bytes octets)
{
    unsigned page = page_free(change);
    if (page == UICC_CHUNKS || change->taken_count == UICC_CHANGE_CHUNKS) {
        change->is_full = true;
        return;
    }
    uint8_t whole[NVM_PAGE_LEN];
    memset(whole, NVM_ERASED, sizeof whole);
    memcpy(whole, head, UICC_CHUNK_HEAD);
    memcpy(whole + UICC_CHUNK_HEAD + place.at % UICC_CHUNK_LEN, octets.at, octets.len);
    piece(change, chunk_offset(page), bytes_of(whole, sizeof whole));
    memcpy(change->taken[change->taken_count].head, head, UICC_CHUNK_HEAD);
    change->taken[change->taken_count].page = (uint8_t)page;
    change->taken_count++;
}

static void put_in_chunk(struct uicc_change *change, struct uicc_place place, struct bytes octets)
{
    uint8_t head[UICC_CHUNK_HEAD];
    head_write(head, place);
    unsigned page;
    struct bytes found;
    bool is_there = chunk_find(&change->store, place, &page, &found);
    for (unsigned i = 0; !is_there && i < change->taken_count; i++) {
        is_there = memcmp(change->taken[i].head, head, sizeof head) == 0;
        page = change->taken[i].page;
    }
    if (is_there)
        piece(change, chunk_offset(page) + UICC_CHUNK_HEAD + place.at % UICC_CHUNK_LEN, octets);
    else
        put_new(change, head, place, octets);
}

void uicc_change_put(struct uicc_change *change, struct uicc_place place, struct bytes octets)
{
    check(place.at + octets.len <= UICC_SPACE_LEN);
    for (size_t done = 0; done < octets.len;) {
        size_t here = length_in_chunk(place.at, octets.len - done);
        put_in_chunk(change, place, bytes_of(octets.at + done, here));
        place.at = (uint16_t)(place.at + here);
        done += here;
    }
}

static enum nvm_result apply(const struct uicc_store *store, struct bytes pieces)
{
    struct reader r = reader_of(pieces);
    while (r.left > 0) {
        uint16_t offset = reader_u16(&r);
        struct bytes octets = reader_bytes(&r, reader_u8(&r));
        if (r.failed || offset < UICC_JOURNAL_LEN || offset + octets.len > UICC_STORE_LEN)
            return NVM_FAILED;
        enum nvm_result result =
            nvm_write(store->nvm, store->offset + offset, octets.at, octets.len);
        if (result != NVM_OK)
            return result;
    }
    return NVM_OK;
}

static enum nvm_result clear(const struct uicc_store *store)
{
    return nvm_erase(store->nvm, store->offset, UICC_JOURNAL_LEN);
}

static bool reserve(const struct uicc_store *store, struct bytes pieces)
{
    if (!nvm_reserve(store->nvm, store->offset, JOURNAL_HEAD + pieces.len))
        return false;
    struct reader r = reader_of(pieces);
    while (r.left > 0) {
        uint16_t offset = reader_u16(&r);
        size_t len = reader_u8(&r);
        reader_skip(&r, len);
        if (!nvm_reserve(store->nvm, store->offset + offset, len))
            return false;
    }
    return true;
}

enum nvm_result uicc_change_commit(struct uicc_change *change)
{
    const struct uicc_store *store = &change->store;
    struct bytes pieces = writer_bytes(&change->pieces);
    if (change->is_full || change->pieces.failed || !reserve(store, pieces))
        return NVM_FAILED;
    if (pieces.len == 0)
        return NVM_OK;
    uint8_t head[JOURNAL_HEAD];
    struct writer w = writer_of(head, sizeof head);
    uint8_t length[] = {(uint8_t)(pieces.len >> 8), (uint8_t)pieces.len};
    writer_u8(&w, JOURNAL_MARKER);
    writer_u32(&w, crc32_add(crc32_add(0, bytes_of(length, 2)), pieces));
    writer_copy(&w, bytes_of(length, 2));
    enum nvm_result result =
        nvm_write(store->nvm, store->offset + JOURNAL_HEAD, pieces.at, pieces.len);
    if (result == NVM_OK)
        result = nvm_write(store->nvm, store->offset + 1, head + 1, sizeof head - 1);
    if (result == NVM_OK)
        result = nvm_write(store->nvm, store->offset, head, 1);
    if (result == NVM_OK)
        result = apply(store, pieces);
    if (result == NVM_OK)
        result = clear(store);
    return result;
}

void uicc_store_mount(const struct uicc_store *store)
{
    uint8_t octets[UICC_JOURNAL_LEN];
    nvm_read(store->nvm, store->offset, octets, 1);
    if (octets[0] == NVM_ERASED)
        return;
    nvm_read(store->nvm, store->offset, octets, sizeof octets);
    struct reader r = reader_of(bytes_of(octets, sizeof octets));
    uint8_t marker = reader_u8(&r);
    uint32_t crc = reader_u32(&r);
    size_t len = (size_t)r.at[0] << 8 | r.at[1];
    bool is_whole = marker == JOURNAL_MARKER && len <= UICC_CHANGE_MAX &&
                    crc32_add(0, bytes_of(r.at, 2 + len)) == crc;
    // A cut in here leaves the journal for the next start.
    if (!is_whole || apply(store, bytes_of(r.at + 2, len)) == NVM_OK)
        (void)clear(store);
}
