#include "ota-server/service/auth_setup.h"

#define VALUE "setup"
#define DONE "done"

// "": there is none yet.
static enum store_status read_value(struct store *s, char value[AUTH_DIGEST_NAME_SIZE])
{
    struct writer w = writer_of(value, AUTH_DIGEST_NAME_SIZE - 1);
    const enum store_status status = store_value(s, VALUE, &w);
    value[w.len] = '\0';
    return status == STORE_NONE ? STORE_OK : status;
}

static enum store_status keep(struct store *writer, const char *value)
{
    enum store_status status = store_begin(writer);
    if (status == STORE_OK)
        status = store_value_put(writer, VALUE, bytes_of_text(value));
    if (status == STORE_OK)
        return store_commit(writer);
    store_rollback(writer);
    return status;
}

enum store_status auth_setup_begin(struct store *writer, const uint8_t entropy[32],
                                   char token[AUTH_TOKEN_SIZE], bool *is_open)
{
    char value[AUTH_DIGEST_NAME_SIZE];
    const enum store_status status = read_value(writer, value);
    *is_open = status == STORE_OK && strcmp(value, DONE) != 0;
    if (!*is_open)
        return status;
    auth_secret_make(token, entropy);
    return auth_digest_name(bytes_of_text(token), value) ? keep(writer, value) : STORE_FAILED;
}

bool auth_setup_is_open(struct store *s)
{
    char value[AUTH_DIGEST_NAME_SIZE];
    return read_value(s, value) == STORE_OK && value[0] != '\0' && strcmp(value, DONE) != 0;
}

static bool see_client(void *context, const struct document *d)
{
    (void)d;
    *(bool *)context = true;
    return false;
}

bool auth_is_in_use(struct store *s)
{
    char value[AUTH_DIGEST_NAME_SIZE];
    const struct document_filter filter = {.kind = "client", .state = -1};
    const struct store_page page = {.limit = 1};
    bool has_client = false;
    if (read_value(s, value) != STORE_OK)
        return false;
    // None of this store's servers made a token yet, or the one that was made is used.
    if (value[0] == '\0' || strcmp(value, DONE) == 0)
        return true;
    return store_documents(s, &filter, &page, see_client, &has_client, NULL) == STORE_OK &&
           has_client;
}

bool auth_setup_fits(struct store *s, struct bytes token)
{
    char value[AUTH_DIGEST_NAME_SIZE];
    char given[AUTH_DIGEST_NAME_SIZE];
    return auth_digest_name(token, given) && read_value(s, value) == STORE_OK &&
           strlen(value) == sizeof(given) - 1 && secret_equal(value, given, sizeof(given) - 1);
}

enum store_status auth_setup_close(struct store *s)
{
    return store_value_put(s, VALUE, bytes_of_text(DONE));
}
