#include "ota-server/service/client_admin.h"

#include "ota-server/service/api_text.h"

const char *const client_scopes[] = {
    "cards:read",
    "cards:write",
    "cards:dirty",
    "cards:reveal",
    "operations:read",
    "operations:download",
    "operations:enable",
    "operations:disable",
    "operations:delete",
    "operations:set-fallback",
    "operations:set-timers",
    "operations:read-timers",
    "operations:audit",
    "operations:resend",
    "operations:force",
    "campaigns:read",
    "campaigns:write",
    "groups:read",
    "groups:write",
    "permissions:read",
    "permissions:write",
    "alarms:read",
    "alarms:write",
    "approvals:read",
    "approvals:decide",
    "inventory:read",
    "inventory:write",
    "templates:read",
    "templates:write",
    "imports:read",
    "imports:write",
    "keys:write",
    "audit-trail:read",
    "audit-trail:verify",
    "events:read",
    "events:write",
    "reports:read",
    "reports:write",
    "metering:read",
    "metering:write",
    "system:read",
    "metrics:read",
    "clients:read",
    "clients:write",
    "users:read",
    "users:write",
    "enterprises:read",
    "enterprises:write",
    "identifiers:clear",
    "iot-device-management:esim-profiles:download",
    "iot-device-management:esim-profiles:enable",
    "iot-device-management:esim-profiles:disable",
    "iot-device-management:esim-profiles:delete",
    "iot-device-management:esim-profiles:set-fallback",
    "iot-device-management:esim-profiles:retrieve-status",
    "iot-device-management:esim-profiles:retrieve-operation",
    NULL,
};

static bool add_scopes(struct auth_client *client, struct bytes list)
{
    if (bytes_equal(list, bytes_of_text("all"))) {
        for (size_t i = 0; client_scopes[i] != NULL; i++) {
            if (!auth_add_scope(client, bytes_of_text(client_scopes[i])))
                return false;
        }
        return true;
    }
    for (size_t at = 0; at < list.len;) {
        const struct bytes scope = api_until(bytes_slice(list, at, list.len), ',');
        at += scope.len + 1;
        bool is_known = false;
        for (size_t i = 0; client_scopes[i] != NULL; i++)
            is_known = is_known || bytes_equal(scope, bytes_of_text(client_scopes[i]));
        if (!is_known || !auth_add_scope(client, scope))
            return false;
    }
    return client->scope_count > 0;
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] < 0x20 || name.at[i] == 0x7F)
            return false;
    }
    return name.len >= 1 && name.len < AUTH_NAME_SIZE;
}

static enum client_status keep(struct store *writer, const struct auth_client *client,
                               struct utc now)
{
    if (store_begin(writer) != STORE_OK)
        return CLIENT_FAILED;
    const struct trail_new row = {
        .at = now,
        .tenant = client->tenant,
        .action = "client.added",
        .object_kind = "client",
        .object = client->id,
        .result = "done",
    };
    if (auth_client_put(writer, client, now) != STORE_OK ||
        store_trail_add(writer, &row) != STORE_OK) {
        store_rollback(writer);
        return CLIENT_FAILED;
    }
    return store_commit(writer) == STORE_OK ? CLIENT_OK : CLIENT_FAILED;
}

enum client_status client_add(struct store *writer, const struct secret_key *key,
                              const struct client_new *wanted, struct client_credentials *out)
{
    uint8_t entropy[AUTH_APP_KEY_SIZE + 32 + CRYPTO_NONCE_SIZE];
    struct auth_client client = {.tenant = wanted->tenant,
                                 .asked_by = wanted->person,
                                 .status = CLIENT_ACTIVE,
                                 .mechanisms = CLIENT_BY_SECRET | CLIENT_BY_HMAC,
                                 .per_second = 50,
                                 .burst = 100};
    if (!is_name(bytes_of_text(wanted->name)))
        return CLIENT_BAD_NAME;
    memcpy(client.name, wanted->name, strlen(wanted->name) + 1);
    if (!add_scopes(&client, bytes_of_text(wanted->scopes)))
        return CLIENT_BAD_SCOPE;
    if (!wanted->fill(wanted->fill_context, entropy, sizeof(entropy)))
        return CLIENT_FAILED;
    struct ids ids = {0};
    client.id = ids_next(&ids, wanted->now);
    auth_app_key_make(client.app_key, entropy);
    auth_secret_make(out->app_secret, entropy + AUTH_APP_KEY_SIZE);
    memcpy(out->app_key, client.app_key, sizeof(out->app_key));
    struct crypto *crypto = crypto_open();
    const bool is_sealed =
        crypto != NULL && auth_client_add_secret(&client, crypto, key, out->app_secret,
                                                 entropy + AUTH_APP_KEY_SIZE + 32);
    crypto_close(crypto);
    secret_wipe(entropy, sizeof(entropy));
    return is_sealed ? keep(writer, &client, wanted->now) : CLIENT_FAILED;
}
