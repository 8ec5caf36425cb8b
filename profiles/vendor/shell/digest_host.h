// The importer's stream digest, brought by common/host/crypto.h.
#pragma once

#include "profiles/vendor/digest.h"

extern const struct vendor_digest vendor_digest_host;
