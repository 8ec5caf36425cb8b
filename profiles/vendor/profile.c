#include "profiles/vendor/profile.h"

#include "common/base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define TENANT_PREFIX "tenant:"

struct reading {
    struct vendor_profile *profile;
    char *error;
};

static bool refuse(const struct reading *r, const char *where, const char *expected)
{
    (void)snprintf(r->error, PROFILE_ERROR_SIZE, "%s: %s", where, expected);
    return false;
}

// A printable text of 1 to size - 1 characters.
static bool take_text(const json_t *value, char *to, size_t size)
{
    const char *text = json_string_value(value);
    size_t len = text != NULL ? json_string_length(value) : 0;
    if (len == 0 || len >= size)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] < 0x20 || text[i] > 0x7E)
            return false;
    memcpy(to, text, len + 1);
    return true;
}

static bool take_key(const char *key, char *to, size_t size)
{
    size_t len = strlen(key);
    if (len == 0 || len >= size)
        return false;
    memcpy(to, key, len + 1);
    return true;
}

static bool read_vendor(struct reading *r, json_t *value)
{
    return take_text(value, r->profile->vendor, sizeof r->profile->vendor) ||
           refuse(r, "vendor", "expected a name of 1 to 63 characters");
}

static bool read_version(struct reading *r, json_t *value)
{
    json_int_t version = json_integer_value(value);
    if (version < 1 || version > UINT32_MAX)
        return refuse(r, "version", "expected a whole number from 1");
    r->profile->version = (uint32_t)version;
    return true;
}

const char *vendor_layout_name(enum vendor_layout layout)
{
    static const char *const names[] = {"unknown", "varout", "csv", "positional"};
    return names[layout];
}

static bool read_layouts(struct reading *r, json_t *value)
{
    size_t index;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        const char *name = json_string_value(item);
        bool known = false;
        for (size_t i = VENDOR_VAROUT; i <= VENDOR_POSITIONAL; i++)
            if (name != NULL && strcmp(name, vendor_layout_name((enum vendor_layout)i)) == 0)
                known = r->profile->layouts[i] = true;
        if (!known)
            return refuse(r, "layouts", "expected varout, csv or positional");
    }
    return json_array_size(value) > 0 || refuse(r, "layouts", "expected a list of layouts");
}

static bool read_customers(struct reading *r, json_t *value)
{
    struct vendor_profile *p = r->profile;
    const size_t prefix = strlen(TENANT_PREFIX);
    const char *key;
    json_t *item;
    if (json_object_size(value) > PROFILE_CUSTOMERS_MAX)
        return refuse(r, "customers", "expected at most 256");
    json_object_foreach(value, key, item)
    {
        struct profile_pair *at = &p->customers[p->customer_count++];
        const char *tenant = json_string_value(item);
        if (!take_key(key, at->key, sizeof at->key) || tenant == NULL ||
            strncmp(tenant, TENANT_PREFIX, prefix) != 0 ||
            !take_key(tenant + prefix, at->value, sizeof at->value))
            return refuse(r, "customers", "expected \"NAME\": \"tenant:name\"");
    }
    return p->customer_count > 0 || refuse(r, "customers", "expected an object with at least one");
}

static bool has_column(const struct vendor_profile *p, const char *name)
{
    for (size_t i = 0; i < p->column_count; i++)
        if (vendor_text_equal(bytes_of_text(p->columns[i].name), bytes_of_text(name)))
            return true;
    return false;
}

static bool read_columns(struct reading *r, json_t *value)
{
    struct vendor_profile *p = r->profile;
    const char *key;
    json_t *item;
    if (json_object_size(value) == 0 || json_object_size(value) > PROFILE_COLUMNS_MAX)
        return refuse(r, "columns", "expected an object with 1 to 128 names");
    json_object_foreach(value, key, item)
    {
        if (has_column(p, key))
            return refuse(r, "columns", "a name stands twice");
        struct profile_column *at = &p->columns[p->column_count];
        const char *target = json_string_value(item);
        if (!take_key(key, at->name, sizeof at->name) || strpbrk(key, " /,=\"") != NULL)
            return refuse(r, "columns",
                          "a name has 1 to 31 characters without space, slash or comma");
        if (target == NULL || !vendor_target_read(bytes_of_text(target), &at->meaning))
            return refuse(r, key,
                          "expected card.x, slotN.x, keysetN.x, check.kcv, infoN or ignore");
        p->column_count++;
    }
    return true;
}

