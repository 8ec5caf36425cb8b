// Members of an answer in the forms that all answers share.
#include "ota-server/service/api_json.h"
#include "tests/lib/cmocka_all.h"

static void hexadecimal_of_any_length_is_written_whole(void **state)
{
    static const size_t lens[] = {0, 1, 63, 64, 65, 200};
    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        uint8_t octets[200];
        char text[512];
        char wanted[512] = "{\"a\":\"";
        memset(octets, 0x5A, sizeof(octets));
        for (size_t k = 0; k < lens[i]; k++)
            memcpy(wanted + 6 + 2 * k, "5a", 3);
        memcpy(wanted + 6 + 2 * lens[i], "\",\"b\":\"00\"}", 12);
        struct writer w = writer_of(text, sizeof(text));
        struct json_writer j = json_writer_of(&w);
        json_begin_object(&j);
        api_put_hex(&j, "a", bytes_of(octets, lens[i]));
        api_put_hex(&j, "b", bytes_of("", 1));
        json_end_object(&j);
        assert_true(json_done(&j));
        writer_u8(&w, 0);
        assert_string_equal(text, wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_of_any_length_is_written_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
