#include "sim-emulator/core/product_read.h"

// A text under way. The first error stays.
struct text {
    struct bytes line; // what is left of it
    unsigned number;
    unsigned column; // of `line`
    struct product_image *image;
    struct product_template *current; // template that file lines belong to
    struct product_error *error;
    bool failed;
};

struct word {
    struct bytes octets;
    unsigned column;
    bool is_quoted;
};

static bool refuse(struct text *t, unsigned column, const char *reason)
{
    if (!t->failed)
        *t->error = (struct product_error){.line = t->number, .column = column, .reason = reason};
    t->failed = true;
    return false;
}

static void advance(struct text *t, size_t len)
{
    t->line = bytes_slice(t->line, len, SIZE_MAX);
    t->column += (unsigned)len;
}

static bool is_blank(uint8_t octet)
{
    return octet == ' ' || octet == '\t' || octet == '\r';
}

// Where the next word begins.
static unsigned place(struct text *t)
{
    while (t->line.len > 0 && is_blank(t->line.at[0]))
        advance(t, 1);
    return t->column;
}

// The next word or quoted text; false at the end of the line or where a comment begins.
static bool word_next(struct text *t, struct word *out)
{
    (void)place(t);
    if (t->line.len == 0 || t->line.at[0] == '#')
        return false;
    *out = (struct word){.column = t->column, .is_quoted = t->line.at[0] == '"'};
    size_t from = out->is_quoted ? 1 : 0;
    size_t len = from;
    while (len < t->line.len &&
           (out->is_quoted ? t->line.at[len] != '"' : !is_blank(t->line.at[len])))
        len++;
    if (out->is_quoted && len == t->line.len)
        return refuse(t, out->column, "this text has no closing quotation mark");
    out->octets = bytes_slice(t->line, from, len - from);
    advance(t, out->is_quoted ? len + 1 : len);
    return true;
}

static bool word_need(struct text *t, struct word *out, const char *what)
{
    return word_next(t, out) || refuse(t, t->column, what);
}

static bool word_is(const struct word *w, const char *text)
{
    return !w->is_quoted && bytes_equal(w->octets, bytes_of_text(text));
}

static int digit_of(uint8_t octet)
{
    if (octet >= '0' && octet <= '9')
        return octet - '0';
    if (octet >= 'A' && octet <= 'F')
        return octet - 'A' + 10;
    return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : 16;
}

static bool number_need(struct text *t, int base, unsigned min, unsigned max, unsigned *out)
{
    struct word w;
    if (!word_need(t, &w, "a number is missing"))
        return false;
    uint32_t value = 0;
    bool is_right = w.octets.len > 0 && w.octets.len <= 8 && !w.is_quoted;
    for (size_t i = 0; is_right && i < w.octets.len; i++) {
        int digit = digit_of(w.octets.at[i]);
        is_right = digit < base && value <= 0xFFFFFF;
        value = value * (uint32_t)base + (uint32_t)digit;
    }
    if (!is_right)
        return refuse(t, w.column, "this is no number");
    if (value < min || value > max)
        return refuse(t, w.column, "this number is out of range");
    *out = value;
    return true;
}

// Hexadecimal octets, or the characters of a quoted text.
static bool octets_add(struct text *t, const struct word *w, struct writer *out)
{
    if (w->is_quoted) {
        writer_copy(out, w->octets);
        return true;
    }
    if (w->octets.len % 2 != 0)
        return refuse(t, w->column, "hexadecimal octets have two digits each");
    for (size_t i = 0; i < w->octets.len; i += 2) {
        int high = digit_of(w->octets.at[i]);
        int low = digit_of(w->octets.at[i + 1]);
        if (high > 15 || low > 15)
            return refuse(t, w->column + (unsigned)i, "this is no hexadecimal octet");
        writer_u8(out, (uint8_t)(high << 4 | low));
    }
    return true;
}

