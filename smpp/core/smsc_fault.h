// Fault rules of the SMSC simulator: what to do on purpose to the messages that match. Counted in
// messages rather than seconds, so that a test says exactly which one is hit.
//
// A rule looks at every message submitted to the SMSC, whichever side it comes from. The first
// `skip` matches pass, the next `count` are hit (0: for ever), each with a chance of `per_million`.
// Rules are judged in order; all that hit are carried out.
#pragma once

#include "common/base/prng.h"
#include "smpp/core/smsc_queue.h"

#define SMSC_RULES_MAX 64

enum smsc_fault {
    SMSC_FAULT_NONE = 0,
    SMSC_FAULT_LOSE,      // accepted, then forgotten: no delivery and no receipt
    SMSC_FAULT_DELAY,     // delivered after `value` ms
    SMSC_FAULT_DUPLICATE, // delivered `value` more times
    SMSC_FAULT_REORDER, // delivered after the next one to the same destination, or after `value` ms
    SMSC_FAULT_STATUS,  // answered with command_status `value`, not accepted (throttling too)
    SMSC_FAULT_DROP_RECEIPT,  // no receipt is sent
    SMSC_FAULT_DROP_RESPONSE, // accepted and delivered, but submit_sm is not answered
    SMSC_FAULT_CUT_LINK,      // accepted and delivered; the submitter's connection ends unanswered
    SMSC_FAULT_DUPLICATE_RECEIPT, // its receipt is sent `value` more times
    SMSC_FAULT_EARLY_RECEIPT, // a receipt says that it is delivered, before submit_sm is answered
};
#define SMSC_FAULT_LAST SMSC_FAULT_EARLY_RECEIPT

struct smsc_rule {
    uint32_t id; // given by smsc_faults_add
    enum smsc_fault fault;
    char source[SMSC_NUMBER_SIZE];      // prefix of the source address; empty: any
    char destination[SMSC_NUMBER_SIZE]; // prefix of the destination address; empty: any
    uint32_t skip;
    uint32_t count;
    uint32_t per_million;
    uint32_t value;
    // How often so far.
    uint32_t matched;
    uint32_t hit;
};

// What the rules say about one message.
struct smsc_verdict {
    bool is_lost, drops_receipt, drops_response, cuts_link, is_reordered, receipt_is_early;
    uint32_t delay_ms;
    uint32_t reorder_ms;
    uint32_t copies;         // more than the one
    uint32_t receipt_copies; // the same of its receipt
    uint32_t status;         // other than ESME_ROK: refuse with it
};

struct smsc_faults {
    struct smsc_rule rules[SMSC_RULES_MAX];
    uint32_t rule_count;
    uint32_t last_id;
    struct prng chance;
};

void smsc_faults_init(struct smsc_faults *f, uint64_t seed);
// The rule's id, or 0 when there are SMSC_RULES_MAX.
uint32_t smsc_faults_add(struct smsc_faults *f, const struct smsc_rule *rule);
bool smsc_faults_remove(struct smsc_faults *f, uint32_t id);
struct smsc_verdict smsc_faults_judge(struct smsc_faults *f, const char *source,
                                      const char *destination);
// "lose", "delay" ...; and back, SMSC_FAULT_NONE for another word.
const char *smsc_fault_name(enum smsc_fault fault);
enum smsc_fault smsc_fault_by_name(struct bytes name);
