// ICCIDs as callers write them: with and without its check digit an ICCID is the same.
#pragma once

#include "common/wire/ident.h"
#include "ota-server/store/store.h"

#define API_ICCID_FORMS 2
// As EF.ICCID, in the form given and in the other one; how many there are. 0: it is none.
unsigned api_iccid_forms(const char *iccid, uint8_t out[API_ICCID_FORMS][ICCID_EF_LEN]);
// The card with this ICCID in either form; STORE_NONE: there is none.
enum store_status api_iccid_card(struct store *s, const char *iccid, uint64_t *card) MUST_USE;
// An ICCID is that of one subscription, and of no card but that which has this one. STORE_CONFLICT:
// it is taken.
enum store_status api_iccid_is_free(struct store *store, const struct subscription *s) MUST_USE;
