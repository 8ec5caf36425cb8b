// The text forms of the northbound APIs: percent-encoding, correlators, idempotency keys, object
// ids, date-times. Pure reading and writing; what a value means is judged elsewhere.
#pragma once

#include "common/base/bytes.h"
#include "common/base/time.h"

#define API_CORRELATOR_MAX 256
#define API_ID_SIZE 31 // two or three letters, an underscore, 26 characters, a zero
#define API_UUID_SIZE 37
#define API_IDEMPOTENCY_MIN 8
#define API_IDEMPOTENCY_MAX 64

// What is wrong with what api_read_time() does not take.
#define API_TIME_NAME "a date-time with its zone"
#define API_TIME_FORM "It must be " API_TIME_NAME ", such as 2026-07-01T00:00:00Z"

// The part before the first `end`, or all of it; and without spaces and tabs around it.
struct bytes api_until(struct bytes text, char end);
struct bytes api_trimmed(struct bytes text);

// 0-9 A-Z a-z - _ : ; . / < > { }, up to 256 octets; empty is valid and means "none given".
bool api_is_correlator(struct bytes text);
// 8 to 64 of A-Z a-z 0-9 . _ : -
bool api_is_idempotency_key(struct bytes text);
// RFC 3986: letters, digits, - . _ ~
bool api_is_unreserved(uint8_t c);

// Appends `text` with %XX decoded; "+" is a plus. False, with the writer as far as it got, for a
// percent sign without two digits after it.
bool api_percent_decode(struct bytes text, struct writer *out) MUST_USE;
// Appends `text` with everything but unreserved octets as %XX; `keep_slash` leaves "/" as it is.
void api_percent_encode(struct bytes text, bool keep_slash, struct writer *out);

// Appends the octets of a text in base64 [RFC 4648 §4]; padding may be missing. False for another.
bool api_base64_read(struct bytes text, struct writer *out) MUST_USE;
// The same between colons, as fields of HTTP have it [RFC 8941 §3.3.5].
bool api_binary_read(struct bytes text, struct writer *out) MUST_USE;
// The form of it for URLs, without padding [RFC 4648 §5].
bool api_base64url_read(struct bytes text, struct writer *out) MUST_USE;
void api_base64url_put(struct writer *w, struct bytes octets); // without padding

// A server id as clients see it: `prefix`, an underscore and a ULID [ulid specification], whose
// time is that of the id and whose last 60 bits are a checksum over prefix and id. The checksum is
// no secret: it finds ids that were mistyped or belong to another kind of object.
void api_id_write(char text[API_ID_SIZE], const char *prefix, uint64_t id);
// The reverse; false for any text that api_id_write() does not give with this prefix.
bool api_id_read(struct bytes text, const char *prefix, uint64_t *id) MUST_USE;
// A version 4 UUID [RFC 9562 §5.4] of 16 octets of entropy.
void api_uuid_make(char text[API_UUID_SIZE], const uint8_t entropy[16]);

// RFC 3339 with a zone; a fraction beyond milliseconds is cut. False for anything else, a date that
// does not exist, or a leap second.
bool api_read_time(struct bytes text, struct utc *at) MUST_USE;
// Names of a filter by time, whose ends are 0 when they are open: both kinds of each.
#define API_RANGE_ENDS 4
#define API_RANGE(name) ((const char *const[]){name ".gte", name ".gt", name ".lte", name ".lt"})
// Takes the end with the name of that index; of two, the one that leaves less.
void api_range_add(struct utc *from, struct utc *to, unsigned index, struct utc at);
