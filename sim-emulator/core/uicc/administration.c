// Files activated, created, deleted and given another size.
#include "common/base/check.h"
#include "sim-emulator/core/uicc/made.h"

// Chunks that new files leave free: what PINs, counters, location, keys and a message or two of the
// card itself take.
#define RESERVE 24

#define CHUNKS_OF(octets) (((octets) + UICC_CHUNK_LEN - 1) / UICC_CHUNK_LEN)

bool uicc_is_active(const struct uicc_files *files, const struct uicc_file *file)
{
    if (files->is_plain || file->reference == UICC_NO_FILE)
        return true;
    return file->origin != NULL ? !uicc_is_flagged(&files->store, UICC_DEACTIVATED, file->origin)
                                : uicc_made_is_active(&files->store, file->number);
}

static enum nvm_result commit(struct uicc_files *files, struct uicc_change *change)
{
    enum nvm_result result = uicc_change_commit(change);
    if (result == NVM_OK)
        files->is_plain = false;
    return result;
}

enum nvm_result uicc_set_active(struct uicc_files *files, const struct uicc_file *file,
                                bool is_active)
{
    struct uicc_change change;
    uicc_change_begin(&change, &files->store);
    if (file->origin != NULL)
        uicc_flag_put(&change, UICC_DEACTIVATED, file->origin, !is_active);
    else
        uicc_made_put_active(&change, file->number, is_active);
    return commit(files, &change);
}

// --- what is left over -----------------------------------------------------------------------

// What a start looks for: chunks that are nobody's.
struct cleaning {
    const struct uicc_files *files;
    uint8_t nameless; // space of the enabled slot, when it does not bear its owner's name; or 0
    unsigned count;
    struct {
        uint16_t from;
        uint16_t to;
    } covered[UICC_CREATED_MAX]; // by files
};

static size_t octets_of(const struct uicc_row *row)
{
    return row->size + (row->kind == UICC_CYCLIC ? 1U : 0U);
}

static bool is_left_over(const void *context, struct uicc_place first)
{
    const struct cleaning *c = context;
    if (first.space == c->nameless)
        return true;
    if (first.space == UICC_OF_GENERATION && first.generation != c->files->generation)
        return true;
    if (first.at < UICC_CREATED_AT)
        return false;
    for (unsigned i = 0; i < c->count; i++) {
        if (first.at >= c->covered[i].from && first.at < c->covered[i].to)
            return false;
    }
    return true;
}

static void clean(const struct uicc_files *files, uint8_t nameless)
{
    struct cleaning c = {.files = files, .nameless = nameless};
    struct uicc_file made;
    for (unsigned i = 0; i < UICC_CREATED_MAX && !files->is_plain; i++) {
        if (!uicc_made_read(&files->store, i, &made))
            continue;
        c.covered[c.count].from = made.row->at;
        c.covered[c.count].to = (uint16_t)(made.row->at + octets_of(made.row));
        c.count++;
    }
    uicc_store_drop(&files->store, is_left_over, &c);
}

void uicc_files_mount(const struct uicc_files *files)
{
    uint8_t owner[COMMAND_IMSI_SIZE];
    struct uicc_place name = uicc_owner_place(files);
    bool is_named = uicc_store_read(&files->store, name, owner, sizeof owner);
    // Without a name it is what a drop that was cut off left.
    bool is_other = !is_named || memcmp(owner, files->owner, sizeof owner) != 0;
    clean(files, is_other ? name.space : 0);
}

size_t uicc_files_free(const struct uicc_files *files)
{
    size_t chunks = uicc_store_free(&files->store);
    return chunks > RESERVE ? (chunks - RESERVE) * UICC_CHUNK_LEN : 0;
}

// --- creating and resizing -------------------------------------------------------------------

// The lowest place where `size` octets do not touch those of another file. Files begin chunks, so
// that none finds what another one left.
static bool place_free(const struct uicc_files *files, size_t size, uint16_t *at)
{
    size_t candidate = UICC_CREATED_AT;
    struct uicc_file other;
    for (unsigned tries = 0; tries <= UICC_CREATED_MAX; tries++) {
        bool is_free = true;
        for (unsigned i = 0; i < UICC_CREATED_MAX && is_free; i++) {
            if (!uicc_made_read(&files->store, i, &other) || other.row->size == 0)
                continue;
            size_t end = other.row->at + CHUNKS_OF(octets_of(other.row)) * UICC_CHUNK_LEN;
            if (candidate < end && other.row->at < candidate + size) {
                candidate = end;
                is_free = false;
            }
        }
        if (is_free) {
            *at = (uint16_t)candidate;
            return candidate + size <= UICC_SPACE_LEN;
        }
    }
    return false;
}

// A file that nobody sees yet: what its chunks begin with.
struct making {
    struct uicc_files files; // at one of the subscriptions
    struct uicc_row row;
    const struct uicc_file *from; // NULL: a new file
    struct bytes fill;            // of a new one; its last octet repeated
};

// The octets of a chunk as they are stored; false when it does not need one. Created files have all
// of theirs, so that they can always be written.
static bool first_octets(const struct making *m, size_t offset, size_t len,
                         uint8_t octets[UICC_CHUNK_LEN])
{
    const struct uicc_file *from = m->from;
    bool is_needed = from == NULL || from->origin == NULL;
    memset(octets, NVM_ERASED, UICC_CHUNK_LEN);
    for (size_t i = 0; i < len && m->fill.len > 0 && offset + i < m->row.size; i++)
        octets[i] = m->fill.at[offset + i < m->fill.len ? offset + i : m->fill.len - 1];
    if (from == NULL || offset >= from->row->size)
        return is_needed;
    size_t kept = from->row->size - offset;
    return uicc_store_read(&m->files.store, uicc_place_of(&m->files, from->row, offset), octets,
                           kept < len ? kept : len) ||
           is_needed;
}

