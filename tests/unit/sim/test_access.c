// Access rules [102.221 §9.5], and the constant table of files that they stand in.
#include "tests/lib/cmocka_all.h"

#include "common/base/text.h"
#include "sim-emulator/core/uicc/access.h"
#include "sim-emulator/core/uicc/tree.h"

static bool may(const char *rule, struct uicc_access access, uint8_t satisfied)
{
    uint8_t octets[128];
    struct writer w = writer_of(octets, sizeof octets);
    assert_true(text_unhex(bytes_of_text(rule), &w));
    return uicc_access_is_allowed(writer_bytes(&w), access, satisfied);
}

#define PIN1 (1U << UICC_PIN1)
#define ADM1 (1U << UICC_ADM1)
static const struct uicc_access read_it = {.mode = UICC_READ};
static const struct uicc_access update_it = {.mode = UICC_UPDATE};

static void always_and_never_are_what_they_say(void **state)
{
    (void)state;
    assert_true(may("8001019000", read_it, 0));
    assert_false(may("8001019700", read_it, 0xFF));
    assert_false(may("8001019000", update_it, 0xFF));
    assert_true(may("8001039000FFFF", update_it, 0));
}

static void a_reference_takes_its_pin(void **state)
{
    (void)state;
    const char *rule = "800101A406830101950108800102A40683010A950108";
    assert_false(may(rule, read_it, 0));
    assert_true(may(rule, read_it, PIN1));
    assert_false(may(rule, update_it, PIN1));
    assert_true(may(rule, update_it, ADM1));
    assert_false(may("800101A40683010B950108", read_it, 0xFF)); // ADM2: this card has none
}

static void or_takes_one_and_and_takes_all(void **state)
{
    (void)state;
    const char *either = "800101A010A406830101950108A40683010A950108";
    assert_false(may(either, read_it, 0));
    assert_true(may(either, read_it, PIN1));
    assert_true(may(either, read_it, ADM1));
    const char *both = "800101AF10A406830101950108A40683010A950108";
    assert_false(may(both, read_it, PIN1));
    assert_false(may(both, read_it, ADM1));
    assert_true(may(both, read_it, PIN1 | ADM1));
    assert_false(may("800101AF00", read_it, 0xFF));
    assert_false(may("800101A000", read_it, 0xFF));
}

static void an_instruction_is_named_by_its_code(void **state)
{
    (void)state;
    const struct uicc_access increase = {.ins = 0x32};
    assert_true(may("8401329000", increase, 0));
    assert_false(may("8401D49000", increase, 0));
    assert_false(may("80017F9000", increase, 0));
    assert_false(may("8401329000", read_it, 0));
}

static void what_is_not_understood_is_not_allowed(void **state)
{
    (void)state;
    assert_false(may("", read_it, 0xFF));
    assert_false(may("FFFF", read_it, 0xFF));
    assert_false(may("9000", read_it, 0xFF));             // a condition of nothing
    assert_false(may("800101B6038301FF", read_it, 0xFF)); // another template
    assert_false(may("800101A4098301", read_it, 0xFF));   // cut
    assert_false(may("8101019000", read_it, 0xFF));
    assert_true(may("8101019700"
                    "8001019000",
                    read_it, 0));
}

// Every file: no two at one place of the store, views and records within their bounds, and one rule
// each.
static void the_table_of_files_is_sound(void **state)
{
    (void)state;
    static uint8_t used[sizeof(struct uicc_layout)];
    unsigned files = 0;
    for (unsigned f = 0; f < UICC_FOLDERS; f++) {
        struct uicc_rows rows = uicc_rows((enum uicc_folder)f);
        assert_true(rows.count <= 64);
        for (unsigned i = 0; i < rows.count; i++) {
            const struct uicc_row *row = &rows.at[i];
            for (unsigned j = 0; j < i; j++) {
                assert_int_not_equal(row->identifier, rows.at[j].identifier);
                if (row->short_identifier != 0)
                    assert_int_not_equal(row->short_identifier, rows.at[j].short_identifier);
            }
            assert_ptr_equal(uicc_row_named((enum uicc_folder)f, bytes_of_text(row->name)), row);
            if (row->link != NULL) {
                assert_null(row->link->link);
                assert_int_not_equal(row->link->kind, UICC_FOLDER);
                continue;
            }
            files++;
            assert_true(row->rule >= 1 && row->rule <= UICC_RULES);
            if (row->kind == UICC_FOLDER) {
                assert_ptr_equal(uicc_folder_row((enum uicc_folder)row->opens), row);
                assert_int_equal(uicc_folder_parent((enum uicc_folder)row->opens), f);
                continue;
            }
            assert_true(row->size > 0 && row->content.len <= row->size);
            assert_true(row->view == NULL || row->size <= UICC_VIEW_MAX);
            assert_true(row->short_identifier < 0x1F);
            assert_int_equal(row->record_len != 0, row->kind != UICC_TRANSPARENT);
            if (row->record_len != 0)
                assert_int_equal(row->size % row->record_len, 0);
            size_t size = row->size + (row->kind == UICC_CYCLIC ? 1U : 0U);
            for (size_t at = 0; at < size; at++)
                assert_int_equal(used[row->at + at]++, 0);
        }
    }
    assert_true(files >= 60);
}

// The location of a device is one chunk, so that a card of a fleet pays one page for it.
static void the_location_files_share_a_chunk(void **state)
{
    (void)state;
    size_t end = offsetof(struct uicc_layout, fplmn) + sizeof((struct uicc_layout *)0)->fplmn;
    assert_int_equal(offsetof(struct uicc_layout, loci), 0);
    assert_true(end <= UICC_CHUNK_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(always_and_never_are_what_they_say),
        cmocka_unit_test(a_reference_takes_its_pin),
        cmocka_unit_test(or_takes_one_and_and_takes_all),
        cmocka_unit_test(an_instruction_is_named_by_its_code),
        cmocka_unit_test(what_is_not_understood_is_not_allowed),
        cmocka_unit_test(the_table_of_files_is_sound),
        cmocka_unit_test(the_location_files_share_a_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
