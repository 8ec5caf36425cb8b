#include "sim-emulator/core/uicc/made.h"

#include "common/base/check.h"

// A record: mark, state, folder it lies in, kind, identifier(2), short identifier, record length,
// rule, owner, size(2), place(2), row of the table it stands for(2). Of one that stands for a row
// the identifier is known: in its place is how much of the row's default it has.
#define MARK 0x5E
#define ACTIVE 0x01 // bit of the state
#define NO_ORIGIN 0xFFFF
#define ROWS_MAX 64 // of a folder

#define PLACE_OF(member) offsetof(struct uicc_layout, member)

_Static_assert(UICC_FOLDERS *ROWS_MAX <= UICC_FLAGS_LEN * 8, "a flag for every row");

static struct uicc_place card_place(size_t at)
{
    return (struct uicc_place){.space = UICC_OF_CARD, .at = (uint16_t)at};
}

// --- rows by number --------------------------------------------------------------------------

static unsigned number_of(const struct uicc_row *row)
{
    for (unsigned f = 0; f < UICC_FOLDERS; f++) {
        struct uicc_rows rows = uicc_rows((enum uicc_folder)f);
        for (unsigned i = 0; i < rows.count; i++) {
            if (&rows.at[i] == row)
                return f * ROWS_MAX + i;
        }
    }
    check(false);
}

// NULL when there is none with this number.
static const struct uicc_row *row_of(unsigned number)
{
    if (number / ROWS_MAX >= UICC_FOLDERS)
        return NULL;
    struct uicc_rows rows = uicc_rows((enum uicc_folder)(number / ROWS_MAX));
    return number % ROWS_MAX < rows.count ? &rows.at[number % ROWS_MAX] : NULL;
}

// --- flags -----------------------------------------------------------------------------------

static struct uicc_place flag_place(enum uicc_flag flag, unsigned number)
{
    size_t at = flag == UICC_DELETED ? PLACE_OF(deleted) : PLACE_OF(deactivated);
    return card_place(at + number / 8);
}

// A bit that reads 0 was set.
bool uicc_is_flagged(const struct uicc_store *store, enum uicc_flag flag,
                     const struct uicc_row *row)
{
    unsigned number = number_of(row);
    uint8_t octet;
    return uicc_store_read(store, flag_place(flag, number), &octet, 1) &&
           (octet & 1U << number % 8) == 0;
}

void uicc_flag_put(struct uicc_change *change, enum uicc_flag flag, const struct uicc_row *row,
                   bool is_set)
{
    unsigned number = number_of(row);
    uint8_t bit = (uint8_t)(1U << number % 8);
    uint8_t octet = NVM_ERASED;
    (void)uicc_store_read(&change->store, flag_place(flag, number), &octet, 1);
    octet = (uint8_t)(is_set ? octet & ~bit : octet | bit);
    uicc_change_put(change, flag_place(flag, number), bytes_of(&octet, 1));
}

// --- records ---------------------------------------------------------------------------------

static struct uicc_place record_place(unsigned number, size_t offset)
{
    check(number < UICC_CREATED_MAX);
    return card_place(PLACE_OF(created) + number * UICC_CREATED_LEN + offset);
}

static bool is_size_sound(const struct uicc_row *row)
{
    size_t octets = row->size + (row->kind == UICC_CYCLIC ? 1U : 0U);
    if (row->at < UICC_CREATED_AT || row->at + octets > UICC_SPACE_LEN)
        return false;
    switch ((enum uicc_kind)row->kind) {
    case UICC_FOLDER:
        return row->size == 0;
    case UICC_TRANSPARENT:
        return row->size > 0 && row->record_len == 0;
    case UICC_LINEAR:
    case UICC_CYCLIC:
        return row->size > 0 && row->record_len > 0 && row->size % row->record_len == 0 &&
               row->size / row->record_len < 255;
    }
    return false;
}

// Whether a command could have made it: a memory that is damaged may hold anything.
static bool is_sound(const struct uicc_file *file, bool has_row)
{
    const struct uicc_row *row = file->row;
    bool is_place =
        file->folder < UICC_FOLDERS ||
        (file->folder >= UICC_MADE_FOLDER && file->folder < UICC_MADE_FOLDER + UICC_CREATED_MAX);
    if (!is_place || row->kind > UICC_CYCLIC || row->owner > UICC_OWNER_GENERATION ||
        !is_size_sound(row))
        return false;
    const struct uicc_row *origin = file->origin;
    return !has_row || (origin != NULL && origin->link == NULL && row->kind != UICC_FOLDER &&
                        origin->kind == row->kind && origin->record_len == row->record_len);
}