// Writes the file, or with `count` only counts the chunks that it takes.
static enum nvm_result write_first(const struct making *m, size_t *count)
{
    for (size_t offset = 0; offset < octets_of(&m->row); offset += UICC_CHUNK_LEN) {
        uint8_t octets[UICC_CHUNK_LEN];
        size_t len = octets_of(&m->row) - offset;
        len = len < UICC_CHUNK_LEN ? len : UICC_CHUNK_LEN;
        if (!first_octets(m, offset, len, octets))
            continue;
        if (count != NULL) {
            (*count)++;
            continue;
        }
        struct uicc_change change;
        uicc_change_begin(&change, &m->files.store);
        uicc_change_put(&change, uicc_place_of(&m->files, &m->row, offset), bytes_of(octets, len));
        enum nvm_result result = uicc_change_commit(&change);
        if (result != NVM_OK)
            return result;
    }
    return NVM_OK;
}

// Of every subscription, if the file is theirs.
static enum nvm_result write_all(struct making *m, size_t *count)
{
    uint8_t slots = m->row.owner == UICC_OWNER_SUBSCRIPTION ? COMMAND_SLOTS_MAX : 1;
    enum nvm_result result = NVM_OK;
    for (uint8_t i = 0; i < slots && result == NVM_OK; i++) {
        m->files.slot_index = i;
        result = write_first(m, count);
    }
    return result;
}

// Makes the file of `m`, which stands in record `number` from then on.
static enum uicc_create make(struct uicc_files *files, struct making *m, unsigned number,
                             uint8_t folder)
{
    size_t needed = 0;
    if (!place_free(files, octets_of(&m->row), &m->row.at))
        return UICC_NO_ROOM;
    (void)write_all(m, &needed);
    if (needed * UICC_CHUNK_LEN > uicc_files_free(files))
        return UICC_NO_ROOM;
    enum nvm_result result = write_all(m, NULL);
    if (result == NVM_OK) {
        struct uicc_file file = {.folder = folder, .row = &m->row};
        if (m->from != NULL) {
            size_t kept = m->from->default_len;
            file.origin = m->from->origin;
            file.default_len = (uint16_t)(kept < m->row.size ? kept : m->row.size);
        }
        struct uicc_change change;
        uicc_change_begin(&change, &files->store);
        uicc_made_put(&change, number, &file);
        if (file.origin != NULL)
            uicc_flag_put(&change, UICC_DELETED, file.origin, true);
        result = commit(files, &change);
    }
    if (result == NVM_CUT)
        return UICC_CREATE_CUT;
    clean(files, 0); // of the former place, or of this one
    return result == NVM_OK ? UICC_CREATED : UICC_CREATE_FAILED;
}

static unsigned record_free(const struct uicc_files *files)
{
    struct uicc_file made;
    unsigned number = 0;
    while (number < UICC_CREATED_MAX && uicc_made_read(&files->store, number, &made))
        number++;
    return number;
}

enum uicc_create uicc_create(struct uicc_files *files, uint8_t folder, const struct uicc_row *like,
                             struct bytes fill, struct uicc_file *out)
{
    if (uicc_find(files, folder, like->identifier, out) ||
        (like->short_identifier != 0 && like->kind != UICC_FOLDER &&
         uicc_find_short(files, folder, like->short_identifier, out)))
        return UICC_EXISTS;
    unsigned number = record_free(files);
    if (number == UICC_CREATED_MAX)
        return UICC_NO_ROOM;
    struct making m = {.files = *files, .row = *like, .fill = fill};
    enum uicc_create result = make(files, &m, number, folder);
    if (result == UICC_CREATED)
        check(uicc_made_read(&files->store, number, out));
    return result;
}

enum uicc_create uicc_resize(struct uicc_files *files, struct uicc_file *file, uint16_t size)
{
    unsigned number = file->number != UICC_NOT_MADE ? file->number : record_free(files);
    if (number == UICC_CREATED_MAX)
        return UICC_NO_ROOM;
    struct making m = {.files = *files, .row = *file->row, .from = file};
    m.row.size = size;
    enum uicc_create result = make(files, &m, number, file->folder);
    if (result == UICC_CREATED)
        check(uicc_open(files, file->reference, file));
    return result;
}

// --- deleting --------------------------------------------------------------------------------

// Whether the rules of all files of the MF or of an application stand in it.
static bool is_rules(const struct uicc_file *file)
{
    if (file->folder == UICC_MF)
        return file->identifier == UICC_ID_ARR_MF;
    return uicc_application(file->folder).len > 0 && file->identifier == UICC_ID_ARR_ADF;
}

bool uicc_may_delete(const struct uicc_files *files, const struct uicc_file *file)
{
    if (file->reference == UICC_NO_FILE || is_rules(file))
        return false;
    if (file->row->kind != UICC_FOLDER)
        return true;
    struct uicc_file inside;
    for (unsigned i = 0; i < UICC_CREATED_MAX; i++) {
        if (uicc_made_read(&files->store, i, &inside) && inside.folder == file->row->opens)
            return false;
    }
    return file->origin == NULL;
}

enum nvm_result uicc_delete(struct uicc_files *files, const struct uicc_file *file)
{
    struct uicc_change change;
    uicc_change_begin(&change, &files->store);
    if (file->number != UICC_NOT_MADE)
        uicc_made_put_gone(&change, file->number);
    else
        uicc_flag_put(&change, UICC_DELETED, file->origin, true);
    enum nvm_result result = commit(files, &change);
    if (result == NVM_OK)
        clean(files, 0);
    return result;
}
