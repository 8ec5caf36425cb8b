#include "tests/unit/server/bootstrap_lab.h"

struct world world;

// A card that was never seen, with the subscription of the factory; the rule: two downloads, the
// second is enabled.
int set_up(void **state)
{
    (void)state;
    world_init(&world);
    world.record.state = CARD_IMPORTED;
    world.record.slot_count = 1;
    world.next_slot = 2;
    world.policy.contact_delay_ms = 0;
    world.policy.bootstrap = (struct bootstrap_rule){.is_enabled = true,
                                                     .item_count = 2,
                                                     .enable = 1,
                                                     .soak_s = 3600,
                                                     .deadline_s = 86400,
                                                     .items = {{.pool = 9}, {.pool = 9}}};
    return 0;
}

int tear_down(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

uint8_t job(void)
{
    return world.record.bootstrap.state;
}

void contact(void)
{
    struct event e = {.type = EVENT_CONTACT};
    world_event(&world, &e);
}

void act(uint8_t action)
{
    struct event e = {.type = EVENT_BOOTSTRAP, .as.bootstrap = action};
    world_event(&world, &e);
}

void plan(uint8_t refusal)
{
    struct event e = {.type = EVENT_PLAN};
    struct event_plan *p = &e.as.plan;
    p->refusal = refusal;
    p->count = 2;
    for (uint8_t i = 0; i < 2; i++) {
        p->items[i].subscription = FIRST + i;
        p->items[i].plan.template_number = 1;
        p->items[i].plan.has_role = true;
        p->items[i].plan.role = ROLE_OPERATIONAL;
        memcpy(p->items[i].plan.imsi,
               (uint8_t[]){8, 0x99, 0x99, 0x07, 0, 0, 0, 7, (uint8_t)(i << 4)}, 9);
        memcpy(p->items[i].plan.number, i == 0 ? "9990000000071" : "9990000000072", 14);
    }
    world_event(&world, &e);
}

uint8_t sent(void)
{
    return world.decision.send_count == 0 ? 0xFF : world.decision.sends[0].command;
}

void answer(uint8_t code)
{
    world_submit(&world, SUBMIT_ACCEPTED);
    world_result(&world, code);
}

void downloaded(void)
{
    answer(RESULT_OK);
    world.next_slot++;
}

void enabled(uint8_t slot)
{
    answer(RESULT_OK_PENDING);
    world_notify(&world, NOTIFY_ENABLED, slot, true);
    answer(RESULT_OK); // of CONFIRM
}

void audited(void)
{
    struct event e;
    world_submit(&world, SUBMIT_ACCEPTED);
    world_answer_init(&world, &e, 0, 0);
    world_event(&world, &e);
}

void up_to_enabling(void)
{
    contact();
    plan(REFUSAL_NONE);
    downloaded();
    downloaded();
}

void up_to_soaking(void)
{
    up_to_enabling();
    enabled(3);
}