// --- PINs ------------------------------------------------------------------------------------

static bool pin_need(struct text *t, enum uicc_pin *pin)
{
    static const char *const names[UICC_PINS] = {"PIN1", "PIN2", "ADM1", "UNIVERSAL"};
    struct word w;
    if (!word_need(t, &w, "the name of a PIN is missing"))
        return false;
    for (unsigned i = 0; i < UICC_PINS; i++) {
        if (word_is(&w, names[i])) {
            *pin = (enum uicc_pin)i;
            return true;
        }
    }
    return refuse(t, w.column, "PINs are PIN1, PIN2, ADM1 and UNIVERSAL");
}

// 4 to 8 digits, filled up with FF [102.221 §9.5.1].
static bool digits_need(struct text *t, uint8_t value[UICC_PIN_LEN], size_t min)
{
    struct word w;
    if (!word_need(t, &w, "the digits are missing"))
        return false;
    bool is_right = w.octets.len >= min && w.octets.len <= UICC_PIN_LEN;
    for (size_t i = 0; is_right && i < w.octets.len; i++)
        is_right = digit_of(w.octets.at[i]) < 10;
    if (!is_right)
        return refuse(t, w.column, "PINs have 4 to 8 digits, unblocking keys 8");
    memset(value, 0xFF, UICC_PIN_LEN);
    memcpy(value, w.octets.at, w.octets.len);
    return true;
}

static bool read_pin(struct text *t)
{
    struct uicc_pin_values *pins = &t->image->product.pins;
    enum uicc_pin pin;
    struct word w;
    if (!pin_need(t, &pin) || !digits_need(t, pins->pin[pin], 4))
        return false;
    while (word_next(t, &w)) {
        unsigned bit = 1U << pin;
        unsigned tries;
        if (word_is(&w, "enabled")) {
            pins->enabled |= (uint8_t)bit;
        } else if (word_is(&w, "disabled") && pin != UICC_ADM1) {
            pins->enabled &= (uint8_t)~bit;
        } else if (word_is(&w, "tries")) {
            if (!number_need(t, 10, 0, 15, &tries))
                return false;
            pins->tries[pin] = (uint8_t)tries;
        } else {
            return refuse(t, w.column, "a PIN is enabled, disabled (not ADM1), and has tries");
        }
    }
    return !t->failed;
}

static bool read_puk(struct text *t)
{
    struct uicc_pin_values *pins = &t->image->product.pins;
    unsigned column = place(t);
    enum uicc_pin pin;
    unsigned tries;
    struct word w;
    if (!pin_need(t, &pin))
        return false;
    if (pin != UICC_PIN1 && pin != UICC_PIN2)
        return refuse(t, column, "only PIN1 and PIN2 have an unblocking key");
    if (!digits_need(t, pins->puk[pin], UICC_PIN_LEN))
        return false;
    if (!word_next(t, &w))
        return !t->failed;
    if (!word_is(&w, "tries"))
        return refuse(t, w.column, "an unblocking key has tries");
    if (!number_need(t, 10, 0, 15, &tries))
        return false;
    pins->puk_tries[pin] = (uint8_t)tries;
    return true;
}

// --- templates -------------------------------------------------------------------------------

static bool read_template(struct text *t)
{
    struct product_image *image = t->image;
    unsigned column = place(t);
    unsigned number;
    if (!number_need(t, 10, 1, 255, &number))
        return false;
    for (size_t i = 0; i < image->product.template_count; i++) {
        if (image->templates[i].number == number)
            return refuse(t, column, "this template is there already");
    }
    if (image->product.template_count == PRODUCT_TEMPLATES_MAX)
        return refuse(t, column, "there are too many templates");
    t->current = &image->templates[image->product.template_count++];
    *t->current = (struct product_template){
        .number = (uint8_t)number, .overrides.at = &image->overrides[image->override_count]};
    return true;
}

