// The profiles that read vendor files.
#include "common/base/text.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_handlers.h"
#include "profiles/vendor/profile.h"

#include <stdlib.h>

// Shown with its text inside `content`, because its members are the vendor's words and not ours.
static void put_profile(struct api_exchange *x, const struct document *d)
{
    const struct bytes name = bytes_of_text(d->name != NULL ? d->name : "");
    api_put_octets(&x->json, "vendor", bytes_slice(name, api_until(name, '/').len + 1, name.len));
    json_put_key(&x->json, "content");
    json_put_raw(&x->json, d->body);
}

static const struct api_kind profiles = {.kind = "vendor-profile",
                                         .prefix = "rec",
                                         .path = "/vendor-profiles",
                                         .more = put_profile,
                                         .is_opaque = true};

// The profile's own reader is as strict as ours and says what is wrong.
static struct vendor_profile *read_profile(struct api_exchange *x, struct bytes text)
{
    char error[PROFILE_ERROR_SIZE];
    const struct api_problem p = api_query_end(&x->query);
    if (p.code != API_OK) {
        api_refuse(x, p);
        return NULL;
    }
    struct vendor_profile *profile = profile_open(text, error);
    if (profile == NULL)
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT, error));
    return profile;
}

static bool take_text(struct api_exchange *x, struct api_object *object, struct bytes body)
{
    if (body.len > sizeof(object->body)) {
        api_refuse(x, api_problem_text(API_INVALID_ARGUMENT,
                                       "The profile has more than 49152 octets: shorten it"));
        return false;
    }
    bytes_copy(object->body, body);
    object->document.body = bytes_of(object->body, body.len);
    return true;
}

void api_vendor_profiles_post(struct api_exchange *x)
{
    struct vendor_profile *profile = read_profile(x, x->request->body);
    if (profile == NULL)
        return;
    struct api_object *object =
        api_document_new(x, &profiles, x->tenant, bytes_of_text(profile->vendor));
    profile_close(profile);
    if (object != NULL && take_text(x, object, x->request->body))
        api_document_commit(x, &profiles);
}

static void put_text(struct api_exchange *x, struct bytes text)
{
    struct vendor_profile *profile = read_profile(x, text);
    if (profile == NULL)
        return;
    struct api_object *object = api_document_load(x, &profiles);
    if (object != NULL && api_if_match(x, object->document.version) && take_text(x, object, text)) {
        api_document_name(object, bytes_of_text(profile->vendor));
        api_document_commit(x, &profiles);
    }
    profile_close(profile);
}

// The profile, or what GET shows, with the profile as its `content`.
void api_vendor_profile_put(struct api_exchange *x)
{
    const json_t *content = json_object_get(x->root, "content");
    if (!json_is_object(content) || json_object_size(x->root) != 1) {
        put_text(x, x->request->body);
        return;
    }
    char *text = json_dumps(content, JSON_COMPACT);
    if (text != NULL)
        put_text(x, bytes_of_text(text));
    else
        api_refuse_code(x, API_UNAVAILABLE);
    free(text);
}

void api_vendor_profiles_list(struct api_exchange *x)
{
    api_documents_list(x, &profiles, 0);
}

void api_vendor_profile_get(struct api_exchange *x)
{
    api_document_show(x, &profiles);
}
