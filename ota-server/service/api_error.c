#include "ota-server/service/api_error.h"

#include "common/base/check.h"
#include "common/base/text.h"

static const struct {
    unsigned status;
    const char *wire;
    const char *text;
} codes[] = {{200, "", ""},
#define X(name, status, wire, text) {status, wire, text},
             API_CODES(X)
#undef X
};

unsigned api_code_status(enum api_code code)
{
    check((size_t)code < sizeof(codes) / sizeof(codes[0]));
    return codes[code].status;
}

const char *api_code_wire(enum api_code code)
{
    check((size_t)code < sizeof(codes) / sizeof(codes[0]));
    return codes[code].wire;
}

const char *api_code_text(enum api_code code)
{
    check((size_t)code < sizeof(codes) / sizeof(codes[0]));
    return codes[code].text;
}

// Copies what is printable ASCII and cuts the rest, so that a peer's text is safe in every place.
static void copy_clean(char *to, size_t size, struct bytes text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len + 1 < size; i++) {
        if (text.at[i] >= 0x20 && text.at[i] < 0x7F)
            to[len++] = (char)text.at[i];
    }
    to[len] = '\0';
}

struct api_problem api_problem_of(enum api_code code)
{
    return (struct api_problem){.code = code};
}

struct api_problem api_problem_text(enum api_code code, const char *message)
{
    struct api_problem p = {.code = code};
    copy_clean(p.message, sizeof(p.message), bytes_of_text(message));
    return p;
}

struct api_problem api_problem_field(enum api_code code, struct bytes field, const char *message)
{
    struct api_problem p = {.code = code};
    copy_clean(p.field, sizeof(p.field), field);
    struct writer w = writer_of(p.message, sizeof(p.message));
    text_put(&w, message);
    if (p.field[0] != '\0') {
        text_put(&w, ": ");
        text_put(&w, p.field);
    }
    text_end(&w);
    return p;
}

static void put_number(struct writer *w, int64_t number)
{
    if (number < 0)
        text_put(w, "-");
    text_decimal(w, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

static void put_range(struct writer *w, int64_t min, int64_t max)
{
    text_put(w, "from ");
    put_number(w, min);
    text_put(w, " to ");
    put_number(w, max);
}

struct api_problem api_problem_range(struct bytes field, int64_t min, int64_t max)
{
    char message[API_FIELD_MAX];
    struct writer w = writer_of(message, sizeof(message));
    text_put(&w, "It must be ");
    put_range(&w, min, max);
    return api_problem_field(API_OUT_OF_RANGE, field, text_end(&w));
}

struct api_problem api_problem_length(struct bytes field, size_t min, size_t max)
{
    char message[API_FIELD_MAX + 16];
    struct writer w = writer_of(message, sizeof(message));
    text_put(&w, "It must have ");
    if (min == max)
        text_decimal(&w, min);
    else
        put_range(&w, (int64_t)min, (int64_t)max);
    text_put(&w, " octets");
    return api_problem_field(API_INVALID_ARGUMENT, field, text_end(&w));
}

struct api_problem api_problem_enum(struct bytes field, const char *const *names)
{
    char message[API_MESSAGE_MAX - API_FIELD_MAX - 2];
    struct writer w = writer_of(message, sizeof(message));
    text_put(&w, "One of");
    for (size_t i = 0; names[i] != NULL; i++) {
        const bool has_room = strlen(names[i]) + sizeof(" ...") + 2 < sizeof(message) - w.len;
        text_put(&w, has_room ? " " : " ...");
        if (!has_room)
            break;
        text_put(&w, names[i]);
    }
    return api_problem_field(API_INVALID_ARGUMENT, field, text_end(&w));
}

struct api_problem api_problem_reason(enum api_code code, const char *reason, const char *message)
{
    struct api_problem p = api_problem_text(code, message);
    copy_clean(p.reason, sizeof(p.reason), bytes_of_text(reason));
    return p;
}
