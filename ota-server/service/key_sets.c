#include "ota-server/service/key_sets.h"

#include "common/base/text.h"
#include "common/host/json.h"

static struct key_set *find(struct key_sets *k, const struct auth_client *client)
{
    for (size_t i = 0; i < KEYS_MAX; i++) {
        if (k->rows[i].client == client->id && strcmp(k->rows[i].uri, client->jwks_uri) == 0)
            return &k->rows[i];
    }
    return NULL;
}

struct bytes keys_of(struct key_sets *k, const struct auth_client *client, struct instant now)
{
    const struct key_set *s = find(k, client);
    if (s == NULL || s->len == 0 || instant_is_due(instant_after(s->got_at, KEYS_LIFE_MS), now))
        return bytes_of(NULL, 0);
    if (instant_is_due(instant_after(s->got_at, KEYS_SOON_MS), now))
        (void)keys_ask(k, client, now);
    return bytes_of(s->text, s->len);
}

static bool asked_lately(const struct key_set *s, struct instant now)
{
    return s->ticket != 0 ||
           (s->asked_at.ms != 0 && !instant_is_due(instant_after(s->asked_at, KEYS_AGAIN_MS), now));
}

// One for another URL of the client takes its row, so that no old key serves. NULL: all others
// wait, or asked lately, which would be forgotten.
static struct key_set *make(struct key_sets *k, const struct auth_client *client,
                            struct instant now)
{
    struct key_set *found = NULL;
    for (size_t i = 0; i < KEYS_MAX; i++) {
        struct key_set *s = &k->rows[i];
        if (s->client == client->id || s->client == 0) {
            found = s;
            break;
        }
        if (!asked_lately(s, now) && (found == NULL || s->asked_at.ms < found->asked_at.ms))
            found = s;
    }
    if (found == NULL)
        return NULL;
    *found = (struct key_set){.client = client->id};
    struct writer w = writer_of(found->uri, sizeof(found->uri));
    text_put(&w, client->jwks_uri);
    (void)text_end(&w);
    return found;
}

bool keys_ask(struct key_sets *k, const struct auth_client *client, struct instant now)
{
    struct sink_url url;
    struct key_set *s = find(k, client);
    if (k->fetch == NULL || sink_url_read(bytes_of_text(client->jwks_uri), &url) != SINK_OK)
        return false;
    if (s != NULL && s->ticket != 0)
        return true;
    if (s != NULL && asked_lately(s, now))
        return false;
    if (s == NULL)
        s = make(k, client, now);
    if (s == NULL)
        return true;
    const struct instant before = s->asked_at;
    s->asked_at = now;
    s->ticket = ++k->tickets;
    if (k->fetch(k->context, s->ticket, s->uri, &url))
        return true;
    s->ticket = 0; // not asked: the next one may
    s->asked_at = before;
    return true;
}

void keys_answered(struct key_sets *k, uint64_t ticket, unsigned status, struct bytes body,
                   struct instant now)
{
    for (size_t i = 0; i < KEYS_MAX; i++) {
        struct key_set *s = &k->rows[i];
        json_t *root = NULL;
        if (s->ticket != ticket)
            continue;
        s->ticket = 0;
        if (status == 200 && body.len <= KEYS_TEXT_MAX && json_read(body, &root) == JSON_READ_OK &&
            json_is_array(json_object_get(root, "keys"))) {
            bytes_copy(s->text, body);
            s->len = body.len;
            s->got_at = now;
        }
        json_decref(root);
        return;
    }
}
