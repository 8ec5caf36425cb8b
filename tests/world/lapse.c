#include "tests/world/lapse.h"

#include "sim-emulator/core/nvm.h"

// A cell that fails once does so once.
bool lapse_is_new(struct lapse *l, const struct nvm *nvm)
{
    const bool has_met = nvm_met_error(nvm);
    const bool is_counted = has_met && !nvm->faults->error_stays && l->error_at != 0 &&
                            l->error_at == nvm->faults->error_at;
    l->error_at = has_met ? nvm->faults->error_at : 0;
    return nvm->is_cut || (has_met && !is_counted);
}

bool lapse_goes_on(struct lapse *l, const struct nvm *nvm, bool is_new)
{
    if (is_new) {
        l->is_behind = true;
        l->is_mended = false;
    } else if (l->is_behind && !l->is_mended) {
        l->is_mended = true;
        l->mended_at = nvm->written;
    } else if (l->is_behind) {
        l->is_behind = l->mended_at == nvm->written;
    }
    return l->is_behind;
}