static bool read_names(struct reading *r, const char *where, const json_t *value,
                       struct profile_names *names)
{
    size_t index;
    json_t *item;
    if (!json_is_array(value) || json_array_size(value) > PROFILE_COLUMNS_MAX)
        return refuse(r, where, "expected a list of at most 128 names");
    json_array_foreach(value, index, item)
    {
        if (!take_text(item, names->at[names->count++], VENDOR_NAME_SIZE))
            return refuse(r, where, "expected names of 1 to 31 characters");
    }
    return true;
}

static bool read_required(struct reading *r, json_t *value)
{
    return read_names(r, "required", value, &r->profile->required);
}

static bool read_operators(struct reading *r, json_t *value)
{
    struct vendor_profile *p = r->profile;
    const char *key;
    json_t *item;
    if (json_object_size(value) == 0 || json_object_size(value) > PROFILE_OPERATORS_MAX)
        return refuse(r, "operators", "expected an object with 1 to 256 prefixes");
    json_object_foreach(value, key, item)
    {
        struct profile_pair *at = &p->operators[p->operator_count++];
        if (!take_key(key, at->key, VENDOR_IMSI_SIZE) || !text_is_digits(bytes_of_text(key)) ||
            !take_text(item, at->value, VENDOR_OPERATOR_SIZE))
            return refuse(r, "operators", "expected \"IMSI digits\": \"operator\"");
    }
    return true;
}

static bool read_product_header(struct reading *r, const json_t *value,
                                struct profile_product *product)
{
    const char *key;
    json_t *item;
    if (!json_is_object(value) || json_object_size(value) > PROFILE_HEADERS_MAX)
        return refuse(r, "header", "expected an object with at most 24 header keys");
    json_object_foreach((json_t *)value, key, item)
    {
        struct profile_pair *at = &product->header[product->header_count++];
        if (!take_key(key, at->key, sizeof at->key) ||
            !take_text(item, at->value, sizeof at->value))
            return refuse(r, "header", "expected \"Key\": \"value\" with at most 255 characters");
    }
    return true;
}

static bool read_product(struct reading *r, json_t *value, struct profile_product *product)
{
    json_t *record = NULL;
    json_t *auc = NULL;
    json_t *ota = NULL;
    json_t *header = NULL;
    json_error_t error;
    if (json_unpack_ex(value, &error, JSON_STRICT, "{s:o, s?:{s?:o, s?:o !}, s:o}", "record",
                       &record, "encrypted", "AUC", &auc, "OTA", &ota, "header", &header) != 0)
        return refuse(r, "products", "expected record, encrypted {AUC, OTA} and header");
    return read_names(r, "record", record, &product->record) &&
           (auc == NULL || read_names(r, "encrypted.AUC", auc, &product->encrypted_auc)) &&
           (ota == NULL || read_names(r, "encrypted.OTA", ota, &product->encrypted_ota)) &&
           read_product_header(r, header, product);
}

static bool read_products(struct reading *r, json_t *value)
{
    struct vendor_profile *p = r->profile;
    const char *key;
    json_t *item;
    if (!json_is_object(value) || json_object_size(value) > PROFILE_PRODUCTS_MAX)
        return refuse(r, "products", "expected an object with at most 16 products");
    json_object_foreach(value, key, item)
    {
        struct profile_product *product = &p->products[p->product_count++];
        if (!take_key(key, product->id, sizeof product->id) || !text_is_digits(bytes_of_text(key)))
            return refuse(r, "products", "a product id has 1 to 15 digits");
        if (!read_product(r, item, product))
            return false;
    }
    return true;
}

static bool read_levels(struct reading *r, json_t *value)
{
    struct vendor_profile *p = r->profile;
    const char *key;
    json_t *item;
    if (!json_is_object(value) || json_object_size(value) > PROFILE_LEVELS_MAX)
        return refuse(r, "applet_levels", "expected an object with at most 16 versions");
    json_object_foreach(value, key, item)
    {
        const char *text = json_string_value(item);
        uint64_t major;
        uint64_t level;
        if (!text_read_decimal(bytes_of_text(key), &major) || major > UINT8_MAX || text == NULL ||
            !text_read_decimal(bytes_of_text(text), &level) || level < 1 || level > UINT8_MAX)
            return refuse(r, "applet_levels", "expected \"major version\": \"level\"");
        p->levels[p->level_count++] =
            (struct profile_level){.major = (uint8_t)major, .level = (uint8_t)level};
    }
    return true;
}

static const struct {
    const char *key;
    bool (*read)(struct reading *r, json_t *value);
    bool must;
} members[] = {
    {"vendor", read_vendor, true},        {"version", read_version, true},
    {"layouts", read_layouts, true},      {"customers", read_customers, true},
    {"columns", read_columns, true},      {"required", read_required, false},
    {"operators", read_operators, true},  {"products", read_products, false},
    {"applet_levels", read_levels, true},
};
#define MEMBERS (sizeof members / sizeof members[0])

