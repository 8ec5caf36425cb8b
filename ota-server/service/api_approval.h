// Requests that a second person has to approve before they are carried out: four-eyes, and those of
// enterprises that may only request. Internal.
//
// Promises: who asked cannot approve, nor can another account of the same person; what is approved
// is the request whose hash the approver names; operation and approval are there both or neither.
#pragma once

#include "ota-server/core/campaign.h"
#include "ota-server/service/api_document.h"
#include "ota-server/service/api_user.h"
#include "ota-server/service/approval.h"
#include "ota-server/service/group_rules.h"

// Why somebody else has to approve.
enum approval_why {
    APPROVAL_NOT_NEEDED,
    APPROVAL_FOUR_EYES,
    APPROVAL_REQUEST, // the enterprise may only request: the operator's people approve
};

// May the caller ask for the operation on the card, and who approves it? False: refused.
// `is_sharp`: it is forced, or changes where the card reports to.
bool api_approval_need(struct api_exchange *x, const struct record *record, uint8_t kind,
                       bool is_sharp, enum approval_why *why);
// Makes the approval that x->event then waits for, in x->approval; false: refused. `what` is a few
// words, such as "delete".
bool api_approval_begin(struct api_exchange *x, const char *what, enum approval_why why,
                        uint64_t tenant);
// The same for the start of a campaign, which is x->work.
bool api_approval_begin_campaign(struct api_exchange *x, const struct campaign *c,
                                 enum approval_why why);
// Keeps it, in the transaction of what waits for it; nothing without one.
enum store_status api_approval_keep(struct api_exchange *x, struct store *store);
// Since when a card has what EVENT_CLEAR_DIRTY or EVENT_LIFT_QUARANTINE would end; 0: it has not.
struct utc api_approval_since(const struct record *record, uint8_t event_type);
// Is it still what the request was made for, by x->event? STORE_CONFLICT with x->problem: no.
enum store_status api_approval_judge_since(struct api_exchange *x, struct store *store,
                                           const struct api_object *object);
// A request about a card that is not stored but in the approval: 202 with it.
void api_approval_request(struct api_exchange *x, const char *what, struct utc since,
                          uint64_t tenant);
// The same for a change of a group's rules, which is x->root.
void api_approval_request_rules(struct api_exchange *x, const char *what, uint64_t group,
                                uint64_t tenant);
// What a request is about that is neither a card nor an operation, and what the approver sees of
// it.
struct approval_about {
    const char *summary, *member, *prefix;
    uint64_t id, tenant, count;
    uint8_t event;    // of a card that is approved; 0: none
    json_t *sample;   // or NULL
    const char *hash; // of a password, or NULL
};
// The same for that; takes the request over.
void api_approval_request_about(struct api_exchange *x, json_t *request,
                                const struct approval_about *a);
void api_approval_set_id(json_t *root, const char *name, const char *prefix, uint64_t id);
// The same for what is asked to be done to a person, as they are now or, a new one, will be;
// x->root is the request, without its password: that is kept as its hash, or NULL, and shown to
// nobody.
void api_approval_request_user(struct api_exchange *x, enum user_deed deed,
                               const struct auth_user *user, const char *hash);
// The same for an update of cards, which was judged as that import, and of which these are some.
void api_approval_request_import(struct api_exchange *x, uint64_t import, uint64_t tenant,
                                 uint64_t count, json_t *sample);
// What was asked for with it and is approved with x->approval: api_import.c.
void api_import_carry_out(struct api_exchange *x, uint64_t import);
// The same for another rule pack of a pool with so many subscriptions, which is x->root; and for a
// new pool, which has no pack now (NULL).
void api_approval_request_pool(struct api_exchange *x, const struct document *pool, uint64_t count,
                               const char *pack_now);
void api_pool_carry_out(struct api_exchange *x, uint64_t pool, json_t *request);
// The same for a subscription that goes to a pool with another pack, which is x->root.
void api_approval_request_pack(struct api_exchange *x, const struct subscription *s,
                               const char *pack_now, const char *pack);
// The same for the end of a reservation for a card that is retired, which is x->root.
void api_approval_request_reservation(struct api_exchange *x, const struct subscription *s);
void api_subscription_carry_out(struct api_exchange *x, uint64_t subscription, json_t *request);
// The same for an enterprise that is to serve itself, which is x->root.
void api_approval_request_enterprise(struct api_exchange *x, const struct document *enterprise);
void api_enterprise_carry_out(struct api_exchange *x, uint64_t enterprise, json_t *request);
#define ENTERPRISE_VERSION "enterpriseVersion" // of the request: the one that it was made for
// 409: a request that was kept in a form in which it cannot be judged any more.
void api_approval_refuse_old(struct api_exchange *x);
// What one is about, as far as its decider matters.
struct approval_matter {
    uint64_t enterprise; // that asked
    uint64_t card, operation, campaign;
    const json_t *request;
};
// May people of the caller's enterprise, which is not the operator's, decide it?
bool api_approval_is_ours(struct api_exchange *x, const struct approval_matter *m);
// In the transaction of what was approved with x->approval, and after it: 200.
void api_approval_reply(struct api_exchange *x);
// Ends those whose time is over; for the turn's writer.
enum store_status api_approval_sweep(struct store *store, struct utc now);