bool uicc_made_read(const struct uicc_store *store, unsigned number, struct uicc_file *out)
{
    uint8_t octets[UICC_CREATED_LEN];
    if (number >= UICC_CREATED_MAX ||
        !uicc_store_read(store, record_place(number, 0), octets, sizeof octets) ||
        octets[0] != MARK)
        return false;
    struct reader r = reader_of(bytes_of(octets + 2, sizeof octets - 2));
    *out = (struct uicc_file){.reference = (uint16_t)(UICC_MADE_REFERENCE + number),
                              .folder = reader_u8(&r),
                              .number = (uint8_t)number};
    out->made.name = "";
    out->made.kind = reader_u8(&r);
    uint16_t identifier = reader_u16(&r);
    out->made.short_identifier = reader_u8(&r);
    out->made.record_len = reader_u8(&r);
    out->made.rule = reader_u8(&r);
    out->made.owner = reader_u8(&r);
    out->made.size = reader_u16(&r);
    out->made.at = reader_u16(&r);
    unsigned row = reader_u16(&r);
    out->origin = row_of(row);
    out->made.identifier = out->origin != NULL ? out->origin->identifier : identifier;
    out->default_len = 0;
    if (out->origin != NULL)
        out->default_len = identifier < out->origin->size ? identifier : out->origin->size;
    out->made.opens = (uint8_t)(UICC_MADE_FOLDER + number);
    out->identifier = out->made.identifier;
    out->row = &out->made;
    return is_sound(out, row != NO_ORIGIN);
}

bool uicc_made_find(const struct uicc_store *store, const struct uicc_row *origin,
                    struct uicc_file *out)
{
    for (unsigned i = 0; i < UICC_CREATED_MAX; i++) {
        if (uicc_made_read(store, i, out) && out->origin == origin)
            return true;
    }
    return false;
}

void uicc_made_put(struct uicc_change *change, unsigned number, const struct uicc_file *file)
{
    const struct uicc_row *row = file->row;
    uint8_t octets[UICC_CREATED_LEN];
    struct writer w = writer_of(octets, sizeof octets);
    writer_u8(&w, MARK);
    writer_u8(&w, ACTIVE);
    writer_u8(&w, file->folder);
    writer_u8(&w, row->kind);
    writer_u16(&w, file->origin != NULL ? file->default_len : row->identifier);
    writer_u8(&w, row->short_identifier);
    writer_u8(&w, row->record_len);
    writer_u8(&w, row->rule);
    writer_u8(&w, row->owner);
    writer_u16(&w, row->size);
    writer_u16(&w, row->at);
    writer_u16(&w, file->origin == NULL ? NO_ORIGIN : (uint16_t)number_of(file->origin));
    check(w.len == sizeof octets);
    uicc_change_put(change, record_place(number, 0), writer_bytes(&w));
}

void uicc_made_put_gone(struct uicc_change *change, unsigned number)
{
    const uint8_t gone = NVM_ERASED;
    uicc_change_put(change, record_place(number, 0), bytes_of(&gone, 1));
}

bool uicc_made_is_active(const struct uicc_store *store, unsigned number)
{
    uint8_t state = ACTIVE;
    (void)uicc_store_read(store, record_place(number, 1), &state, 1);
    return (state & ACTIVE) != 0;
}

void uicc_made_put_active(struct uicc_change *change, unsigned number, bool is_active)
{
    const uint8_t state = is_active ? ACTIVE : 0;
    uicc_change_put(change, record_place(number, 1), bytes_of(&state, 1));
}

bool uicc_made_nothing(const struct uicc_store *store)
{
    uint8_t octets[UICC_CREATED_MAX * UICC_CREATED_LEN];
    return !uicc_store_read(store, card_place(PLACE_OF(deactivated)), octets, UICC_FLAGS_LEN) &&
           !uicc_store_read(store, card_place(PLACE_OF(deleted)), octets, UICC_FLAGS_LEN) &&
           !uicc_store_read(store, card_place(PLACE_OF(created)), octets, sizeof octets);
}
