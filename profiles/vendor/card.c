#include "profiles/vendor/card.h"

void vendor_card_wipe(struct vendor_card *card)
{
    for (uint8_t i = 0; i < card->subscription_count; i++) {
        secret_wipe(&card->subscriptions[i].k, sizeof card->subscriptions[i].k);
        secret_wipe(&card->subscriptions[i].opc, sizeof card->subscriptions[i].opc);
    }
    secret_wipe(&card->keyset, sizeof card->keyset);
    secret_wipe(&card->codes, sizeof card->codes);
}
