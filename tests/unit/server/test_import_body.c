// What is kept of a vendor file opens as it came, or not at all.
#include "tests/lib/cmocka_all.h"

#include "common/host/crypto.h"
#include "ota-server/service/import_body.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536
#define TAG 16

struct world {
    struct crypto *crypto;
    char folder[32], path[96];
    struct import_body body;
    size_t len;
    uint8_t octets[3 * PIECE];
};

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->crypto = crypto_open();
    (void)snprintf(w->folder, sizeof(w->folder), "/tmp/body-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->body = (struct import_body){.import = 0x0123456789ABCDEF, .seed = {.len = 16}};
    memset(w->body.seed.octets, 7, 16);
    for (size_t i = 0; i < sizeof(w->octets); i++)
        w->octets[i] = (uint8_t)(i / 251 + i);
    *state = w;
    return 0;
}

static int close_world(void **state)
{
    struct world *w = *state;
    import_body_remove(w->folder, w->body.import);
    assert_int_equal(rmdir(w->folder), 0);
    crypto_close(w->crypto);
    free(w);
    return 0;
}

static void keep(struct world *w, size_t len)
{
    FILE *from = tmpfile();
    assert_non_null(from);
    assert_int_equal(fwrite(w->octets, 1, len, from), len);
    assert_true(import_body_write(w->crypto, w->folder, &w->body, from));
    assert_int_equal(fclose(from), 0);
    w->len = len;
}

static bool opens(const struct world *w, const struct import_body *body)
{
    static uint8_t back[sizeof(w->octets)];
    FILE *to = tmpfile();
    assert_non_null(to);
    const bool is_read = import_body_read(w->crypto, w->folder, body, to);
    rewind(to);
    const size_t len = fread(back, 1, sizeof(back), to);
    assert_int_equal(fclose(to), 0);
    if (is_read) {
        assert_int_equal(len, w->len);
        assert_memory_equal(back, w->octets, len);
    }
    return is_read;
}

// The one file of the folder.
static FILE *kept(struct world *w, const char *mode)
{
    unsigned count = 0;
    DIR *dir = opendir(w->folder);
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(w->path, sizeof(w->path), "%s/%.40s", w->folder, e->d_name);
        count++;
    }
    assert_int_equal(closedir(dir), 0);
    assert_int_equal(count, 1);
    FILE *file = fopen(w->path, mode);
    assert_non_null(file);
    return file;
}

static size_t size_of(struct world *w)
{
    FILE *file = kept(w, "rb");
    struct stat about;
    assert_int_equal(fstat(fileno(file), &about), 0);
    assert_int_equal(fclose(file), 0);
    return (size_t)about.st_size;
}

static void a_file_opens_as_it_came_whatever_its_length(void **state)
{
    static const size_t lengths[] = {0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        keep(w, lengths[i]);
        assert_true(opens(w, &w->body));
        // A tag for each piece; a last one that is shorter than the others says that it is the end.
        assert_int_equal(size_of(w), lengths[i] + TAG * (lengths[i] / PIECE + 1));
    }
}

static void nothing_of_it_stands_in_clear(void **state)
{
    struct world *w = *state;
    keep(w, PIECE + 100);
    static uint8_t stored[2 * PIECE];
    FILE *file = kept(w, "rb");
    const size_t len = fread(stored, 1, sizeof(stored), file);
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i + 16 <= len; i++)
        assert_memory_not_equal(stored + i, w->octets, 16);
}

static void another_octet_does_not_open(void **state)
{
    static const long places[] = {0, PIECE - 1, PIECE + TAG - 1, PIECE + TAG, PIECE + 2 * TAG + 99};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        keep(w, PIECE + 100);
        FILE *file = kept(w, "r+b");
        assert_int_equal(fseek(file, places[i], SEEK_SET), 0);
        const int octet = fgetc(file);
        assert_int_equal(fseek(file, places[i], SEEK_SET), 0);
        assert_int_equal(fputc(octet ^ 1, file), octet ^ 1);
        assert_int_equal(fclose(file), 0);
        assert_false(opens(w, &w->body));
    }
}

static void a_cut_between_pieces_is_no_end(void **state)
{
    struct world *w = *state;
    keep(w, 2 * PIECE + 5);
    (void)size_of(w);
    assert_int_equal(truncate(w->path, 2 * (PIECE + TAG)), 0);
    assert_false(opens(w, &w->body));
    assert_int_equal(truncate(w->path, 0), 0);
    assert_false(opens(w, &w->body));
}

static void pieces_in_another_order_do_not_open(void **state)
{
    static uint8_t first[PIECE + TAG];
    static uint8_t second[PIECE + TAG];
    struct world *w = *state;
    keep(w, 2 * PIECE + 5);
    FILE *file = kept(w, "r+b");
    assert_int_equal(fread(first, 1, sizeof(first), file), sizeof(first));
    assert_int_equal(fread(second, 1, sizeof(second), file), sizeof(second));
    rewind(file);
    assert_int_equal(fwrite(second, 1, sizeof(second), file), sizeof(second));
    assert_int_equal(fwrite(first, 1, sizeof(first), file), sizeof(first));
    assert_int_equal(fclose(file), 0);
    assert_false(opens(w, &w->body));
}

static void another_key_or_none_does_not_open(void **state)
{
    struct world *w = *state;
    keep(w, 1000);
    struct import_body other = w->body;
    other.seed.octets[15] ^= 1;
    assert_false(opens(w, &other));
    assert_true(opens(w, &w->body));
    import_body_remove(w->folder, w->body.import);
    assert_false(opens(w, &w->body));
}

static void what_cannot_be_written_leaves_nothing(void **state)
{
    struct world *w = *state;
    FILE *from = tmpfile();
    assert_non_null(from);
    assert_false(import_body_write(w->crypto, "/tmp/there/is/no/such/folder", &w->body, from));
    assert_int_equal(fclose(from), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)
    const struct CMUnitTest tests[] = {
        TEST(a_file_opens_as_it_came_whatever_its_length),
        TEST(nothing_of_it_stands_in_clear),
        TEST(another_octet_does_not_open),
        TEST(a_cut_between_pieces_is_no_end),
        TEST(pieces_in_another_order_do_not_open),
        TEST(another_key_or_none_does_not_open),
        TEST(what_cannot_be_written_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
