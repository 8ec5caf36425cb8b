#include "ota-server/service/api_iccid.h"

#define LEN_MAX ((size_t)ICCID_SIZE - 1)

unsigned api_iccid_forms(const char *iccid, uint8_t out[API_ICCID_FORMS][ICCID_EF_LEN])
{
    char other[ICCID_SIZE];
    const size_t len = strlen(iccid);
    unsigned count = iccid_write(iccid, out[0]);
    if (count == 0)
        return 0;
    memcpy(other, iccid, len);
    if (len == LEN_MAX) {
        other[len - 1] = '\0';
        return count + iccid_write(other, out[count]);
    }
    other[len + 1] = '\0';
    for (unsigned digit = 0; digit < 10; digit++) {
        other[len] = (char)('0' + digit);
        if (iccid_luhn_is_valid(other))
            return count + iccid_write(other, out[count]);
    }
    return count;
}

enum store_status api_iccid_card(struct store *s, const char *iccid, uint64_t *card)
{
    uint8_t forms[API_ICCID_FORMS][ICCID_EF_LEN];
    const unsigned count = api_iccid_forms(iccid, forms);
    enum store_status status = STORE_NONE;
    for (unsigned k = 0; k < count && status == STORE_NONE; k++)
        status = store_card_by_iccid(s, forms[k], card);
    return status;
}

struct twin {
    uint64_t id;
};

static bool see_twin(void *context, const struct subscription *s)
{
    struct twin *t = context;
    if (s->id == t->id)
        return true;
    t->id = 0;
    return false;
}

enum store_status api_iccid_is_free(struct store *store, const struct subscription *s)
{
    char text[ICCID_SIZE];
    struct twin t = {.id = s->id};
    uint64_t card = 0;
    if (!s->plan.has_iccid || !iccid_read(s->plan.iccid, text))
        return STORE_OK;
    const struct subscription_filter filter = {.state = -1, .search = text};
    const struct store_page page = {.limit = 2};
    enum store_status status = store_subscriptions(store, &filter, &page, see_twin, &t, NULL);
    if (status == STORE_OK)
        status = api_iccid_card(store, text, &card);
    if (status == STORE_OK && t.id != 0 && card == s->card)
        return STORE_OK;
    if (status == STORE_NONE && t.id != 0)
        return STORE_OK;
    return status == STORE_OK || status == STORE_NONE ? STORE_CONFLICT : status;
}
