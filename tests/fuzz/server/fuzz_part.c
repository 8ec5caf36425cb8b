// The sealed part of a card that waits for another file of its batch. Only who has the key could
// have written it, so the harness seals the input as the server does. The card is completed, and is
// then one that loads, or nothing of it has changed.
#include "common/base/check.h"
#include "ota-server/service/import_registry.h"
#include "tests/unit/api/api_lab.h"

#include <stdlib.h>

#define IMPORT 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void load(struct store *store, uint64_t card, uint8_t *octets, struct writer *w)
{
    static struct record r;
    check(store_card_load(store, card, &r) == STORE_OK);
    check(r.slot_count <= COMMAND_SLOTS_MAX && r.template_count <= COMMAND_TEMPLATES_MAX);
    *w = writer_of(octets, RECORD_OCTETS_MAX);
    record_write(w, &r);
    check(!w->failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct lab lab;
    static uint64_t card;
    static struct load *part;
    static uint8_t octets[2][RECORD_OCTETS_MAX];
    struct writer before;
    struct writer after;
    if (lab.store == NULL) {
        struct record r;
        lab_open(&lab, "all", true);
        card = lab_card(&lab, "8988211000000000019", &r);
        lab_turn(&lab);
        part = load_open();
        check(part != NULL);
    }
    if (len > 4096) // more than a part may have
        return 0;
    struct import_target target = {.store = lab.store,
                                   .turn = lab.turn,
                                   .tenant = LAB_TENANT,
                                   .import = IMPORT,
                                   .now = {1000}};
    bool is_done = false;
    load(lab.store, card, octets[0], &before);
    load_begin(part, &(struct load_head){.import = IMPORT});
    check(load_part(part, lab.store, card, bytes_of(data, len)) == STORE_OK);
    check(store_begin(lab.store) == STORE_OK && store_load(lab.store, part) == STORE_OK);
    const enum store_status status = import_parts_merge(&target, 2, &is_done);
    check(status == STORE_OK ? is_done : !is_done);
    if (status == STORE_OK)
        load(lab.store, card, octets[1], &after); // whatever it became, it can be read
    store_rollback(lab.store);
    load(lab.store, card, octets[1], &after);
    check(bytes_equal(writer_bytes(&before), writer_bytes(&after)));
    return 0;
}
