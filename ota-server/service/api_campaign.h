// Campaigns as the API reads, keeps and shows them. Internal.
//
// A campaign is two things in the store: the document with the request as it was made, and the
// compiled campaign that the turn works on [campaign_run.h]. Both are written in one transaction.
#pragma once

#include "ota-server/service/api_card.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/campaign_run.h"

#define CAMPAIGN_GROUPS_MAX 50
#define CAMPAIGN_LIST_MAX 10000 // cards that a request names

enum campaign_target_kind { TARGET_NONE, TARGET_GROUPS, TARGET_FILTER, TARGET_LIST, TARGET_UPLOAD };
struct campaign_target {
    enum campaign_target_kind kind;
    uint64_t groups[CAMPAIGN_GROUPS_MAX];
    size_t group_count;
    bool is_kept; // it was read before, and stands in the store
    struct card_words words;
    struct card_filter filter; // of each kind: its tenant and grants, those of who reads it
    uint64_t *cards;           // freed by whoever made it
    size_t card_count;
    uint64_t upload;
};

struct campaign_work {
    struct api_object object;
    struct campaign campaign;
    struct campaign_target target; // of the request
    uint64_t parent;               // a new one takes what this one lost
    uint8_t input;                 // enum campaign_input that is acted out
    bool is_taking;                // an upload's cards are being put into the campaign
    uint64_t taken;                // the last part of it that was
};

extern const struct api_kind api_campaigns;

// Everything but the target, from a body; problems are kept in it. `need`: of name, operation and
// rate.
void api_campaign_read(struct api_exchange *x, struct api_body *b, enum api_need need,
                       struct campaign *c);
// The target; cards and groups must be there for x->tenant. Not given: TARGET_NONE.
void api_campaign_read_target(struct api_exchange *x, struct api_body *b, enum api_need need,
                              struct campaign_target *t);
// The same of what is kept.
bool api_campaign_kept_target(struct api_exchange *x, struct bytes body, struct campaign_target *t);
// The kept body of a request: a list of cards becomes its length.
json_t *api_campaign_body(const json_t *given, const struct campaign_target *t);

// Loads the campaign of capture 0 into x->work; NULL: refused.
struct campaign_work *api_campaign_load(struct api_exchange *x);
// May the caller run a campaign of this kind at all? Else refused.
bool api_campaign_allowed(struct api_exchange *x, const struct campaign *c);
// Replies with the campaign of x->object_id as it is now.
void api_campaign_reply(struct api_exchange *x, unsigned status);

// Carries out what x->approval decided about a campaign.
void api_campaign_carry_out(struct api_exchange *x, uint64_t id);

void api_campaigns_list(struct api_exchange *x);
void api_campaigns_post(struct api_exchange *x);
void api_campaign_get(struct api_exchange *x);
void api_campaign_patch(struct api_exchange *x);
void api_campaign_check(struct api_exchange *x);
void api_campaign_start(struct api_exchange *x);
void api_campaign_pause(struct api_exchange *x);
void api_campaign_resume(struct api_exchange *x);
void api_campaign_stop(struct api_exchange *x);
void api_campaign_retry(struct api_exchange *x);
void api_campaign_cards(struct api_exchange *x);
void api_campaign_exclusions(struct api_exchange *x);
