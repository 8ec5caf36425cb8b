// One card's files: the constant table, and what this card wrote, created, deactivated or deleted.
//
// Promises: reading and writing stay within the file; content of a subscription is shown only while
// that subscription is enabled; a change is whole after a power cut. Never: judges who may do it.
#pragma once

#include "sim-emulator/core/uicc/tree.h"

struct uicc_files {
    struct uicc_store store;
    const struct applet *applet;
    const struct applet_port *port;
    struct uicc_overrides overrides; // of the enabled subscription's template
    uint8_t generation;
    uint8_t slot_index;
    const uint8_t *owner; // COMMAND_IMSI_SIZE octets: the enabled subscription
    bool is_plain;        // nothing was created, deactivated or deleted
};

// A file that was found; `row` says everything of it but its name in this folder. Not to be copied.
struct uicc_file {
    uint16_t reference; // keeps its meaning until the file is deleted
    uint16_t identifier;
    uint8_t folder; // it lies in
    uint8_t number; // of the record of one that was created or resized, or UICC_NOT_MADE
    const struct uicc_row *row;
    const struct uicc_row *origin; // in the table, also of one that was resized; NULL: created
    uint16_t default_len;          // octets that still have the table's default; behind them FF
    struct uicc_row made;          // of one that was created or resized
};
#define UICC_NO_FILE 0
#define UICC_NOT_MADE 0xFF

bool uicc_find(const struct uicc_files *files, uint8_t folder, uint16_t identifier,
               struct uicc_file *out);
bool uicc_find_short(const struct uicc_files *files, uint8_t folder, uint8_t short_identifier,
                     struct uicc_file *out);
bool uicc_open(const struct uicc_files *files, uint16_t reference, struct uicc_file *out);
// The folder itself as a file.
bool uicc_open_folder(const struct uicc_files *files, uint8_t folder, struct uicc_file *out);
uint8_t uicc_parent(const struct uicc_files *files, uint8_t folder);
// The application whose ADF a folder is or lies in; UICC_MF for none.
uint8_t uicc_application_of(const struct uicc_files *files, uint8_t folder);

// At most 256 octets, which the caller has bounded by the file's size. False: the memory cannot be
// read.
bool uicc_read(const struct uicc_files *files, const struct uicc_file *file, size_t offset,
               uint8_t *to, size_t len) MUST_USE;
// Adds the octets to a change; false as above.
bool uicc_put(const struct uicc_files *files, struct uicc_change *change,
              const struct uicc_file *file, size_t offset, struct bytes octets) MUST_USE;
// All of one change.
enum nvm_result uicc_update(const struct uicc_files *files, const struct uicc_file *file,
                            size_t offset, struct bytes octets) MUST_USE;
// Where record `record`, from 1, stands; in a cyclic file 1 is the one written last.
size_t uicc_record_offset(const struct uicc_files *files, const struct uicc_file *file,
                          unsigned record);
static inline unsigned uicc_record_count(const struct uicc_file *file)
{
    return file->row->record_len == 0 ? 0 : file->row->size / file->row->record_len;
}
// Overwrites the oldest record of a cyclic file, which becomes record 1.
enum nvm_result uicc_append(const struct uicc_files *files, const struct uicc_file *file,
                            struct bytes record) MUST_USE;
// The rule of a file: UICC_RULE_LEN octets at most, in `octets`. Empty when there is none.
struct bytes uicc_rule(const struct uicc_files *files, const struct uicc_file *file,
                       uint8_t octets[256]);

bool uicc_is_active(const struct uicc_files *files, const struct uicc_file *file);
enum nvm_result uicc_set_active(struct uicc_files *files, const struct uicc_file *file,
                                bool is_active) MUST_USE;

enum uicc_create {
    UICC_CREATED = 0,
    UICC_EXISTS,
    UICC_NO_ROOM,
    UICC_CREATE_FAILED, // the memory
    UICC_CREATE_CUT,
};
// `like` gives kind, identifier, short identifier, sizes, rule and owner.
enum uicc_create uicc_create(struct uicc_files *files, uint8_t folder, const struct uicc_row *like,
                             struct bytes fill, struct uicc_file *out) MUST_USE;
// The file, or a folder without anything in it. False: something is in it, or it is the EF.ARR
// that other files refer to: without it nobody may do anything, not even make a new one.
bool uicc_may_delete(const struct uicc_files *files, const struct uicc_file *file);
enum nvm_result uicc_delete(struct uicc_files *files, const struct uicc_file *file) MUST_USE;
// Another size, of the same file: it keeps its names, its reference, and its content as far as it
// goes, that of every subscription. What is new reads FF, also where it once had a default.
enum uicc_create uicc_resize(struct uicc_files *files, struct uicc_file *file,
                             uint16_t size) MUST_USE;
// Octets that new files may take: the rest is kept for what the card itself has to remember.
size_t uicc_files_free(const struct uicc_files *files);
// Makes the files those of the enabled subscription: drops what a former one in its slot, a former
// generation, or a creation that was cut off left. At every reset and switch; what cannot be
// dropped is dropped the next time.
void uicc_files_mount(const struct uicc_files *files);
// Looks whether something was created, deactivated or deleted.
void uicc_files_look(struct uicc_files *files);

// Files that more than their owner watches, whatever name they were found by, and whatever size
// they were given.
enum uicc_watched {
    UICC_WATCHED_NOT,
    UICC_WATCHED_IMSI,
    UICC_WATCHED_LOCI,
    UICC_WATCHED_EPSLOCI,
};
enum uicc_watched uicc_watched(const struct uicc_file *file);

// The file control parameters [102.221 §11.1.1.3]. `enabled`: the PINs that are, as bits.
void uicc_parameters(const struct uicc_files *files, const struct uicc_file *file, uint8_t enabled,
                     struct writer *w);
