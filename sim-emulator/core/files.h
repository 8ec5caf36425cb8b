// The files of the card [102.221 §13, 31.102 §4]: one table, one row per file.
//
// A file's content is a constant, a view of what the applet committed (so that a switch of
// subscription changes all of them at once), or octets that the terminal stores. Stored ones belong
// to one generation of the applet: after a switch they read as their defaults again.
//
// Promises: reading and updating stay within the file; what is stored is stored before the answer.
// Never: shows a key. To add a file, add a row.
#pragma once

#include "applet/applet.h"
#include "sim-emulator/core/nvm_area.h"

#define FILE_MF 0x3F00
#define FILE_ADF 0x7FFF // ADF.USIM, by the name "current ADF"
#define FILE_IMSI 0x6F07
#define FILE_LOCI 0x6F7E
#define FILE_EPSLOCI 0x6FE3
#define FILE_SIZE_MAX 1760
#define FILE_VIEW_MAX 64 // octets of the longest file that is a view
#define FILE_STORE_LEN (34 * NVM_PAGE_LEN)

enum file_kind {
    FILE_FOLDER,
    FILE_TRANSPARENT,
    FILE_LINEAR,
};

// Where a file's octets come from.
struct file_source {
    const struct applet_subscription *subscription; // for views; NULL while none is needed
    const struct applet_factory *factory;
    struct nvm_area store; // FILE_STORE_LEN octets
    uint32_t generation;   // of the applet
};

struct card_file {
    uint16_t identifier;
    uint16_t folder; // FILE_MF, FILE_ADF; 0 for the MF itself
    enum file_kind kind;
    uint8_t short_identifier; // 0 = none
    uint16_t size;            // octets
    uint8_t record_len;       // FILE_LINEAR
    // Not NULL: a view. Writes the content; what it leaves out is FF.
    void (*view)(const struct file_source *source, struct writer *w);
    // Not 0: stored there in the store. The default is `content`, then FF.
    uint16_t store_at;
    struct bytes content;
};

// Every file; for tests, and for looking at the card.
const struct card_file *file_table(size_t *count);
// The file with this identifier in this folder, or NULL.
const struct card_file *file_find(uint16_t folder, uint16_t identifier);
const struct card_file *file_find_short(uint16_t folder, uint8_t short_identifier);

static inline bool file_is_view(const struct card_file *file)
{
    return file->view != NULL;
}

// Octets `offset` to `offset + len` of the file, which the caller has bounded by its size.
void file_read(const struct card_file *file, const struct file_source *source, size_t offset,
               uint8_t *to, size_t len);
enum file_update {
    FILE_UPDATED = 0,
    FILE_NOT_ALLOWED, // not one that the terminal stores
    FILE_MEMORY,      // the memory failed
    FILE_POWER_CUT,
};
enum file_update file_update(const struct card_file *file, const struct file_source *source,
                             size_t offset, struct bytes octets) MUST_USE;
// The file control parameters [102.221 §11.1.1.3].
void file_parameters(const struct card_file *file, struct writer *w);
// The application's name [101.220 §E]: the AID of ADF.USIM.
struct bytes file_application(void);
