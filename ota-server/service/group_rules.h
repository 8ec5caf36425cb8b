// The rules of a card group: what its people chose in place of the installation's policy. Kept as
// one document of the kind "group-rules" with the group's id; members that are absent have the
// installation's value. docs/api.md says what each does.
//
// Promises: what rules_read() takes is what the core then follows; a member that nobody knows, or a
// value outside its range, is a problem that names it.
#pragma once

#include "common/host/zone.h"
#include "ota-server/core/decision.h"
#include "ota-server/service/api_body.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/turn.h"
#include "ota-server/store/store.h"

#define RULES_KIND "group-rules"
#define RULES_VERSION_KIND "rules-version" // what they were, each below its group
#define RULES_MEMBERS_MAX 16

// What an enterprise may do to its cards by itself; the strictest of what applies.
enum authority_mode {
    AUTHORITY_SELF_SERVICE,
    AUTHORITY_REQUEST_APPROVE,
    AUTHORITY_OPERATOR_ONLY,
};
extern const char *const authority_names[];

struct group_rules {
    struct policy policy;
    enum authority_mode authority;
    bool four_eyes_delete;   // a second person approves what deletes
    uint32_t campaign_above; // and what writes to more cards than these
    struct turn_route route;
    char zones[POLICY_QUIET_MAX][ZONE_NAME_MAX + 1]; // of the quiet hours
};

// Names of the members, ended by NULL.
extern const char *const rules_members[RULES_MEMBERS_MAX];

// Without any rule.
void rules_default(struct group_rules *r, const struct policy *installation);
// Takes the members of `b` over; problems are kept in it. Zones of quiet hours may be unknown, and
// are UTC then.
void rules_read(struct api_body *b, struct group_rules *r);
// Every member as it holds, into an object that is open.
void rules_put(struct json_writer *j, const struct group_rules *r, enum clear clear);
// Takes out what is the operator's own affair: routes, source address, and the pools of a
// bootstrap.
void rules_hide_supply(struct group_rules *r);
// Quiet hours have the offsets of their zones from this moment on, for ZONE_AHEAD_DAYS.
void rules_place(struct group_rules *r, struct utc now);
// The rules of a group; those of the installation for group 0, and for one that has none.
enum store_status rules_of(struct store *s, uint64_t group, const struct policy *installation,
                           struct group_rules *r) MUST_USE;
// What an enterprise may do by itself in a group with this mode: the stricter of what the two say.
// One of the kind SUPPLIER or INSPECTOR is OPERATOR_ONLY. `by_group`: it is the group's word.
enum store_status rules_authority(struct store *s, uint64_t enterprise, enum authority_mode group,
                                  enum authority_mode *mode, bool *by_group) MUST_USE;
// What one may by its own document, before any group.
enum store_status rules_enterprise_mode(const struct document *enterprise,
                                        enum authority_mode *mode) MUST_USE;
// Would one person do what needed two?
bool rules_are_looser(const struct group_rules *before, const struct group_rules *after);
// Would enterprises do without the operator what they asked for, or could not have?
bool rules_give_away(enum authority_mode before, enum authority_mode after);
// The same as rules_authority() in a group with the rules that are written for it.
enum store_status rules_authority_in(struct store *s, uint64_t enterprise, uint64_t group,
                                     enum authority_mode *mode, bool *by_group) MUST_USE;
// Of "hh:mm"; -1 for another text.
int rules_minutes(struct bytes text);
// Of at most ZONE_NAME_MAX octets: its name; nothing is UTC.
void rules_zone(struct bytes text, char name[ZONE_NAME_MAX + 1]);
