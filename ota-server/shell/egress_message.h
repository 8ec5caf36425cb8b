// What the server and its egress worker say to each other: one message is one packet of a socket
// pair. The server says its settings first, and then requests; the worker says that it is ready,
// and what came of each request.
//
// Promises: what is read is whole, within its lengths, and has nothing behind it; texts have no
// zero inside. A message holds credentials of sinks: wipe it. Never: says whether an answer fits
// its request, which only the side that asked knows.
#pragma once

#include "common/host/post.h"

#define EGRESS_HEADERS_MAX 16
#define EGRESS_REQUEST_MAX 32768 // octets of a message to the worker
#define EGRESS_ANSWER_MAX (POST_ANSWER_MAX + 32)
#define EGRESS_NETWORKS_MAX 16
#define EGRESS_TEXT_SIZE 4096

struct egress_settings {
    uint32_t at_once; // requests
    uint32_t user, group;
    bool has_user;                                  // that the worker becomes
    char ca_file[EGRESS_TEXT_SIZE];                 // "": the system's
    char name_server[EGRESS_TEXT_SIZE];             // "": those of the system
    struct ip_network allowed[EGRESS_NETWORKS_MAX]; // besides those that everybody reaches
    uint8_t allowed_count;
};
// May anybody make us connect to this address? One that stands in the URL only if it is named.
bool egress_allows(const struct ip_network *allowed, size_t count, const struct ip *address,
                   bool is_literal);

struct egress_request {
    uint64_t id;
    struct post_request post; // its texts are in here
    /* private */
    const char *headers[EGRESS_HEADERS_MAX + 1];
    char text[EGRESS_REQUEST_MAX];
};

struct egress_answer {
    uint64_t id;
    enum post_problem problem;
    uint16_t status;
    bool has_retry_after;
    uint32_t retry_after_s;
    struct bytes body; // of the message
};

enum egress_kind {
    EGRESS_SETTINGS = 1,
    EGRESS_REQUEST,
    EGRESS_READY,
    EGRESS_ANSWER,
};
// Of the first octet; the readers judge it again.
bool egress_is(struct bytes message, enum egress_kind kind);

void egress_settings_write(struct writer *w, const struct egress_settings *settings);
bool egress_settings_read(struct bytes message, struct egress_settings *settings) MUST_USE;
void egress_request_write(struct writer *w, uint64_t id, const struct post_request *request);
bool egress_request_read(struct bytes message, struct egress_request *request) MUST_USE;
void egress_ready_write(struct writer *w);
bool egress_ready_read(struct bytes message) MUST_USE;
void egress_answer_write(struct writer *w, const struct egress_answer *answer);
// Also false for what no answer is: a status with a problem, or none without one.
bool egress_answer_read(struct bytes message, struct egress_answer *answer) MUST_USE;
