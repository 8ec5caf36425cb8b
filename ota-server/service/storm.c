#include "ota-server/service/storm.h"

#define CARDS_MIN 20
#define TENS_OF_A_WEEK (7 * 24 * 6) // ten minutes
#define QUIET_MS (30 * 60000u)

enum storm_word storm_step(struct storm *s, uint64_t recent, uint64_t week, struct instant now)
{
    const bool is_storm = recent > CARDS_MIN && recent * TENS_OF_A_WEEK > 5 * week;
    const bool is_quiet = !is_storm && (recent == 0 || recent * TENS_OF_A_WEEK < 2 * week);
    if (is_quiet && !s->is_quiet)
        s->quiet_since = now;
    s->is_quiet = is_quiet;
    if (is_storm && !s->is_raised) {
        *s = (struct storm){.is_raised = true};
        return STORM_RAISED;
    }
    if (is_quiet && !s->is_cleared && now.ms - s->quiet_since.ms >= QUIET_MS) {
        s->is_raised = false;
        s->is_cleared = true;
        return STORM_CLEARED;
    }
    return STORM_SAYS_NOTHING;
}
