#include "tests/exhaust/errors.h"

#include "applet/memory.h"

static struct model_card versions[RIG_SNAPSHOTS_MAX];
static unsigned version_count;

static bool is_slot(const struct slot *s, const struct model_slot *m)
{
    if (s->state == SLOT_EMPTY || !m->is_used)
        return s->state == SLOT_EMPTY && !m->is_used;
    return (s->state == SLOT_ENABLED) == m->is_enabled && s->is_fallback == m->is_fallback &&
           s->is_proven == m->is_proven && s->rank == m->rank &&
           memcmp(s->imsi, m->imsi, sizeof s->imsi) == 0;
}

static bool is_registry(const struct image *image, const struct model_card *m)
{
    bool is_same = image->registry_version == m->registry_version &&
                   image->operation_id_highest == m->operation_id_highest;
    for (uint8_t i = 0; i < image->slot_count && is_same; i++)
        is_same = is_slot(&image->slots[i], &m->slots[i]);
    return is_same;
}

static bool is_any_registry(const struct image *image)
{
    for (unsigned i = 0; i < version_count; i++) {
        if (is_registry(image, &versions[i]))
            return true;
    }
    return false;
}

static const char *judge_answer(struct errors *e, const struct rig *r, const struct image *image)
{
    if (!r->is_answered)
        return "no answer";
    if (r->answer_status != r->expects.status)
        return "status of an answer";
    if (r->answer_status != 0)
        return NULL;
    if (r->answer_code != RESULT_NVM_ERROR)
        return r->answer_code == r->expects.code ? NULL : "result";
    e->told++;
    if (r->answer_version != versions[0].registry_version || !is_registry(image, &versions[0]))
        return "NVM_ERROR, and the registry is not as before";
    return NULL;
}

// The memory works again, and the card starts.
static const char *judge_start(struct rig *r)
{
    static struct model_card m;
    struct applet a;
    const char *first = NULL;
    r->work.holder = NULL;
    r->work.maker = NULL;
    applet_start(&a, &r->port);
    for (unsigned i = 0; i < version_count; i++) {
        m = versions[i];
        model_start(&m);
        const char *text = rig_compare(r, &a, &m);
        if (text == NULL)
            return NULL;
        first = first == NULL ? text : first;
    }
    return first;
}

static const char *judge(struct errors *e, struct rig *r, uint8_t event)
{
    static struct applet_dump dump;
    r->work.holder = NULL; // what stands in the memory
    if (!applet_dump(&r->now.applet, &r->port, &dump))
        return "the memory is lost";
    if (!image_is_sound(&dump.image))
        return "an unsound registry";
    if (!is_any_registry(&dump.image))
        return "a registry that no commit of the step leaves";
    const char *text = event < RIG_NORMAL ? judge_answer(e, r, &dump.image) : NULL;
    return text == NULL && e->is_on ? judge_start(r) : text;
}

static const char *try_one(struct errors *e, struct rig *r, const struct rig_state *from,
                           uint8_t event)
{
    rig_restore(r, from);
    r->writes = 0;
    r->fails_at = e->write;
    r->fails_on = e->is_on;
    r->failure = (enum rig_failure)e->failure;
    const bool is_possible = rig_apply(r, event);
    r->fails_at = 0;
    e->tried++;
    return is_possible ? judge(e, r, event) : "an event that was possible";
}

bool errors_sweep(struct errors *e, struct rig *r, const struct rig_state *from, uint8_t event,
                  unsigned writes)
{
    version_count = r->snapshot_count;
    for (unsigned i = 0; i < version_count; i++) {
        versions[i] = r->snapshots[i];
        versions[i].committed = NULL;
    }
    for (e->write = 1; e->write <= writes; e->write++) {
        for (e->failure = 0; e->failure < RIG_FAILURES; e->failure++) {
            for (unsigned on = 0; on < 2; on++) {
                e->is_on = on != 0;
                e->differs = try_one(e, r, from, event);
                if (e->differs != NULL)
                    return false;
            }
        }
    }
    return true;
}
