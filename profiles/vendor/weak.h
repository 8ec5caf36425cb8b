// Keys that nobody may use: all octets equal or counting, and those printed in standards and
// default configurations.
#pragma once

#include "common/base/secret.h"

enum weak_verdict {
    KEY_STRONG,
    KEY_PATTERN,   // every octet is the one before plus the same step
    KEY_PUBLISHED, // in a standard or a default configuration
};

enum weak_verdict weak_judge(const struct secret_key *key) MUST_USE;
