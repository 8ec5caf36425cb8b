// A month of the trail as anybody could have left its file: each line fits or does not, and what
// fits is spelt in one way only. Every hash is zero here, so that the search gets behind it.
#include "common/base/check.h"
#include "ota-server/core/trail_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool hash_nothing(void *context, const struct bytes *parts, size_t part_count,
                         uint8_t digest[CIPHER_SHA256_SIZE])
{
    (void)context;
    (void)parts;
    (void)part_count;
    memset(digest, 0, CIPHER_SHA256_SIZE);
    return true;
}

static const struct cipher cipher = {.sha256 = hash_nothing};

static void expect_spelt(const struct writer *w, struct bytes line)
{
    check(!w->failed && w->len == line.len + 1 && w->at[line.len] == '\n');
    check(bytes_equal(bytes_of(w->at, line.len), line));
}

static void feed(struct trail_file *f, struct bytes line)
{
    char text[512];
    struct writer w = writer_of(text, sizeof(text));
    const uint64_t before = f->next;
    const bool had_ended = f->has_ended;
    const enum trail_file_status status = trail_file_line(f, &cipher, line);
    if (status == TRAIL_FILE_OK && before == 0) {
        check(f->next == f->head.first && f->next > 0);
        trail_file_head_write(&w, &f->head);
        expect_spelt(&w, line);
    } else if (status == TRAIL_FILE_OK) {
        check(f->next == before + 1 && !had_ended);
    } else {
        check(f->next == before);
    }
    if (status != TRAIL_FILE_END)
        return;
    check(f->has_ended && !had_ended && f->end.last == f->next - 1);
    trail_file_end_write(&w, &f->end);
    expect_spelt(&w, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct trail_file f;
    struct bytes rest = bytes_of(data, len);
    trail_file_init(&f);
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.at, '\n', rest.len);
        const size_t line_len = end != NULL ? (size_t)(end - rest.at) : rest.len;
        feed(&f, bytes_slice(rest, 0, line_len));
        rest = bytes_slice(rest, line_len + 1, rest.len);
    }
    return 0;
}
