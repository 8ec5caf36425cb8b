// Agreements with enterprises that end: while one ends within 30 days, or has ended, and its
// enterprise is not suspended, there is the alarm `compliance.due` with the enterprise as object.
//
// Never: shuts an enterprise; see enterprise_works().
#pragma once

#include "ota-server/service/turn.h"

#define AGREEMENT_NOTICE_MS (30 * INT64_C(86400000))

// Raises and clears by what all enterprises say now. Inside a transaction.
enum store_status agreements_keep(struct store *s, struct turn *t, struct utc now) MUST_USE;