// FOLDER/FILE, as "ADF.USIM/EF.SPN".
static bool file_need(struct text *t, const struct uicc_row **row)
{
    struct word w;
    if (!word_need(t, &w, "the name of a file is missing"))
        return false;
    size_t slash = 0;
    while (slash < w.octets.len && w.octets.at[slash] != '/')
        slash++;
    struct bytes folder = bytes_slice(w.octets, 0, slash);
    for (unsigned f = 0; f < UICC_FOLDERS; f++) {
        if (!bytes_equal(bytes_of_text(uicc_folder_row((enum uicc_folder)f)->name), folder))
            continue;
        *row = uicc_row_named((enum uicc_folder)f, bytes_slice(w.octets, slash + 1, SIZE_MAX));
        if (*row == NULL)
            return refuse(t, w.column + (unsigned)slash + 1,
                          "there is no such file in this folder");
        if ((*row)->link != NULL)
            return refuse(t, w.column, "this file is another one's by a second name");
        if ((*row)->kind == UICC_FOLDER || (*row)->owner == UICC_OWNER_CARD)
            return refuse(t, w.column, "this file does not belong to a subscription");
        return true;
    }
    return refuse(t, w.column, "files are named with their folder: ADF.USIM/EF.SPN");
}

// The content of the file in this template, all of it, made when it is not there yet.
static uint8_t *content_of(struct text *t, const struct uicc_row *row)
{
    struct product_image *image = t->image;
    struct uicc_overrides *overrides = &t->current->overrides;
    for (size_t i = 0; i < overrides->count; i++) {
        if (overrides->at[i].row == row)
            return image->octets + (overrides->at[i].content.at - image->octets);
    }
    if (image->override_count == PRODUCT_OVERRIDES_MAX ||
        image->octets_len + row->size > PRODUCT_OCTETS_MAX)
        return NULL;
    uint8_t *content = image->octets + image->octets_len;
    memset(content, 0xFF, row->size);
    image->overrides[image->override_count++] =
        (struct uicc_override){.row = row, .content = bytes_of(content, row->size)};
    image->octets_len += row->size;
    overrides->count++;
    return content;
}

static bool read_file(struct text *t)
{
    const struct uicc_row *row = NULL;
    unsigned column = place(t);
    if (t->current == NULL)
        return refuse(t, 1, "a file belongs to a template: say which one first");
    if (!file_need(t, &row))
        return false;
    uint8_t *content = content_of(t, row);
    if (content == NULL)
        return refuse(t, column, "the templates have too many or too large files");
    size_t size = row->size;
    struct word w;
    struct writer out = writer_of(content, size);
    for (bool is_first = true; word_next(t, &w); is_first = false) {
        if (is_first && word_is(&w, "record")) {
            unsigned record;
            unsigned count = row->record_len == 0 ? 0 : row->size / row->record_len;
            if (count == 0)
                return refuse(t, w.column, "this file has no records");
            if (!number_need(t, 10, 1, count, &record))
                return false;
            out = writer_of(content + (record - 1) * row->record_len, row->record_len);
            memset(out.at, 0xFF, out.cap);
            continue;
        }
        if (!octets_add(t, &w, &out))
            return false;
        if (out.failed)
            return refuse(t, w.column, "this is more than the file or the record holds");
    }
    return !t->failed;
}

// --- remote management -----------------------------------------------------------------------

static bool key_need(struct text *t, bool is_legacy, struct secret_key *key)
{
    struct word w;
    uint8_t octets[SECRET_KEY_MAX];
    struct writer out = writer_of(octets, sizeof octets);
    if (!word_need(t, &w, "a key is missing"))
        return false;
    bool is_read = octets_add(t, &w, &out);
    bool is_right = is_read && !out.failed && !w.is_quoted &&
                    (out.len == 16 || out.len == 24 || (out.len == 32 && !is_legacy));
    if (is_right)
        *key = secret_key_of(writer_bytes(&out));
    secret_wipe(octets, sizeof octets);
    return is_right || (is_read && refuse(t, w.column, "keys have 16, 24 or (AES) 32 octets"));
}

