// Alarms: raised, counted while they last, and cleared. One document of the kind "alarm" each, from
// its first raise to its end; a later raise makes another.
//
// Promises: of one key and object at most one is open; who raises one that is open only counts it
// up. Written in the transaction of what raised it. Never: judges when; see watch.h and decide().
#pragma once

#include "common/base/bytes.h"
#include "ota-server/store/store.h"

#define ALARM_KIND "alarm"
#define ALARM_SINK_DEAD "webhook.dead"
#define ALARM_CHAIN_BROKEN "audit.chain.broken"
#define ALARM_KEY_SIZE 32
#define ALARM_OBJECT_SIZE 80

enum alarm_severity { ALARM_CRITICAL, ALARM_MAJOR, ALARM_MINOR };
const char *alarm_severity_name(uint8_t severity); // "CRITICAL"

// As the state of its document.
enum alarm_state { ALARM_CLEARED, ALARM_OPEN, ALARM_ACKNOWLEDGED };
extern const char *const alarm_states[];

// Constant text for a known key, with its severity; NULL for another. Some end when a person has
// seen them, because nothing else tells that they are over.
const char *alarm_key_find(struct bytes key, uint8_t *severity, bool *ends_when_seen);

struct alarm_place {
    const char *key;    // of a known alarm
    const char *object; // id of the API or name of a link; "": the installation
    uint64_t owner;     // enterprise that sees it, besides the operator's people
};

// `id` is for a new one.
enum store_status alarm_raise(struct store *s, const struct alarm_place *at, uint64_t id,
                              struct utc now) MUST_USE;
// STORE_NONE: none is open.
enum store_status alarm_clear(struct store *s, const struct alarm_place *at,
                              struct utc now) MUST_USE;
// Open exactly while it is wanted: one that is open is not counted up.
enum store_status alarm_keep(struct store *s, const struct alarm_place *at, bool is_wanted,
                             uint64_t id, struct utc now) MUST_USE;
// Is one of this key open, whatever its object?
enum store_status alarm_is_raised(struct store *s, const char *key, bool *is_raised) MUST_USE;
// Tells the object of each that is open of this key; `each` answers whether to go on.
typedef bool alarm_object_fn(void *context, const char *object);
enum store_status alarm_objects(struct store *s, const char *key, alarm_object_fn *each,
                                void *context) MUST_USE;
// STORE_CONFLICT: it is over, or was acknowledged. `by`: id of a user or client.
enum store_status alarm_acknowledge(struct store *s, uint64_t id, const char *by,
                                    struct utc now) MUST_USE;
