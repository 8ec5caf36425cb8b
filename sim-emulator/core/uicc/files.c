#include "sim-emulator/core/uicc/files.h"

#include "common/base/check.h"
#include "common/base/secret.h"

// References: a folder of the table and a row in it from 1; or a created file.
#define CREATED 0x8000
// Folders: those of the table; then the created ones.
#define CREATED_FOLDER 0x40
#define CREATED_MARK 0x5E
#define CREATED_ACTIVE 0x01 // bit of the second octet

#define PLACE_OF(member) offsetof(struct uicc_layout, member)

static struct uicc_place card_place(size_t at)
{
    return (struct uicc_place){.space = UICC_OF_CARD, .at = (uint16_t)at};
}

// --- flags -----------------------------------------------------------------------------------

// A bit that reads 0 was set.
static bool is_flagged(const struct uicc_files *files, size_t at, uint16_t reference)
{
    unsigned bit = (unsigned)(reference >> 8) * 64 + (reference & 0xFF) - 1;
    uint8_t octet;
    return uicc_store_read(&files->store, card_place(at + bit / 8), &octet, 1) &&
           (octet & 1U << bit % 8) == 0;
}

static void put_flag(const struct uicc_files *files, struct uicc_change *change, size_t at,
                     uint16_t reference, bool is_set)
{
    unsigned bit = (unsigned)(reference >> 8) * 64 + (reference & 0xFF) - 1;
    uint8_t octet = NVM_ERASED;
    (void)uicc_store_read(&files->store, card_place(at + bit / 8), &octet, 1);
    octet = (uint8_t)(is_set ? octet & ~(1U << bit % 8) : octet | 1U << bit % 8);
    uicc_change_put(change, card_place(at + bit / 8), bytes_of(&octet, 1));
}

// --- created files ---------------------------------------------------------------------------

// One takes: mark, state, folder it lies in, kind, identifier(2), short identifier, record length,
// rule, owner, size(2), place(2).
struct created {
    uint8_t octets[UICC_CREATED_LEN];
};

static size_t created_at(unsigned number)
{
    return PLACE_OF(created) + number * UICC_CREATED_LEN;
}

static bool created_read(const struct uicc_files *files, unsigned number, struct uicc_file *out)
{
    uint8_t octets[UICC_CREATED_LEN];
    if (!uicc_store_read(&files->store, card_place(created_at(number)), octets, sizeof octets) ||
        octets[0] != CREATED_MARK)
        return false;
    struct reader r = reader_of(bytes_of(octets + 2, sizeof octets - 2));
    *out = (struct uicc_file){.reference = (uint16_t)(CREATED + number), .folder = reader_u8(&r)};
    out->made.name = "";
    out->made.kind = reader_u8(&r);
    out->made.identifier = reader_u16(&r);
    out->made.short_identifier = reader_u8(&r);
    out->made.record_len = reader_u8(&r);
    out->made.rule = reader_u8(&r);
    out->made.owner = reader_u8(&r);
    out->made.size = reader_u16(&r);
    out->made.at = reader_u16(&r);
    out->made.opens = (uint8_t)(CREATED_FOLDER + number);
    out->identifier = out->made.identifier;
    out->row = &out->made;
    return true;
}