static bool read_key_set(struct text *t)
{
    struct product_image *image = t->image;
    unsigned column = place(t);
    unsigned version;
    struct word w;
    if (!number_need(t, 10, 1, 15, &version))
        return false;
    for (size_t i = 0; i < image->product.key_set_count; i++) {
        if (image->key_sets[i].version == version)
            return refuse(t, column, "this key set is there already");
    }
    if (image->product.key_set_count == PRODUCT_KEY_SETS_MAX)
        return refuse(t, column, "there are too many key sets");
    if (!word_need(t, &w, "the algorithm is missing: aes, or legacy for triple DES"))
        return false;
    bool is_legacy = word_is(&w, "legacy");
    if (!is_legacy && !word_is(&w, "aes"))
        return refuse(t, w.column, "the algorithm is aes, or legacy for triple DES");
    struct product_key_set *set = &image->key_sets[image->product.key_set_count];
    *set = (struct product_key_set){.version = (uint8_t)version, .is_legacy = is_legacy};
    if (!key_need(t, is_legacy, &set->kic) || !key_need(t, is_legacy, &set->kid))
        return false;
    image->product.key_set_count++;
    return true;
}

static bool read_key_sets(struct text *t, struct product_target *target)
{
    struct product_image *image = t->image;
    unsigned column = place(t);
    unsigned version;
    if (!number_need(t, 10, 1, 15, &version))
        return false;
    for (size_t i = 0; i < image->product.key_set_count; i++) {
        if (image->key_sets[i].version == version) {
            target->key_sets |= (uint8_t)(1U << i);
            return true;
        }
    }
    return refuse(t, column, "there is no such key set above");
}

static bool refresh_need(struct text *t, uint8_t *mode)
{
    static const char *const modes[] = {
        [CAT_REFRESH_INIT_AND_FULL_FILE_CHANGE] = "init-full",
        [CAT_REFRESH_FILE_CHANGE] = "files",
        [CAT_REFRESH_INIT_AND_FILE_CHANGE] = "init-files",
        [CAT_REFRESH_INIT] = "init",
        [CAT_REFRESH_CARD_RESET] = "reset",
        [CAT_REFRESH_APPLICATION_RESET] = "application",
        [CAT_REFRESH_SESSION_RESET] = "session",
        [CAT_REFRESH_STEERING] = "steering",
    };
    struct word w;
    if (!word_need(t, &w, "the mode of refresh is missing"))
        return false;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (word_is(&w, modes[i])) {
            *mode = (uint8_t)i;
            return true;
        }
    }
    return refuse(t, w.column,
                  "refresh is one of files, init, init-files, init-full, reset, application, "
                  "session, steering");
}

static bool read_target(struct text *t)
{
    struct product_image *image = t->image;
    unsigned column = place(t);
    unsigned tar;
    unsigned level;
    enum uicc_pin pin;
    struct word w;
    if (!number_need(t, 16, 0, 0xFFFFFF, &tar))
        return false;
    if (image->product.target_count == PRODUCT_TARGETS_MAX)
        return refuse(t, column, "there are too many targets");
    struct product_target *target = &image->targets[image->product.target_count];
    *target = (struct product_target){.tar = tar, .minimum = 0x16, .refresh = TARGET_NO_REFRESH};
    if (!word_need(t, &w, "what the TAR stands for is missing: shared, usim or isim"))
        return false;
    if (word_is(&w, "usim"))
        target->folder = UICC_USIM;
    else if (word_is(&w, "isim"))
        target->folder = UICC_ISIM;
    else if (!word_is(&w, "shared"))
        return refuse(t, w.column, "a TAR stands for shared, usim or isim");
    while (word_next(t, &w)) {
        bool is_read;
        if (word_is(&w, "level")) {
            is_read = number_need(t, 16, 0, 0x1F, &level);
            target->minimum = (uint8_t)level;
        } else if (word_is(&w, "grants")) {
            is_read = pin_need(t, &pin);
            target->granted |= is_read ? (uint8_t)(1U << pin) : 0;
        } else if (word_is(&w, "key-set")) {
            is_read = read_key_sets(t, target);
        } else if (word_is(&w, "refresh")) {
            is_read = refresh_need(t, &target->refresh);
        } else {
            is_read = refuse(t, w.column, "a target has level, grants, key-set and refresh");
        }
        if (!is_read)
            return false;
    }
    if (t->failed)
        return false;
    if (target->key_sets == 0)
        return refuse(t, column, "a target needs a key-set");
    image->product.target_count++;
    return true;
}

