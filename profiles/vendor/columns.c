#include "profiles/vendor/layout.h"

#include <stdio.h>

// What the name of a column means, and whether the profile wants it stored. A pool file has fixed
// columns, which no profile maps.
static bool resolve(const struct vendor_file *f, struct bytes name, struct vendor_column *column)
{
    bool csv = f->layout == VENDOR_CSV;
    const struct profile_column *mapped = profile_column(f->options->profile, name, csv);
    bool standard = vendor_name_read(name, csv, &column->meaning);
    if (f->header.is_pool && standard) {
        column->is_stored = vendor_name_has_slot(column->meaning.name)
                                ? column->meaning.number == 1
                                : column->meaning.name == VENDOR_ICCID;
        return true;
    }
    if (mapped == NULL)
        return standard;
    column->is_stored = mapped->meaning.name != VENDOR_IGNORED;
    if (column->is_stored || !standard)
        column->meaning = mapped->meaning;
    return true;
}

void columns_add(struct vendor_file *f, struct bytes name, uint32_t line)
{
    struct vendor_column column = {0};
    struct quoted field = findings_field(name);
    if (name.len >= sizeof column.name || f->column_count == VENDOR_COLUMNS_MAX ||
        !resolve(f, name, &column)) {
        findings_add(f->findings, IMP_104, line, field.text,
                     "%s is neither a standard name nor in the vendor profile",
                     findings_quote(name).text);
        return;
    }
    memcpy(column.name, name.at, name.len);
    for (size_t i = 0; i < f->column_count; i++) {
        const struct vendor_column *other = &f->columns[i];
        bool same = column.meaning.name != VENDOR_IGNORED &&
                    vendor_meaning_equal(column.meaning, other->meaning);
        if (same || vendor_text_is(name, other->name)) {
            findings_add(f->findings, IMP_107, line, field.text, "stands twice");
            return;
        }
    }
    f->columns[f->column_count++] = column;
}

struct vendor_column *columns_find(struct vendor_file *f, struct bytes name)
{
    for (size_t i = 0; i < f->column_count; i++)
        if (vendor_text_is(name, f->columns[i].name))
            return &f->columns[i];
    struct vendor_meaning meaning;
    if (!vendor_name_read(name, f->layout == VENDOR_CSV, &meaning))
        return NULL;
    for (size_t i = 0; i < f->column_count; i++)
        if (meaning.name != VENDOR_IGNORED && vendor_meaning_equal(meaning, f->columns[i].meaning))
            return &f->columns[i];
    return NULL;
}

static bool is_stored(const struct vendor_file *f, enum vendor_name name, uint8_t number)
{
    const struct vendor_meaning meaning = {.name = name, .number = number};
    for (size_t i = 0; i < f->column_count; i++)
        if (f->columns[i].is_stored && vendor_meaning_equal(f->columns[i].meaning, meaning))
            return true;
    return false;
}

static uint32_t names_line(const struct vendor_file *f)
{
    uint32_t line = f->header.line[HEADER_VAR_OUT];
    return line != 0 ? line : f->data_line;
}

static void missing(struct vendor_file *f, const char *name)
{
    findings_add(f->findings, IMP_106, names_line(f), name,
                 "required field is missing, or not mapped by the vendor profile");
}

static void require(struct vendor_file *f, enum vendor_name name, uint8_t number)
{
    char text[VENDOR_NAME_SIZE];
    vendor_name_write((struct vendor_meaning){.name = name, .number = number}, text);
    if (!is_stored(f, name, number))
        missing(f, text);
}

// The slots that have an IMSI, ascending, and for each column with a slot the place of it.
static void find_slots(struct vendor_file *f)
{
    for (uint8_t slot = 1; slot <= VENDOR_SLOTS_MAX; slot++)
        if (is_stored(f, VENDOR_IMSI, slot))
            f->slots[f->slot_count++] = slot;
    for (size_t i = 0; i < f->column_count; i++) {
        struct vendor_column *column = &f->columns[i];
        if (!vendor_name_has_slot(column->meaning.name))
            continue;
        uint8_t at = 0;
        while (at < f->slot_count && f->slots[at] != column->meaning.number)
            at++;
        if (at < f->slot_count)
            column->subscription = at;
        else if (column->is_stored)
            require(f, VENDOR_IMSI, column->meaning.number);
    }
}

static bool has_network_keys(const struct vendor_file *f, uint8_t slot)
{
    return is_stored(f, VENDOR_IMSI, slot) && is_stored(f, VENDOR_KI, slot) &&
           (is_stored(f, VENDOR_OPC, slot) || is_stored(f, VENDOR_OP, slot));
}

static void require_network_keys(struct vendor_file *f)
{
    for (uint8_t i = 0; i < f->slot_count; i++)
        if (has_network_keys(f, f->slots[i]))
            return;
    uint8_t slot = f->slot_count > 0 ? f->slots[0] : 1;
    require(f, VENDOR_IMSI, slot);
    require(f, VENDOR_KI, slot);
    if (!is_stored(f, VENDOR_OP, slot))
        require(f, VENDOR_OPC, slot);
}

static void require_ota_keys(struct vendor_file *f)
{
    uint8_t set = f->header.keyset;
    for (size_t i = 0; i < f->column_count; i++) {
        const struct vendor_column *column = &f->columns[i];
        bool is_key = column->meaning.name >= VENDOR_KIC && column->meaning.name <= VENDOR_KIK;
        if (is_key && column->is_stored && column->meaning.number != set)
            findings_add(f->findings, IMP_104, names_line(f), column->name,
                         "key set %u is not that of OTA-Keyset", column->meaning.number);
    }
    require(f, VENDOR_KIC, set);
    require(f, VENDOR_KID, set);
    require(f, VENDOR_KIK, set);
    require(f, VENDOR_KCV, 0);
}

// Of split files, a name is required only in the part that it belongs to.
static bool concerns(const struct vendor_file *f, struct bytes name)
{
    const struct profile_column *mapped =
        profile_column(f->options->profile, name, f->layout == VENDOR_CSV);
    struct vendor_meaning meaning = {.name = VENDOR_IGNORED};
    if (mapped != NULL)
        meaning = mapped->meaning;
    else if (!vendor_name_read(name, true, &meaning))
        return true;
    unsigned targets = f->header.targets;
    if (vendor_name_has_slot(meaning.name))
        return (targets & VENDOR_TARGET_AUC) != 0;
    if (meaning.name == VENDOR_KCV || (meaning.name >= VENDOR_KIC && meaning.name <= VENDOR_KIK))
        return (targets & VENDOR_TARGET_OTA) != 0;
    return (targets & (VENDOR_TARGET_OTA | VENDOR_TARGET_LOG)) != 0;
}

void columns_judge(struct vendor_file *f)
{
    const struct vendor_header *h = &f->header;
    find_slots(f);
    if (h->is_pool) {
        require_network_keys(f);
        return;
    }
    if ((h->targets & (VENDOR_TARGET_OTA | VENDOR_TARGET_LOG)) != 0)
        require(f, VENDOR_ICCID, 0);
    if ((h->targets & VENDOR_TARGET_OTA) != 0 && h->keyset != 0)
        require_ota_keys(f);
    if ((h->targets & VENDOR_TARGET_AUC) != 0)
        require_network_keys(f);
    const struct profile_names *required = &f->options->profile->required;
    for (size_t i = 0; i < required->count; i++)
        if (concerns(f, bytes_of_text(required->at[i])) &&
            columns_find(f, bytes_of_text(required->at[i])) == NULL)
            missing(f, required->at[i]);
}
