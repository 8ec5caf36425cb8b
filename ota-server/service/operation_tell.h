// An operation in the words of the API, for rows of the trail: what was asked for, what was sent,
// and how it ended.
//
// Promises: nothing of a subscriber and no secret is in it: a subscription stands there by its id,
// the server's number is masked, and tables of networks are without IMSIs.
#pragma once

#include "ota-server/core/record.h"

#define OPERATION_TELL_SIZE 501 // as much as a row takes
#define OPERATION_END_SIZE 96   // of three words

// Members are there whole or not at all; three dots at the end say that some are not.
// "enable subscriptionId=sub_..., rollbackAllowed=true, force=true"
const char *operation_tell(const struct operation *o, char text[OPERATION_TELL_SIZE]);
// Without when and under what conditions: "ENABLE subscriptionId=sub_..., rollbackAllowed=true".
const char *operation_tell_command(const struct operation *o, const char *command,
                                   char text[OPERATION_TELL_SIZE]);
// Outcome, failure and the card's result: "failed CARD_REFUSED TEMPLATE_UNKNOWN".
const char *operation_tell_end(const struct operation *o, char text[OPERATION_END_SIZE]);