static void put_created(struct uicc_change *change, unsigned number, uint8_t folder,
                        const struct uicc_row *row)
{
    uint8_t octets[UICC_CREATED_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u8(&w, CREATED_MARK);
    writer_u8(&w, CREATED_ACTIVE);
    writer_u8(&w, folder);
    writer_u8(&w, row->kind);
    writer_u16(&w, row->identifier);
    writer_u8(&w, row->short_identifier);
    writer_u8(&w, row->record_len);
    writer_u8(&w, row->rule);
    writer_u8(&w, row->owner);
    writer_u16(&w, row->size);
    writer_u16(&w, row->at);
    writer_fill(&w, NVM_ERASED, writer_room(&w));
    uicc_change_put(change, card_place(created_at(number)), writer_bytes(&w));
}

void uicc_files_look(struct uicc_files *files)
{
    uint8_t octets[256];
    files->is_plain =
        !uicc_store_read(&files->store, card_place(PLACE_OF(deactivated)), octets,
                         UICC_FLAGS_LEN) &&
        !uicc_store_read(&files->store, card_place(PLACE_OF(deleted)), octets, UICC_FLAGS_LEN) &&
        !uicc_store_read(&files->store, card_place(PLACE_OF(created)), octets, 256);
}

// --- finding ---------------------------------------------------------------------------------

static void take_row(uint8_t folder, unsigned index, struct uicc_file *out)
{
    const struct uicc_row *row = &uicc_rows((enum uicc_folder)folder).at[index];
    out->reference = (uint16_t)(folder << 8 | (index + 1));
    out->identifier = row->identifier;
    out->folder = folder;
    out->row = row->link != NULL ? row->link : row;
}

static bool is_there(const struct uicc_files *files, const struct uicc_file *file)
{
    return files->is_plain || !is_flagged(files, PLACE_OF(deleted), file->reference);
}

bool uicc_find(const struct uicc_files *files, uint8_t folder, uint16_t identifier,
               struct uicc_file *out)
{
    struct uicc_rows rows = {.count = 0};
    if (folder < UICC_FOLDERS)
        rows = uicc_rows((enum uicc_folder)folder);
    for (unsigned i = 0; i < rows.count; i++) {
        if (rows.at[i].identifier != identifier)
            continue;
        take_row(folder, i, out);
        if (is_there(files, out))
            return true;
    }
    for (unsigned i = 0; !files->is_plain && i < UICC_CREATED_MAX; i++) {
        if (created_read(files, i, out) && out->folder == folder && out->identifier == identifier)
            return true;
    }
    return false;
}

bool uicc_find_short(const struct uicc_files *files, uint8_t folder, uint8_t short_identifier,
                     struct uicc_file *out)
{
    struct uicc_rows rows = {.count = 0};
    if (folder < UICC_FOLDERS)
        rows = uicc_rows((enum uicc_folder)folder);
    for (unsigned i = 0; i < rows.count; i++) {
        if (rows.at[i].short_identifier != short_identifier || rows.at[i].kind == UICC_FOLDER)
            continue;
        take_row(folder, i, out);
        if (is_there(files, out))
            return true;
    }
    for (unsigned i = 0; !files->is_plain && i < UICC_CREATED_MAX; i++) {
        if (created_read(files, i, out) && out->folder == folder &&
            out->row->short_identifier == short_identifier)
            return true;
    }
    return false;
}

bool uicc_open(const struct uicc_files *files, uint16_t reference, struct uicc_file *out)
{
    if (reference == UICC_NO_FILE)
        return false;
    if ((reference & CREATED) != 0)
        return created_read(files, reference & 0xFF, out);
    take_row((uint8_t)(reference >> 8), (reference & 0xFFU) - 1, out);
    return is_there(files, out);
}

bool uicc_open_folder(const struct uicc_files *files, uint8_t folder, struct uicc_file *out)
{
    if (folder >= CREATED_FOLDER)
        return created_read(files, folder - CREATED_FOLDER, out);
    const struct uicc_row *row = uicc_folder_row((enum uicc_folder)folder);
    if (folder != UICC_MF)
        return uicc_find(files, uicc_folder_parent((enum uicc_folder)folder), row->identifier, out);
    *out = (struct uicc_file){.identifier = row->identifier, .folder = UICC_NO_FOLDER, .row = row};
    return true;
}

uint8_t uicc_parent(const struct uicc_files *files, uint8_t folder)
{
    struct uicc_file file;
    if (folder < CREATED_FOLDER)
        return (uint8_t)uicc_folder_parent((enum uicc_folder)folder);
    return created_read(files, folder - CREATED_FOLDER, &file) ? file.folder : UICC_MF;
}

bool uicc_is_in_usim(const struct uicc_files *files, uint8_t folder)
{
    // Not deeper than all created folders one in the other.
    for (unsigned i = 0; i < UICC_CREATED_MAX + 2U && folder != UICC_MF; i++) {
        if (folder == UICC_USIM)
            return true;
        folder = uicc_parent(files, folder);
    }
    return false;
}

// --- content ---------------------------------------------------------------------------------

static struct uicc_place place_of(const struct uicc_files *files, const struct uicc_row *row,
                                  size_t offset)
{
    struct uicc_place place = card_place(row->at + offset);
    if (row->owner == UICC_OWNER_SUBSCRIPTION)
        place.space = (uint8_t)(UICC_OF_SLOT + files->slot_index);
    if (row->owner == UICC_OWNER_GENERATION) {
        place.space = UICC_OF_GENERATION;
        place.generation = files->generation;
    }
    return place;
}

static struct uicc_place owner_place(const struct uicc_files *files)
{
    struct uicc_place place = card_place(PLACE_OF(owner));
    place.space = (uint8_t)(UICC_OF_SLOT + files->slot_index);
    return place;
}

void uicc_files_mount(const struct uicc_files *files)
{
    uint8_t owner[COMMAND_IMSI_SIZE];
    struct uicc_place name = owner_place(files);
    bool is_named = uicc_store_read(&files->store, name, owner, sizeof owner);
    // Without a name it is what a drop that was cut off left.
    if (!is_named || memcmp(owner, files->owner, sizeof owner) != 0)
        uicc_store_drop(&files->store, name.space, UICC_NO_GENERATION);
    uicc_store_drop(&files->store, UICC_OF_GENERATION, files->generation);
}

enum uicc_watched uicc_watched(const struct uicc_file *file)
{
    switch (file->row->at) {
    case PLACE_OF(imsi):
        return UICC_WATCHED_IMSI;
    case PLACE_OF(loci):
        return file->row->kind == UICC_FOLDER ? UICC_WATCHED_NOT : UICC_WATCHED_LOCI;
    case PLACE_OF(epsloci):
        return UICC_WATCHED_EPSLOCI;
    default: // octets
        return UICC_WATCHED_NOT;
    }
}

static bool view_content(const struct uicc_files *files, const struct uicc_row *row,
                         uint8_t content[UICC_VIEW_MAX])
{
    struct applet_subscription view;
    if (!applet_subscription(files->applet, files->port, &view))
        return false;
    struct uicc_source source = {.subscription = &view, .factory = files->port->factory};
    struct writer w = writer_of(content, row->size);
    row->view(&source, &w);
    writer_fill(&w, NVM_ERASED, writer_room(&w));
    secret_wipe(&view.slot.keys, sizeof view.slot.keys);
    return true;
}

static bool default_content(const struct uicc_files *files, const struct uicc_row *row,
                            size_t offset, uint8_t *to, size_t len)
{
    struct bytes content = row->content;
    bool is_view = row->view != NULL;
    for (size_t i = 0; i < files->overrides.count; i++) {
        if (files->overrides.at[i].row == row) {
            content = files->overrides.at[i].content;
            is_view = false;
        }
    }
    uint8_t viewed[UICC_VIEW_MAX];
    if (is_view && !view_content(files, row, viewed))
        return false;
    if (is_view)
        content = bytes_of(viewed, row->size);
    bool is_repeated = row->record_len != 0 && content.len <= row->record_len;
    if (!is_repeated) {
        struct bytes part = bytes_slice(content, offset, len);
        if (part.len > 0)
            memcpy(to, part.at, part.len);
        memset(to + part.len, NVM_ERASED, len - part.len);
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        size_t at = (offset + i) % row->record_len;
        to[i] = at < content.len ? content.at[at] : NVM_ERASED;
    }
    return true;
}

bool uicc_read(const struct uicc_files *files, const struct uicc_file *file, size_t offset,
               uint8_t *to, size_t len)
{
    const struct uicc_row *row = file->row;
    check(offset + len <= row->size && len <= 256);
    if (!default_content(files, row, offset, to, len))
        return false;
    // Stored is the difference from the default, so that erased memory reads as the default.
    uint8_t stored[256];
    if (uicc_store_read(&files->store, place_of(files, row, offset), stored, len)) {
        for (size_t i = 0; i < len; i++)
            to[i] ^= (uint8_t)(stored[i] ^ NVM_ERASED);
    }
    return true;
}

bool uicc_put(const struct uicc_files *files, struct uicc_change *change,
              const struct uicc_file *file, size_t offset, struct bytes octets)
{
    const struct uicc_row *row = file->row;
    check(offset + octets.len <= row->size && octets.len <= 256);
    uint8_t stored[256];
    if (!default_content(files, row, offset, stored, octets.len))
        return false;
    for (size_t i = 0; i < octets.len; i++)
        stored[i] ^= (uint8_t)(octets.at[i] ^ NVM_ERASED);
    // The first octets of a subscription bring its name with them.
    uint8_t owner[COMMAND_IMSI_SIZE];
    struct uicc_place name = owner_place(files);
    if (row->owner == UICC_OWNER_SUBSCRIPTION &&
        (!uicc_store_read(&files->store, name, owner, sizeof owner) ||
         memcmp(owner, files->owner, sizeof owner) != 0))
        uicc_change_put(change, name, bytes_of(files->owner, sizeof owner));
    uicc_change_put(change, place_of(files, row, offset), bytes_of(stored, octets.len));
    return true;
}

enum nvm_result uicc_update(const struct uicc_files *files, const struct uicc_file *file,
                            size_t offset, struct bytes octets)
{
    struct uicc_change change;
    uicc_change_begin(&change, &files->store);
    return uicc_put(files, &change, file, offset, octets) ? uicc_change_commit(&change)
                                                          : NVM_FAILED;
}

// --- records ---------------------------------------------------------------------------------

// The physical index of record 1, kept as its difference from FF.
static unsigned head_of(const struct uicc_files *files, const struct uicc_file *file)
{
    uint8_t head = NVM_ERASED;
    (void)uicc_store_read(&files->store, place_of(files, file->row, file->row->size), &head, 1);
    return (uint8_t)(head ^ NVM_ERASED) % uicc_record_count(file);
}

size_t uicc_record_offset(const struct uicc_files *files, const struct uicc_file *file,
                          unsigned record)
{
    unsigned index = record - 1;
    if (file->row->kind == UICC_CYCLIC)
        index = (index + head_of(files, file)) % uicc_record_count(file);
    return (size_t)index * file->row->record_len;
}

enum nvm_result uicc_append(const struct uicc_files *files, const struct uicc_file *file,
                            struct bytes record)
{
    unsigned count = uicc_record_count(file);
    unsigned index = (head_of(files, file) + count - 1) % count;
    uint8_t head = (uint8_t)(index ^ NVM_ERASED);
    struct uicc_change change;
    uicc_change_begin(&change, &files->store);
    if (!uicc_put(files, &change, file, (size_t)index * file->row->record_len, record))
        return NVM_FAILED;
    uicc_change_put(&change, place_of(files, file->row, file->row->size), bytes_of(&head, 1));
    return uicc_change_commit(&change);
}

struct bytes uicc_rule(const struct uicc_files *files, const struct uicc_file *file,
                       uint8_t octets[256])
{
    bool is_usim = file->folder != UICC_NO_FOLDER && uicc_is_in_usim(files, file->folder);
    struct uicc_file rules;
    if (!uicc_find(files, is_usim ? UICC_USIM : UICC_MF,
                   is_usim ? UICC_ID_ARR_USIM : UICC_ID_ARR_MF, &rules) ||
        file->row->rule == 0 || file->row->rule > uicc_record_count(&rules) ||
        !uicc_read(files, &rules, (size_t)(file->row->rule - 1) * rules.row->record_len, octets,
                   rules.row->record_len))
        return bytes_of(NULL, 0);
    return bytes_of(octets, rules.row->record_len);
}

// --- administration --------------------------------------------------------------------------

bool uicc_is_active(const struct uicc_files *files, const struct uicc_file *file)
{
    if (files->is_plain || file->reference == UICC_NO_FILE)
        return true;
    if ((file->reference & CREATED) == 0)
        return !is_flagged(files, PLACE_OF(deactivated), file->reference);
    uint8_t state = CREATED_ACTIVE;
    (void)uicc_store_read(&files->store, card_place(created_at(file->reference & 0xFF) + 1), &state,
                          1);
    return (state & CREATED_ACTIVE) != 0;
}

enum nvm_result uicc_set_active(struct uicc_files *files, const struct uicc_file *file,
                                bool is_active)
{
    struct uicc_change change;
    uicc_change_begin(&change, &files->store);
    uint8_t state = is_active ? CREATED_ACTIVE : 0;
    if ((file->reference & CREATED) != 0)
        uicc_change_put(&change, card_place(created_at(file->reference & 0xFF) + 1),
                        bytes_of(&state, 1));
    else
        put_flag(files, &change, PLACE_OF(deactivated), file->reference, !is_active);
    enum nvm_result result = uicc_change_commit(&change);
    if (result == NVM_OK)
        files->is_plain = false;
    return result;
}

// The lowest place where `size` octets do not touch those of another created file.
static bool place_free(const struct uicc_files *files, size_t size, uint16_t *at)
{
    size_t candidate = UICC_CREATED_AT;
    struct uicc_file other;
    for (unsigned tries = 0; tries <= UICC_CREATED_MAX; tries++) {
        bool is_free = true;
        for (unsigned i = 0; i < UICC_CREATED_MAX && is_free; i++) {
            if (!created_read(files, i, &other) || other.made.size == 0)
                continue;
            size_t end = (size_t)other.made.at + other.made.size + 1;
            if (candidate < end && other.made.at < candidate + size) {
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

static enum uicc_create created_as(enum nvm_result result)
{
    if (result == NVM_CUT)
        return UICC_CREATE_CUT;
    return result == NVM_OK ? UICC_CREATED : UICC_CREATE_FAILED;
}

// Content of a file that nobody sees yet: all of it, FF included, because something may have been
// there before. `from` NULL: the fill, its last octet repeated.
static enum nvm_result write_first(const struct uicc_files *files, const struct uicc_file *file,
                                   const struct uicc_file *from, struct bytes fill)
{
    for (size_t offset = 0; offset < file->row->size;) {
        uint8_t octets[128];
        size_t len = file->row->size - offset;
        len = len < sizeof octets ? len : sizeof octets;
        for (size_t i = 0; i < len; i++) {
            size_t at = offset + i < fill.len ? offset + i : fill.len - 1;
            octets[i] = fill.len == 0 ? NVM_ERASED : fill.at[at];
        }
        if (from != NULL && offset < from->row->size) {
            size_t kept = from->row->size - offset;
            if (!uicc_read(files, from, offset, octets, kept < len ? kept : len))
                return NVM_FAILED;
        }
        enum nvm_result result = uicc_update(files, file, offset, bytes_of(octets, len));
        if (result != NVM_OK)
            return result;
        offset += len;
    }
    uint8_t head = NVM_ERASED;
    struct uicc_change change;
    uicc_change_begin(&change, &files->store);
    if (file->row->kind == UICC_CYCLIC)
        uicc_change_put(&change, place_of(files, file->row, file->row->size), bytes_of(&head, 1));
    return uicc_change_commit(&change);
}

// `from` NULL: a new file. Otherwise one that takes the other's place.
static enum uicc_create make(struct uicc_files *files, uint8_t folder, const struct uicc_row *like,
                             const struct uicc_file *from, struct bytes fill, struct uicc_file *out)
{
    unsigned number = 0;
    while (number < UICC_CREATED_MAX && created_read(files, number, out))
        number++;
    struct uicc_row row = *like;
    row.view = NULL;
    row.content = bytes_of(NULL, 0);
    row.link = NULL;
    if (number == UICC_CREATED_MAX || !place_free(files, (size_t)row.size + 1, &row.at))
        return UICC_NO_ROOM;
    struct uicc_file hidden = {.folder = folder, .row = &row};
    enum nvm_result result = write_first(files, &hidden, from, fill);
    if (result == NVM_FAILED)
        return UICC_NO_ROOM;
    struct uicc_change change;
    uicc_change_begin(&change, &files->store);
    put_created(&change, number, folder, &row);
    if (from != NULL && (from->reference & CREATED) != 0) {
        uint8_t gone = NVM_ERASED;
        uicc_change_put(&change, card_place(created_at(from->reference & 0xFF)),
                        bytes_of(&gone, 1));
    } else if (from != NULL) {
        put_flag(files, &change, PLACE_OF(deleted), from->reference, true);
    }
    if (result == NVM_OK)
        result = uicc_change_commit(&change);
    if (result != NVM_OK)
        return created_as(result);
    files->is_plain = false;
    return created_read(files, number, out) ? UICC_CREATED : UICC_CREATE_FAILED;
}

enum uicc_create uicc_create(struct uicc_files *files, uint8_t folder, const struct uicc_row *like,
                             struct bytes fill, struct uicc_file *out)
{
    if (uicc_find(files, folder, like->identifier, out) ||
        (like->short_identifier != 0 && like->kind != UICC_FOLDER &&
         uicc_find_short(files, folder, like->short_identifier, out)))
        return UICC_EXISTS;
    return make(files, folder, like, NULL, fill, out);
}

enum uicc_create uicc_resize(struct uicc_files *files, const struct uicc_file *file, uint16_t size,
                             struct uicc_file *out)
{
    struct uicc_row row = *file->row;
    row.identifier = file->identifier;
    row.size = size;
    return make(files, file->folder, &row, file, bytes_of(NULL, 0), out);
}

bool uicc_may_delete(const struct uicc_files *files, const struct uicc_file *file)
{
    if (file->reference == UICC_NO_FILE)
        return false;
    if (file->row->kind != UICC_FOLDER)
        return true;
    struct uicc_file inside;
    for (unsigned i = 0; i < UICC_CREATED_MAX; i++) {
        if (created_read(files, i, &inside) && inside.folder == file->row->opens)
            return false;
    }
    return (file->reference & CREATED) != 0;
}

enum nvm_result uicc_delete(struct uicc_files *files, const struct uicc_file *file)
{
    const uint8_t gone = NVM_ERASED;
    struct uicc_change change;
    uicc_change_begin(&change, &files->store);
    if ((file->reference & CREATED) != 0)
        uicc_change_put(&change, card_place(created_at(file->reference & 0xFF)),
                        bytes_of(&gone, 1));
    else
        put_flag(files, &change, PLACE_OF(deleted), file->reference, true);
    enum nvm_result result = uicc_change_commit(&change);
    if (result == NVM_OK)
        files->is_plain = false;
    return result;
}
