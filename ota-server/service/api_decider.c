// Which of what waits for a second person an enterprise's own people may decide: what one of them
// asked for, while the enterprise serves itself, where operation.approve is granted. What is sharp
// is the operator's: force, another address to report to, doubt and quarantine.
#include "ota-server/service/api_approval.h"
#include "ota-server/service/api_campaign.h"

#include <stdlib.h>

static bool serves_itself(struct api_exchange *x, uint64_t group)
{
    struct group_rules rules;
    enum authority_mode mode = AUTHORITY_OPERATOR_ONLY;
    bool by_group = false;
    return rules_of(x->reader, group, turn_policy(x->api->options.turn), &rules) == STORE_OK &&
           rules_authority(x->reader, x->tenant, rules.authority, &mode, &by_group) == STORE_OK &&
           mode == AUTHORITY_SELF_SERVICE;
}

static bool is_our_operation(struct api_exchange *x, const struct approval_matter *m)
{
    struct operation o;
    uint64_t card = 0;
    struct record *record = malloc(sizeof(*record));
    const bool is =
        record != NULL && store_operation_get(x->reader, m->operation, &o, &card) == STORE_OK &&
        card == m->card && o.kind == OPERATION_DELETE && !o.force &&
        store_card_load(x->reader, card, record) == STORE_OK &&
        api_access_to(x, record, GRANT_BIT(GRANT_OPERATION_APPROVE)) == API_ACCESS_GRANTED &&
        serves_itself(x, record->group);
    free(record);
    return is;
}

// One whose target is groups, if it is granted in each of them. The cards of any other target are
// in whichever groups: it is the operator's.
static bool is_our_campaign(struct api_exchange *x, const struct approval_matter *m)
{
    const json_t *groups = json_object_get(json_object_get(m->request, "target"), "groupIds");
    struct campaign c;
    size_t i;
    const json_t *item;
    bool is = json_array_size(groups) > 0 &&
              store_campaign_get(x->reader, m->campaign, &c) == STORE_OK && !c.is_sharp &&
              !c.operation.force;
    json_array_foreach(groups, i, item)
    {
        const char *text = json_string_value(item);
        uint64_t group = 0;
        uint32_t set = 0;
        is = is && text != NULL && api_id_read(bytes_of_text(text), "grp", &group) &&
             permission_of(x->reader, x->tenant, group, &set, NULL) == STORE_OK &&
             (set & GRANT_BIT(GRANT_OPERATION_APPROVE)) != 0 && serves_itself(x, group);
    }
    return is;
}

bool api_approval_is_ours(struct api_exchange *x, const struct approval_matter *m)
{
    if (m->enterprise != x->tenant)
        return false;
    return m->campaign != 0 ? is_our_campaign(x, m) : m->operation != 0 && is_our_operation(x, m);
}
