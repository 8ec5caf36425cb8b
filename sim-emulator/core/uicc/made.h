// What an administrator did to a card's files: those created or resized, as records of the store,
// and those deactivated or deleted, as a flag for each row of the table. Inside of files.h.
//
// Promises: flags and records are of the file, whatever name it was found by.
#pragma once

#include "sim-emulator/core/uicc/files.h"

// References and folders of created files: these, plus the number of the record.
#define UICC_MADE_REFERENCE 0x8000
#define UICC_MADE_FOLDER 0x40

enum uicc_flag {
    UICC_DEACTIVATED,
    UICC_DELETED, // or resized: its record has taken its place
};
// `row` is of the table, no link.
bool uicc_is_flagged(const struct uicc_store *store, enum uicc_flag flag,
                     const struct uicc_row *row);
void uicc_flag_put(struct uicc_change *change, enum uicc_flag flag, const struct uicc_row *row,
                   bool is_set);

// Where the octets of a file, and the name of the enabled subscription, are.
struct uicc_place uicc_place_of(const struct uicc_files *files, const struct uicc_row *row,
                                size_t offset);
struct uicc_place uicc_owner_place(const struct uicc_files *files);

// Record `number`, below UICC_CREATED_MAX, of a file that was created or resized: all of it but the
// name it was found by. False: the record is free.
bool uicc_made_read(const struct uicc_store *store, unsigned number, struct uicc_file *out);
// The one that has the place of a row of the table.
bool uicc_made_find(const struct uicc_store *store, const struct uicc_row *origin,
                    struct uicc_file *out);
// Folder, row and origin of `file`; it is active.
void uicc_made_put(struct uicc_change *change, unsigned number, const struct uicc_file *file);
void uicc_made_put_gone(struct uicc_change *change, unsigned number);
bool uicc_made_is_active(const struct uicc_store *store, unsigned number);
void uicc_made_put_active(struct uicc_change *change, unsigned number, bool is_active);
// Whether nothing was ever created, resized, deactivated or deleted.
bool uicc_made_nothing(const struct uicc_store *store);
