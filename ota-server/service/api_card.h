// Cards as the API shows them. Internal to the service.
#pragma once

#include "ota-server/service/api_exchange.h"

#define API_LABEL_MAX 64
#define API_DIGITS_SIZE 48

// The texts that a filter points to.
struct card_words {
    char label[API_LABEL_MAX + 1];
    char field[API_LABEL_MAX + 1]; // of a kept filter
    char digits[API_DIGITS_SIZE];
};
// The filters of a search of cards from a body; `tenant` and `grants` are the caller's to set. The
// search stays NULL when no identifier was given.
void api_card_filter_read(struct api_body *b, struct card_words *words, struct card_filter *f);
// The same of one that was taken before and kept: of then, when fields had no names, it may have
// any, which cards of then may have, too.
void api_card_kept_filter_read(struct api_body *b, struct card_words *words, struct card_filter *f);

// The slots and facts of a complete audit answer of the card.
void api_put_card_view(struct api_exchange *x, const char *name, uint64_t card,
                       const struct card_view *view);
// Array "differences"; slot 0 is the card as a whole.
void api_put_differences(struct json_writer *j, const struct difference *differences,
                         uint8_t count);
// The whole card as one object.
void api_put_card(struct api_exchange *x, const struct record *record);
// Identifiers in clear: bit 0 ICCID, 1 EID, 2 IMEI, 3 IMSIs, 4 numbers.
void api_put_revealed(struct api_exchange *x, const struct record *record, unsigned set);
// `dirty_reason` names as the API writes them, ended by NULL.
int api_dirty_reason_of(struct bytes name);

// The group in a filter: "unassigned" are the cards that stand in none.
void api_card_group_read(struct bytes text, struct card_filter *f);
// The same from the query of a list.
struct api_problem api_card_query_read(struct api_exchange *x, struct card_words *words,
                                       struct card_filter *f) MUST_USE;

void api_cards_export(struct api_exchange *x);
void api_cards_list(struct api_exchange *x);
void api_cards_search(struct api_exchange *x);
void api_card_get(struct api_exchange *x);
void api_card_patch(struct api_exchange *x);
void api_card_reveal(struct api_exchange *x);
void api_card_subscriptions(struct api_exchange *x);
void api_card_parameters(struct api_exchange *x);
void api_card_timeline(struct api_exchange *x);
void api_card_messages(struct api_exchange *x);
void api_card_dirty_put(struct api_exchange *x);
void api_card_dirty_delete(struct api_exchange *x);
void api_card_quarantine_delete(struct api_exchange *x);
void api_dirty_list(struct api_exchange *x);
void api_dirty_summary(struct api_exchange *x);
void api_dirty_audit(struct api_exchange *x);
void api_dirty_resolve(struct api_exchange *x);
