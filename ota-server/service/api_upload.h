// Lists of cards that came as a file, for targets of campaigns and moves. Internal.
//
// An upload is a document and its parts, kept for a week: the ids of the cards that its lines named
// when it came. Whether they may be touched is judged when they are. Its parts are there before it
// and go after it: while it is there it is whole.
#pragma once

#include "ota-server/service/api_document.h"

#define UPLOAD_KIND "upload"
#define UPLOAD_PART_KIND "upload-part"
#define UPLOAD_GONE_KIND "upload-gone" // was deleted, and has parts
#define UPLOAD_LIFE_MS (7ll * 24 * 60 * 60 * 1000)
#define UPLOAD_PART_LIFE_MS (8ll * 24 * 60 * 60 * 1000)
#define UPLOAD_CARDS_MAX 1000000
#define UPLOAD_PART_CARDS 2048 // a campaign takes them in some ten milliseconds

extern const struct api_kind api_uploads;

struct upload_part {
    uint64_t id; // 0: there is none any more
    size_t count;
    uint64_t cards[UPLOAD_PART_CARDS];
};
// The part behind `after`, of which 0 is before the first. STORE_NONE: the upload is not there.
enum store_status upload_part(struct store *s, uint64_t upload, uint64_t after,
                              struct upload_part *out) MUST_USE;
// Once a second: parts of those that were deleted go, some a turn.
void uploads_tick(const struct api *api);
// The card that a caller names by its ICCID (either form) or id. STORE_NONE: none that is there for
// him; another status: it is not known.
enum store_status upload_card(struct api_exchange *x, const char *text, bool is_iccid,
                              uint64_t *card) MUST_USE;

void api_uploads_list(struct api_exchange *x);
void api_uploads_post(struct api_exchange *x);
void api_upload_get(struct api_exchange *x);
void api_upload_delete(struct api_exchange *x);
