// The complete table of error codes of the northbound APIs and the one form in which a refusal is
// kept until it is written. A code that is not in this table does not exist on the wire.
//
// Promises: one problem carries one code, and at most one detail; its message names no internal
// host, file, statement or key.
#pragma once

#include "common/base/bytes.h"

#define API_MESSAGE_MAX 400
#define API_FIELD_MAX 64
#define API_REASON_MAX 40

// X(name, HTTP status, code on the wire, text when the place of the refusal gives none)
#define API_CODES(X)                                                                               \
    X(INVALID_ARGUMENT, 400, "INVALID_ARGUMENT",                                                   \
      "The request is not valid: the document tells what it takes")                                \
    X(OUT_OF_RANGE, 400, "OUT_OF_RANGE", "A number is outside its range: the document tells it")   \
    X(INVALID_PROTOCOL, 400, "INVALID_PROTOCOL", "The protocol is none that is there: HTTP is")    \
    X(INVALID_CREDENTIAL, 400, "INVALID_CREDENTIAL",                                               \
      "The credential cannot be used: the document tells which can")                               \
    X(INVALID_SINK, 400, "INVALID_SINK",                                                           \
      "The sink is no address that can be told: give one with https")                              \
    X(UNAUTHENTICATED, 401, "UNAUTHENTICATED",                                                     \
      "Request not authenticated due to missing, invalid, or expired credentials: log in, or ask " \
      "for "                                                                                       \
      "a new token")                                                                               \
    X(PERMISSION_DENIED, 403, "PERMISSION_DENIED",                                                 \
      "Client does not have sufficient permissions to perform this action")                        \
    X(NOT_FOUND, 404, "NOT_FOUND",                                                                 \
      "The specified resource is not found: look in the list of its kind")                         \
    X(IDENTIFIER_NOT_FOUND, 404, "IDENTIFIER_NOT_FOUND",                                           \
      "Device or identifier not found: give the eid, or the iccid, of a card of yours")            \
    X(METHOD_NOT_ALLOWED, 405, "METHOD_NOT_ALLOWED",                                               \
      "The path does not take this method: Allow names those that it takes")                       \
    X(NOT_ACCEPTABLE, 406, "NOT_ACCEPTABLE",                                                       \
      "No type that Accept names can be produced: leave it out, or name one of the document")      \
    X(ABORTED, 409, "ABORTED", "Another change of the card is open: wait for its end")             \
    X(INCOMPATIBLE_STATE, 409, "INCOMPATIBLE_STATE",                                               \
      "The state of the object does not permit it: read it, and ask again when it does")           \
    X(ALREADY_EXISTS, 409, "ALREADY_EXISTS", "The value is taken: choose another one")             \
    X(FAILED_PRECONDITION, 412, "FAILED_PRECONDITION",                                             \
      "The object has changed since it was read: read it, and ask again")                          \
    X(BODY_TOO_LARGE, 413, "INVALID_ARGUMENT", "The body is too large: send less at a time")       \
    X(TARGET_TOO_LONG, 414, "INVALID_ARGUMENT", "The request line is too long: it may have 8 KiB") \
    X(HEADERS_TOO_LARGE, 431, "INVALID_ARGUMENT",                                                  \
      "The header block is too large: it may have 100 fields, in 16 KiB")                          \
    X(UNSUPPORTED_MEDIA_TYPE, 415, "UNSUPPORTED_MEDIA_TYPE",                                       \
      "The type of the body is not taken: name one of the document in Content-Type")               \
    X(SERVICE_NOT_APPLICABLE, 422, "SERVICE_NOT_APPLICABLE",                                       \
      "It can never apply to this object: leave it out")                                           \
    X(RULE_PACK_VIOLATION, 422, "CONNECTIVITY_MANAGEMENT.RULE_PACK_VIOLATION",                     \
      "The rule pack forbids it: the pool or the operator names another one")                      \
    X(NOT_SUPPORTED_BY_CARD, 422, "CONNECTIVITY_MANAGEMENT.NOT_SUPPORTED_BY_CARD",                 \
      "The applet of the card has no such command: leave the card out")                            \
    X(RULES_INCONSISTENT, 422, "CONNECTIVITY_MANAGEMENT.RULES_INCONSISTENT",                       \
      "The rules contradict each other: change one of them")                                       \
    X(IDENTIFIER_MISMATCH, 422, "ESIM_PROFILE_MANAGEMENT.IDENTIFIER_MISMATCH",                     \
      "The eid and the iccid are not of the same card: give one of them")                          \
    X(TOO_MANY_REQUESTS, 429, "TOO_MANY_REQUESTS",                                                 \
      "The request rate is exceeded: wait as long as Retry-After says")                            \
    X(QUOTA_EXCEEDED, 429, "QUOTA_EXCEEDED",                                                       \
      "The contract amount is used up: ask the operator, or wait for the next period")             \
    X(INTERNAL, 500, "INTERNAL", "Internal error")                                                 \
    X(UNAVAILABLE, 503, "UNAVAILABLE",                                                             \
      "The service cannot take the request now: send it again when Retry-After is over")           \
    X(TIMEOUT, 504, "TIMEOUT", "An internal dependency was silent too long")

enum api_code {
    API_OK = 0,
#define X(name, status, wire, text) API_##name,
    API_CODES(X)
#undef X
};

struct api_problem {
    enum api_code code;
    // Empty: the text of the table.
    char message[API_MESSAGE_MAX];
    // The detail; left out when both are empty.
    char field[API_FIELD_MAX];
    char reason[API_REASON_MAX];
};

// 200 for API_OK.
unsigned api_code_status(enum api_code code);
// As clients see it; empty for API_OK.
const char *api_code_wire(enum api_code code);
const char *api_code_text(enum api_code code);

// A problem with the text of the table.
struct api_problem api_problem_of(enum api_code code);
// One with its own text, cut at API_MESSAGE_MAX - 1.
struct api_problem api_problem_text(enum api_code code, const char *message);
// One about a member or parameter: `message` is followed by a colon and the field's name, unless it
// is empty. `field` is cut and cleaned of what is not printable ASCII, as it may come from a peer.
struct api_problem api_problem_field(enum api_code code, struct bytes field, const char *message);
// OUT_OF_RANGE about a number that is not from `min` to `max`, which it tells.
struct api_problem api_problem_range(struct bytes field, int64_t min, int64_t max);
// One about a text that has not from `min` to `max` octets, which it tells.
struct api_problem api_problem_length(struct bytes field, size_t min, size_t max);
// One about a value that is none of these names, as many of which are told as there is room for.
struct api_problem api_problem_enum(struct bytes field, const char *const *names);
// One with a reason that programs read, such as DELETE_NOT_DISABLED.
struct api_problem api_problem_reason(enum api_code code, const char *reason, const char *message);
