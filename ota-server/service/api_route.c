#include "ota-server/service/api_route.h"

#include "common/base/text.h"
#include "ota-server/service/api_text.h"

static const struct {
    const char *name;
    unsigned method;
} methods_known[] = {
    {"GET", API_GET},     {"HEAD", API_HEAD},     {"POST", API_POST},       {"PUT", API_PUT},
    {"PATCH", API_PATCH}, {"DELETE", API_DELETE}, {"OPTIONS", API_OPTIONS},
};

#define METHOD_COUNT (sizeof(methods_known) / sizeof(methods_known[0]))

unsigned api_method_of(struct bytes name)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (bytes_equal(name, bytes_of_text(methods_known[i].name)))
            return methods_known[i].method;
    }
    return 0;
}

void api_allow_write(struct writer *w, unsigned methods)
{
    methods |= API_OPTIONS;
    if ((methods & API_GET) != 0)
        methods |= API_HEAD;
    const char *between = "";
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if ((methods & methods_known[i].method) == 0)
            continue;
        text_put(w, between);
        text_put(w, methods_known[i].name);
        between = ", ";
    }
}

bool api_path_matches(const char *pattern, struct bytes path, struct api_match *match)
{
    match->count = 0;
    for (size_t i = 0; pattern[i] != '*' && pattern[i] != '\0'; i++) {
        if (i == path.len || path.at[i] != (uint8_t)pattern[i])
            return false; // as most of the many patterns do
    }
    struct bytes left = bytes_of_text(pattern);
    while (left.len > 0 && path.len > 0) {
        const struct bytes expected = api_until(left, '/');
        const struct bytes found = api_until(path, '/');
        if (bytes_equal(expected, bytes_of_text("*"))) {
            if (found.len == 0 || match->count == API_CAPTURES_MAX)
                return false;
            match->captures[match->count++] = found;
        } else if (!bytes_equal(expected, found)) {
            return false;
        }
        // Either both go on behind a slash or both end here.
        if ((expected.len == left.len) != (found.len == path.len))
            return false;
        left = bytes_slice(left, expected.len + 1, left.len);
        path = bytes_slice(path, found.len + 1, path.len);
    }
    return left.len == 0 && path.len == 0;
}

static bool is_same_type(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (text_lower((char)a.at[i]) != text_lower((char)b.at[i]))
            return false;
    }
    return true;
}

// "q=0", "q=0.0" ...: the type is not wanted.
static bool is_weightless(struct bytes parameters)
{
    while (parameters.len > 0) {
        const struct bytes part = api_until(parameters, ';');
        struct bytes p = api_trimmed(part);
        if (p.len >= 3 && text_lower((char)p.at[0]) == 'q' && p.at[1] == '=') {
            for (size_t i = 2; i < p.len; i++) {
                if (p.at[i] != '0' && p.at[i] != '.')
                    return false;
            }
            return true;
        }
        parameters = bytes_slice(parameters, part.len + 1, parameters.len);
    }
    return false;
}

bool api_accepts(struct bytes accept, const char *type)
{
    if (api_trimmed(accept).len == 0)
        return true;
    const struct bytes wanted = bytes_of_text(type);
    const struct bytes main_type = api_until(wanted, '/');
    while (accept.len > 0) {
        const struct bytes range = api_until(accept, ',');
        accept = bytes_slice(accept, range.len + 1, accept.len);
        const struct bytes name = api_trimmed(api_until(range, ';'));
        if (is_weightless(bytes_slice(range, api_until(range, ';').len + 1, range.len)))
            continue;
        if (is_same_type(name, bytes_of_text("*/*")) || is_same_type(name, wanted))
            return true;
        if (name.len == main_type.len + 2 && name.at[name.len - 1] == '*' &&
            name.at[name.len - 2] == '/' &&
            is_same_type(bytes_slice(name, 0, main_type.len), main_type))
            return true;
    }
    return false;
}

bool api_is_type(struct bytes content_type, const char *type)
{
    const struct bytes name = api_until(content_type, ';');
    if (!is_same_type(api_trimmed(name), bytes_of_text(type)))
        return false;
    const struct bytes parameter = api_trimmed(bytes_slice(content_type, name.len + 1, SIZE_MAX));
    return parameter.len == 0 || is_same_type(parameter, bytes_of_text("charset=utf-8")) ||
           is_same_type(parameter, bytes_of_text("charset=\"utf-8\""));
}