static bool read_tuak(struct text *t)
{
    struct tuak_options *options = &t->image->product.tuak;
    struct word w;
    while (word_next(t, &w)) {
        unsigned value;
        if (!number_need(t, 10, 1, 32, &value))
            return false;
        bool is_power = (value & (value - 1)) == 0;
        if (word_is(&w, "iterations") && value <= TUAK_ITERATIONS_MAX)
            options->iterations = (uint8_t)value;
        else if (word_is(&w, "res") && is_power && value >= 4 && value <= 16)
            options->res_len = (uint8_t)value;
        else if (word_is(&w, "ck") && is_power && value >= 16)
            options->ck_len = (uint8_t)value;
        else if (word_is(&w, "ik") && is_power && value >= 16)
            options->ik_len = (uint8_t)value;
        else
            return refuse(t, w.column,
                          "TUAK has iterations 1 to 16, res 4, 8 or 16, ck and ik 16 or 32");
    }
    return !t->failed;
}

// --- lines -----------------------------------------------------------------------------------

static bool read_line(struct text *t, bool *is_begun)
{
    static const struct {
        const char *word;
        bool (*read)(struct text *t);
    } statements[] = {
        {"pin", read_pin},   {"puk", read_puk},         {"template", read_template},
        {"file", read_file}, {"key-set", read_key_set}, {"target", read_target},
        {"tuak", read_tuak},
    };
    struct word w;
    unsigned version;
    if (!word_next(t, &w))
        return !t->failed;
    if (!*is_begun) {
        *is_begun = true;
        if (!word_is(&w, "otaria-card"))
            return refuse(t, w.column, "a card product begins with: otaria-card 1");
        return number_need(t, 10, 1, 1, &version);
    }
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (!word_is(&w, statements[i].word))
            continue;
        if (!statements[i].read(t))
            return false;
        return !word_next(t, &w) || refuse(t, w.column, "this is more than the line needs");
    }
    return refuse(t, w.column, "lines are pin, puk, template, file, key-set, target, tuak");
}

static void image_init(struct product_image *image)
{
    memset(image, 0, sizeof *image);
    image->product = card_product_standard;
    image->product.templates = image->templates;
    image->product.key_sets = image->key_sets;
    image->product.targets = image->targets;
}

bool product_read(struct bytes text, struct product_image *image, struct product_error *error)
{
    struct text t = {.image = image, .error = error};
    bool is_begun = false;
    image_init(image);
    while (text.len > 0 && !t.failed) {
        size_t len = 0;
        while (len < text.len && text.at[len] != '\n')
            len++;
        t.line = bytes_of(text.at, len);
        t.number++;
        t.column = 1;
        (void)read_line(&t, &is_begun);
        text = bytes_slice(text, len + 1, SIZE_MAX);
    }
    if (!is_begun)
        (void)refuse(&t, 1, "a card product begins with: otaria-card 1");
    if (t.failed) {
        secret_wipe(image, sizeof *image);
        image_init(image);
    }
    return !t.failed;
}
