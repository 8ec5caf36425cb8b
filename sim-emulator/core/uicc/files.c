#include "sim-emulator/core/uicc/files.h"

#include "common/base/check.h"
#include "common/base/secret.h"
#include "sim-emulator/core/uicc/made.h"

#define PLACE_OF(member) offsetof(struct uicc_layout, member)

void uicc_files_look(struct uicc_files *files)
{
    files->is_plain = uicc_made_nothing(&files->store);
}

// --- finding ---------------------------------------------------------------------------------

// Row `index` of a folder of the table, from 0; false when it was deleted. A link is the file that
// it names, and so is what took that file's place when it was resized.
static bool take_row(const struct uicc_files *files, uint8_t folder, unsigned index,
                     struct uicc_file *out)
{
    const struct uicc_row *row = &uicc_rows((enum uicc_folder)folder).at[index];
    const struct uicc_row *origin = row->link != NULL ? row->link : row;
    bool is_there = files->is_plain || !uicc_is_flagged(&files->store, UICC_DELETED, origin);
    bool is_resized = !is_there && uicc_made_find(&files->store, origin, out);
    if (!is_resized) {
        out->number = UICC_NOT_MADE;
        out->row = origin;
        out->origin = origin;
        out->default_len = origin->size;
    }
    out->reference = (uint16_t)(folder << 8 | (index + 1));
    out->identifier = row->identifier;
    out->folder = folder;
    return is_there || is_resized;
}

// The next file that an administrator created in a folder, from record `*number` on.
static bool next_created(const struct uicc_files *files, uint8_t folder, unsigned *number,
                         struct uicc_file *out)
{
    for (; !files->is_plain && *number < UICC_CREATED_MAX; (*number)++) {
        if (uicc_made_read(&files->store, *number, out) && out->origin == NULL &&
            out->folder == folder)
            return true;
    }
    return false;
}

bool uicc_find(const struct uicc_files *files, uint8_t folder, uint16_t identifier,
               struct uicc_file *out)
{
    struct uicc_rows rows = {.count = 0};
    if (folder < UICC_FOLDERS)
        rows = uicc_rows((enum uicc_folder)folder);
    for (unsigned i = 0; i < rows.count; i++) {
        if (rows.at[i].identifier == identifier && take_row(files, folder, i, out))
            return true;
    }
    for (unsigned i = 0; next_created(files, folder, &i, out); i++) {
        if (out->identifier == identifier)
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
        if (rows.at[i].short_identifier == short_identifier && rows.at[i].kind != UICC_FOLDER &&
            take_row(files, folder, i, out))
            return true;
    }
    for (unsigned i = 0; next_created(files, folder, &i, out); i++) {
        if (out->row->short_identifier == short_identifier && out->row->kind != UICC_FOLDER)
            return true;
    }
    return false;
}

bool uicc_open(const struct uicc_files *files, uint16_t reference, struct uicc_file *out)
{
    if (reference == UICC_NO_FILE)
        return false;
    if ((reference & UICC_MADE_REFERENCE) != 0)
        return uicc_made_read(&files->store, reference & 0xFF, out);
    return take_row(files, (uint8_t)(reference >> 8), (reference & 0xFFU) - 1, out);
}

bool uicc_open_folder(const struct uicc_files *files, uint8_t folder, struct uicc_file *out)
{
    if (folder >= UICC_MADE_FOLDER)
        return uicc_made_read(&files->store, folder - UICC_MADE_FOLDER, out);
    const struct uicc_row *row = uicc_folder_row((enum uicc_folder)folder);
    if (folder != UICC_MF)
        return uicc_find(files, uicc_folder_parent((enum uicc_folder)folder), row->identifier, out);
    *out = (struct uicc_file){.identifier = row->identifier,
                              .folder = UICC_NO_FOLDER,
                              .number = UICC_NOT_MADE,
                              .row = row,
                              .origin = row};
    return true;
}

uint8_t uicc_parent(const struct uicc_files *files, uint8_t folder)
{
    struct uicc_file file;
    if (folder < UICC_MADE_FOLDER)
        return (uint8_t)uicc_folder_parent((enum uicc_folder)folder);
    return uicc_made_read(&files->store, folder - UICC_MADE_FOLDER, &file) ? file.folder : UICC_MF;
}

