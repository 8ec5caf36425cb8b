// Which subscription comes next when there is no service, and which one a country asks for. Pure
// choice: nothing here changes an image.
#pragma once

#include "applet/image.h"

enum plan_kind {
    PLAN_NONE = 0, // automatic selection is off
    PLAN_SWITCH,   // to `slot`
    PLAN_PAUSE,    // nothing is left to try
    PLAN_CAPPED,   // as many switches as a day allows were made
};

struct plan {
    enum plan_kind kind;
    uint8_t slot;
    uint8_t reason;       // REASON_ROTATE or REASON_FALLBACK
    struct search search; // as it will be
};

// The next try. `failed` is the slot that was tried last in vain, or IMAGE_NO_SLOT; `plmn` may be
// NULL. Times are those of the card's clock.
struct plan select_next(const struct image *image, uint32_t now, uint8_t failed,
                        const uint8_t *plmn);
// The slot that the country table prefers here, or IMAGE_NO_SLOT.
uint8_t select_preferred_here(const struct image *image, const uint8_t *plmn);
// When a prefer row of this place that could not be followed is asked again: both the card's day
// and the cool-down of the slot are over then. 0 = no row of this place names another one than the
// enabled.
uint32_t select_prefer_again_s(const struct image *image, const uint8_t *plmn);
bool select_is_forbidden(const struct image *image, uint8_t slot_index, const uint8_t *plmn);
bool select_is_capped(const struct image *image, uint32_t now);
// Whether so many automatic switches are left today.
bool select_has_room(const struct image *image, uint32_t now, unsigned count);
// Length of pause number n.
uint32_t select_pause_s(const struct parameters *p, uint8_t n);
// When to try to return, from now: T_RETURN doubled as often as it failed, give or take a tenth.
uint32_t select_return_s(const struct image *image, uint32_t chance);