static bool is_member(const char *key)
{
    for (size_t i = 0; i < MEMBERS; i++)
        if (strcmp(members[i].key, key) == 0)
            return true;
    return false;
}

static bool read_document(struct reading *r, json_t *root)
{
    const char *key;
    json_t *item;
    if (!json_is_object(root))
        return refuse(r, "vendor profile", "expected a JSON object");
    json_object_foreach(root, key, item)
    {
        if (!is_member(key))
            return refuse(r, key, "is not a member of a vendor profile");
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        json_t *value = json_object_get(root, members[i].key);
        if (value == NULL && members[i].must)
            return refuse(r, members[i].key, "is missing");
        if (value != NULL && !members[i].read(r, value))
            return false;
    }
    return true;
}

// Every name a profile uses elsewhere must be one that a file may have.
static bool names_known(const struct reading *r, const struct profile_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        struct vendor_meaning meaning;
        if (!has_column(r->profile, names->at[i]) &&
            !vendor_name_read(bytes_of_text(names->at[i]), true, &meaning))
            return refuse(r, names->at[i], "is neither a standard name nor in columns");
    }
    return true;
}

static bool is_consistent(const struct reading *r)
{
    const struct vendor_profile *p = r->profile;
    for (size_t i = 0; i < p->product_count; i++)
        if (!names_known(r, &p->products[i].record) ||
            !names_known(r, &p->products[i].encrypted_auc) ||
            !names_known(r, &p->products[i].encrypted_ota))
            return false;
    return names_known(r, &p->required);
}

struct vendor_profile *profile_open(struct bytes json, char error[PROFILE_ERROR_SIZE])
{
    struct reading r = {.profile = calloc(1, sizeof *r.profile), .error = error};
    json_error_t where;
    json_t *root = NULL;
    if (r.profile == NULL) {
        (void)refuse(&r, "vendor profile", "no memory");
        return NULL;
    }
    if (json.len <= PROFILE_JSON_MAX)
        root = json_loadb((const char *)json.at, json.len, JSON_REJECT_DUPLICATES, &where);
    else
        (void)snprintf(where.text, sizeof where.text, "longer than %u octets", PROFILE_JSON_MAX);
    bool good = false;
    if (root == NULL)
        (void)refuse(&r, "not JSON", where.text);
    else
        good = read_document(&r, root) && is_consistent(&r);
    json_decref(root);
    if (!good) {
        free(r.profile);
        return NULL;
    }
    return r.profile;
}

void profile_close(struct vendor_profile *profile)
{
    free(profile);
}

const struct profile_column *profile_column(const struct vendor_profile *profile, struct bytes name,
                                            bool csv)
{
    for (size_t i = 0; i < profile->column_count; i++)
        if (vendor_text_is(name, profile->columns[i].name))
            return &profile->columns[i];
    struct vendor_meaning meaning;
    if (!vendor_name_read(name, csv, &meaning))
        return NULL;
    for (size_t i = 0; i < profile->column_count; i++) {
        struct vendor_meaning own;
        if (vendor_name_read(bytes_of_text(profile->columns[i].name), csv, &own) &&
            vendor_meaning_equal(own, meaning))
            return &profile->columns[i];
    }
    return NULL;
}

const char *profile_tenant(const struct vendor_profile *profile, struct bytes customer)
{
    for (size_t i = 0; i < profile->customer_count; i++)
        if (bytes_equal(customer, bytes_of_text(profile->customers[i].key)))
            return profile->customers[i].value;
    return NULL;
}

const char *profile_operator(const struct vendor_profile *profile, struct bytes imsi)
{
    const char *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; i < profile->operator_count; i++) {
        struct bytes prefix = bytes_of_text(profile->operators[i].key);
        if (prefix.len > best_len && bytes_equal(bytes_slice(imsi, 0, prefix.len), prefix)) {
            best = profile->operators[i].value;
            best_len = prefix.len;
        }
    }
    return best;
}

const struct profile_product *profile_product(const struct vendor_profile *profile, struct bytes id)
{
    for (size_t i = 0; i < profile->product_count; i++)
        if (bytes_equal(id, bytes_of_text(profile->products[i].id)))
            return &profile->products[i];
    return NULL;
}

uint8_t profile_level(const struct vendor_profile *profile, uint64_t major)
{
    for (size_t i = 0; i < profile->level_count; i++)
        if (profile->levels[i].major == major)
            return profile->levels[i].level;
    return 0;
}
