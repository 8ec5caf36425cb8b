// A card product's text and a card made with it: the files of its subscription are those of the
// template, octet for octet, and otherwise those of a card without one. A text that is wrong leaves
// the standard product whole.
#include "common/base/check.h"
#include "sim-emulator/core/product_read.h"
#include "tests/unit/sim/lab.h"

#include <stdint.h>

#define FILES_MAX 256
#define OCTETS_MAX 32768

// The files of a card, one after the other.
struct content {
    size_t count;
    struct {
        const struct uicc_row *row;
        size_t at;
    } files[FILES_MAX];
    uint8_t octets[OCTETS_MAX];
    size_t len;
};

static struct lab lab;
static struct product_image image;
static struct content bare, made;

static void take_folder(struct content *c, const struct uicc_files *files, enum uicc_folder folder)
{
    const struct uicc_rows rows = uicc_rows(folder);
    for (uint8_t i = 0; i < rows.count; i++) {
        const struct uicc_row *row = &rows.at[i];
        struct uicc_file file;
        if (row->kind == UICC_FOLDER || row->link != NULL ||
            !uicc_find(files, (uint8_t)folder, row->identifier, &file))
            continue;
        check(c->count < FILES_MAX && row->size <= OCTETS_MAX - c->len);
        c->files[c->count].row = row;
        c->files[c->count++].at = c->len;
        for (size_t at = 0; at < row->size; at += 256) {
            const size_t len = row->size - at < 256 ? row->size - at : 256;
            check(uicc_read(files, &file, at, c->octets + c->len, len));
            c->len += len;
        }
    }
}

// A new card of this product, NULL for the standard one, whose first subscription has this
// template.
static void take(struct content *c, const struct card_product *product, uint8_t number)
{
    static struct card card;
    uint8_t octets[CARD_ATR_MAX];
    struct writer atr = writer_of(octets, sizeof octets);
    c->count = c->len = 0;
    lab.shop.product = product;
    lab.slots[0].template_number = number;
    card_init(&card, &lab.shop, &lab.factories[0]);
    card_reset(&card, &atr);
    check(atr.len > 0);
    const struct applet_port port = card_port(&card);
    struct uicc_files files = card_files(&card, &port);
    uicc_files_look(&files);
    for (int folder = UICC_MF; folder < UICC_FOLDERS; folder++)
        take_folder(c, &files, (enum uicc_folder)folder);
    card_release(&card);
    lab.shop.product = NULL;
}

static const uint8_t *override_of(const struct product_template *t, const struct uicc_row *row)
{
    for (size_t i = 0; i < t->overrides.count; i++) {
        if (t->overrides.at[i].row == row)
            return t->overrides.at[i].content.at;
    }
    return NULL;
}

static void judge(const struct product_template *t)
{
    take(&bare, NULL, t->number);
    take(&made, &image.product, t->number);
    size_t overridden = 0;
    check(bare.count == made.count && bare.len == made.len && bare.count > 0);
    for (size_t i = 0; i < made.count; i++) {
        const struct uicc_row *row = made.files[i].row;
        const uint8_t *wanted = override_of(t, row);
        overridden += wanted != NULL;
        if (wanted == NULL)
            wanted = bare.octets + bare.files[i].at;
        check(memcmp(made.octets + made.files[i].at, wanted, row->size) == 0);
    }
    check(overridden == t->overrides.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct product_image none;
    struct product_error error;
    if (lab.pages == NULL)
        lab_open(&lab, 1, NULL);
    if (!product_read(bytes_of(data, len), &image, &error)) {
        check(!product_read(bytes_of(NULL, 0), &none, &error));
        // They differ in where they are.
        const struct card_product *a = &image.product;
        const struct card_product *b = &none.product;
        check(a->template_count == b->template_count && a->key_set_count == b->key_set_count &&
              a->target_count == b->target_count && image.override_count == 0 &&
              image.octets_len == 0 && memcmp(&a->pins, &b->pins, sizeof a->pins) == 0 &&
              memcmp(&a->tuak, &b->tuak, sizeof a->tuak) == 0);
        check(memcmp(image.octets, none.octets, sizeof image.octets) == 0 &&
              memcmp(image.key_sets, none.key_sets, sizeof image.key_sets) == 0);
        return 0;
    }
    check(image.product.template_count <= PRODUCT_TEMPLATES_MAX &&
          image.override_count <= PRODUCT_OVERRIDES_MAX && image.octets_len <= PRODUCT_OCTETS_MAX);
    for (size_t i = 0; i < image.product.template_count; i++)
        judge(&image.product.templates[i]);
    return 0;
}
