#include "profiles/vendor/card.h"

#include "common/base/text.h"

void vendor_card_wipe(struct vendor_card *card)
{
    for (uint8_t i = 0; i < card->subscription_count; i++) {
        secret_wipe(&card->subscriptions[i].k, sizeof card->subscriptions[i].k);
        secret_wipe(&card->subscriptions[i].opc, sizeof card->subscriptions[i].opc);
    }
    secret_wipe(&card->keyset, sizeof card->keyset);
    secret_wipe(&card->codes, sizeof card->codes);
}

void vendor_applet_version(const struct vendor_applet *applet, uint8_t version[3])
{
    const char *at = applet->version;
    for (unsigned i = 0; i < 3; i++) {
        const size_t len = strcspn(at, ".");
        uint64_t value = 0;
        const bool is_one = text_read_decimal(bytes_of(at, len), &value) && value <= UINT8_MAX;
        version[i] = is_one ? (uint8_t)value : 0;
        at += len + (at[len] == '.');
    }
}
