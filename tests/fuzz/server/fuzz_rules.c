// F16: the document with the rules of a group, as a request or as it was kept. What is taken is
// within what the core follows; and what is told of it, taken again, means the same.
#include "common/base/check.h"
#include "common/wire/sms.h"
#include "ota-server/service/group_rules.h"

#define TEXT_MAX 65536

static uint8_t told[2][TEXT_MAX];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool read(struct bytes text, struct group_rules *r)
{
    struct policy installation;
    json_t *root = NULL;
    policy_default(&installation);
    rules_default(r, &installation);
    if (json_read(text, &root) != JSON_READ_OK || !json_is_object(root)) {
        json_decref(root);
        return false;
    }
    struct api_body b;
    api_body_init(&b, root);
    rules_read(&b, r);
    const bool ok = api_body_end(&b);
    check(ok == (b.problem.code == API_OK));
    json_decref(root);
    return ok;
}

static struct bytes tell(const struct group_rules *r, uint8_t *room)
{
    struct writer w = writer_of(room, TEXT_MAX);
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    rules_put(&j, r, CLEAR_ALL);
    json_end_object(&j);
    check(json_done(&j));
    return writer_bytes(&w);
}

static void check_range(const struct group_rules *r)
{
    const struct policy *p = &r->policy;
    const struct bootstrap_rule *b = &p->bootstrap;
    check(p->retry.count <= POLICY_STEPS_MAX && p->audit.count <= POLICY_STEPS_MAX);
    check(p->quiet_count <= POLICY_QUIET_MAX);
    for (uint8_t i = 0; i < p->quiet_count; i++)
        check(p->quiet[i].from_min < 1440 && p->quiet[i].to_min < 1440);
    check(b->item_count <= BOOTSTRAP_ITEMS_MAX);
    check(b->item_count == 0 || b->enable < b->item_count);
    check(p->ota.sms_parts_max >= 1 && p->ota.sms_parts_max <= SMS_PARTS_MAX);
    check(p->not_after_ms >= 300000 && p->por_ms >= 10000);
    check(p->timers.len <= sizeof p->timers.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct group_rules rules;
    static struct group_rules again;
    if (!read(bytes_of(data, len), &rules))
        return 0;
    check_range(&rules);
    const struct bytes text = tell(&rules, told[0]);
    check(read(text, &again));
    check(bytes_equal(text, tell(&again, told[1])));
    return 0;
}