uint8_t uicc_application_of(const struct uicc_files *files, uint8_t folder)
{
    // Not deeper than all created folders one in the other.
    for (unsigned i = 0; i < UICC_CREATED_MAX + 2U && folder != UICC_MF; i++) {
        if (uicc_application(folder).len > 0)
            return folder;
        folder = uicc_parent(files, folder);
    }
    return UICC_MF;
}

// --- content ---------------------------------------------------------------------------------

struct uicc_place uicc_place_of(const struct uicc_files *files, const struct uicc_row *row,
                                size_t offset)
{
    struct uicc_place place = {.space = UICC_OF_CARD, .at = (uint16_t)(row->at + offset)};
    if (row->owner == UICC_OWNER_SUBSCRIPTION)
        place.space = (uint8_t)(UICC_OF_SLOT + files->slot_index);
    if (row->owner == UICC_OWNER_GENERATION) {
        place.space = UICC_OF_GENERATION;
        place.generation = files->generation;
    }
    return place;
}

struct uicc_place uicc_owner_place(const struct uicc_files *files)
{
    return (struct uicc_place){.space = (uint8_t)(UICC_OF_SLOT + files->slot_index),
                               .at = PLACE_OF(owner)};
}

enum uicc_watched uicc_watched(const struct uicc_file *file)
{
    if (file->origin == NULL || file->row->kind == UICC_FOLDER)
        return UICC_WATCHED_NOT;
    switch (file->origin->at) {
    case PLACE_OF(imsi):
        return UICC_WATCHED_IMSI;
    case PLACE_OF(loci):
        return UICC_WATCHED_LOCI;
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

// The default is that of the table, also for a file that was resized, as far as it was never cut
// off.
static bool default_content(const struct uicc_files *files, const struct uicc_file *file,
                            size_t offset, uint8_t *to, size_t len)
{
    const struct uicc_row *row = file->origin;
    if (offset + len > file->default_len) {
        memset(to, NVM_ERASED, len);
        if (offset >= file->default_len)
            return true;
        len = file->default_len - offset;
    }
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
    if (!default_content(files, file, offset, to, len))
        return false;
    // Stored is the difference from the default, so that erased memory reads as the default.
    uint8_t stored[256];
    if (uicc_store_read(&files->store, uicc_place_of(files, row, offset), stored, len)) {
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
    if (!default_content(files, file, offset, stored, octets.len))
        return false;
    for (size_t i = 0; i < octets.len; i++)
        stored[i] ^= (uint8_t)(octets.at[i] ^ NVM_ERASED);
    // The first octets of a subscription bring its name with them.
    uint8_t owner[COMMAND_IMSI_SIZE];
    struct uicc_place name = uicc_owner_place(files);
    if (row->owner == UICC_OWNER_SUBSCRIPTION &&
        (!uicc_store_read(&files->store, name, owner, sizeof owner) ||
         memcmp(owner, files->owner, sizeof owner) != 0))
        uicc_change_put(change, name, bytes_of(files->owner, sizeof owner));
    uicc_change_put(change, uicc_place_of(files, row, offset), bytes_of(stored, octets.len));
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
    unsigned count = uicc_record_count(file);
    check(count > 0);
    (void)uicc_store_read(&files->store, uicc_place_of(files, file->row, file->row->size), &head,
                          1);
    return (uint8_t)(head ^ NVM_ERASED) % count;
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
    uicc_change_put(&change, uicc_place_of(files, file->row, file->row->size), bytes_of(&head, 1));
    return uicc_change_commit(&change);
}

struct bytes uicc_rule(const struct uicc_files *files, const struct uicc_file *file,
                       uint8_t octets[256])
{
    uint8_t application = UICC_MF;
    if (file->folder != UICC_NO_FOLDER)
        application = uicc_application_of(files, file->folder);
    struct uicc_file rules;
    if (!uicc_find(files, application, application == UICC_MF ? UICC_ID_ARR_MF : UICC_ID_ARR_ADF,
                   &rules) ||
        file->row->rule == 0 || file->row->rule > uicc_record_count(&rules) ||
        !uicc_read(files, &rules, (size_t)(file->row->rule - 1) * rules.row->record_len, octets,
                   rules.row->record_len))
        return bytes_of(NULL, 0);
    return bytes_of(octets, rules.row->record_len);
}
