// The document and the server say the same: every route stands in docs/openapi, and nothing else.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "tests/lib/cmocka_all.h"

#include <stdio.h>

static char document[524288];

static const char *const methods[] = {"get", "post", "put", "patch", "delete"};
static const unsigned bits[] = {API_GET, API_POST, API_PUT, API_PATCH, API_DELETE};

static bool has_route(struct bytes path, unsigned method)
{
    // "{cardId}" takes the place of "*".
    for (size_t i = 0; i < api_route_count; i++) {
        char pattern[256];
        struct writer w = writer_of(pattern, sizeof(pattern));
        bool is_name = false;
        for (size_t k = 0; k < path.len; k++) {
            is_name = is_name || path.at[k] == '{';
            if (!is_name)
                writer_u8(&w, path.at[k]);
            if (path.at[k] == '}') {
                writer_u8(&w, '*');
                is_name = false;
            }
        }
        if (api_routes[i].method == method && strcmp(text_end(&w), api_routes[i].path) == 0)
            return true;
    }
    return false;
}

// Operations that a document has, each of which has a route.
static size_t count_in(const char *path_of_document)
{
    FILE *file = fopen(path_of_document, "rb");
    assert_non_null(file);
    const size_t len = fread(document, 1, sizeof(document) - 1, file);
    assert_int_equal(fclose(file), 0);
    assert_in_range(len, 1, sizeof(document) - 2);
    char *end = strstr(document, "\ncomponents:");
    assert_non_null(end);
    *end = '\0';
    struct bytes path = {0};
    size_t count = 0;
    for (char *line = strstr(document, "\npaths:"); line != NULL; line = strchr(line + 1, '\n')) {
        if (strncmp(line, "\n  /", 4) == 0)
            path = bytes_of(line + 3, strcspn(line + 3, ":"));
        for (size_t i = 0; i < 5; i++) {
            const size_t name_len = strlen(methods[i]);
            if (strncmp(line, "\n    ", 5) != 0 || strncmp(line + 5, methods[i], name_len) != 0 ||
                line[5 + name_len] != ':')
                continue;
            count++;
            assert_true(has_route(path, bits[i]));
        }
    }
    return count;
}

static void the_documents_have_every_route_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(count_in("docs/openapi/connectivity-management.yaml") +
                         count_in("docs/openapi/esim-profile-management.yaml"),
                     api_route_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documents_have_every_route_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
