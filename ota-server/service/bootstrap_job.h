// Bootstrap jobs beside the cards' records: reservations from the pools, and what lists show of a
// job, one document of the kind "bootstrap-job" with the card's id below its group.
//
// Promises: all of a rule's items are reserved or none, in the transaction of the record that names
// them; what is given back was reserved for this card.
#pragma once

#include "ota-server/service/turn.h"

#define JOB_KIND "bootstrap-job"

// For turn_options.follow and turn_options.plan; the context is not used.
enum store_status bootstrap_follow(void *context, struct store *s, const struct decision *d,
                                   struct utc at);
enum store_status bootstrap_plan(void *context, struct store *s, const struct policy *policy,
                                 const struct record *r, struct event *event);
