// A card product's text: any text ends in a product whose parts are in range, or in a reason with a
// place.
#include "common/base/check.h"
#include "sim-emulator/core/product_read.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct product_image image;
    struct product_error error;
    if (!product_read(bytes_of(data, len), &image, &error)) {
        check(error.reason != NULL && error.reason[0] != 0 && error.column >= 1);
        return 0;
    }
    const struct card_product *p = &image.product;
    check(p->key_set_count <= PRODUCT_KEY_SETS_MAX && p->target_count <= PRODUCT_TARGETS_MAX);
    for (size_t i = 0; i < p->template_count; i++) {
        const struct uicc_overrides *files = &p->templates[i].overrides;
        for (size_t f = 0; f < files->count; f++)
            check(files->at[f].content.len == files->at[f].row->size);
    }
    for (size_t i = 0; i < p->target_count; i++)
        check(p->targets[i].tar <= 0xFFFFFF && p->targets[i].key_sets != 0);
    return 0;
}
