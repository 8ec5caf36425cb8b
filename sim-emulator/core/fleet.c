#include "sim-emulator/core/fleet.h"

#include "common/base/check.h"
#include "common/base/text.h"

// --- the heap --------------------------------------------------------------------------------

// Equal times go by number, so that the order never depends on history.
static bool is_earlier(const struct fleet_entry *a, const struct fleet_entry *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->device < b->device;
}

static void put(struct fleet *f, uint32_t place, struct fleet_entry entry)
{
    f->heap[place] = entry;
    f->places[entry.device] = place;
}

static void sift(struct fleet *f, uint32_t place)
{
    struct fleet_entry entry = f->heap[place];
    while (place > 0 && is_earlier(&entry, &f->heap[(place - 1) / 2])) {
        put(f, place, f->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) {
        uint32_t child = place * 2 + 1;
        if (child >= f->count)
            break;
        if (child + 1 < f->count && is_earlier(&f->heap[child + 1], &f->heap[child]))
            child++;
        if (!is_earlier(&f->heap[child], &entry))
            break;
        put(f, place, f->heap[child]);
        place = child;
    }
    put(f, place, entry);
}

// After anything that may have moved a device's deadline.
static void reschedule(struct fleet *f, uint32_t device)
{
    uint32_t place = f->places[device];
    f->heap[place].due_ms = device_deadline(&f->devices[device]).ms;
    sift(f, place);
    if (f->stepped != NULL)
        f->stepped(f->context, device);
}

// --- what devices do -------------------------------------------------------------------------

static void tell_message(struct fleet *f, const struct device *device, struct bytes tpdu)
{
    const struct radio_subscriber *s = radio_by_imsi(f->world.radio, device->imsi);
    f->counts.mo++;
    if (s == NULL || f->mo == NULL)
        return;
    struct fleet_message message = {
        .source = s->msisdn != 0 ? s->msisdn : s->imsi, .device = device->number, .tpdu = tpdu};
    f->mo(f->context, &message);
}

static void device_acts(void *context, struct device *device, const struct device_action *action)
{
    struct fleet *f = context;
    switch (action->kind) {
    case DEVICE_ATTACHED:
        f->counts.attached++;
        f->attached_now++;
        break;
    case DEVICE_DETACHED:
        f->counts.detached++;
        f->attached_now--;
        break;
    case DEVICE_REJECTED:
        f->counts.rejected++;
        break;
    case DEVICE_REFRESHED:
        f->counts.refreshed++;
        break;
    case DEVICE_MO:
        tell_message(f, device, action->tpdu);
        break;
    }
    if (f->acted != NULL)
        f->acted(f->context, device, action);
}

// --- setting up ------------------------------------------------------------------------------

// 35 2099, then the device number in eight digits: a test range, with its Luhn digit.
static void give_imei(struct device *device, uint32_t number)
{
    char imei[IMEI_SIZE] = "35209900000000";
    for (size_t i = 13; i > 5; i--) {
        imei[i] = (char)('0' + number % 10);
        number /= 10;
    }
    imei[14] = luhn_digit(imei, 14);
    imei[15] = 0;
    device->has_imei = imei_write(imei, device->imei);
}

void fleet_init(struct fleet *fleet, const struct fleet_config *config)
{
    memset(fleet, 0, sizeof *fleet);
    fleet->devices = config->devices;
    fleet->count = config->count;
    fleet->heap = config->heap;
    fleet->places = config->places;
    fleet->scenario = config->scenario;
    fleet->world = (struct device_world){
        .radio = config->radio, .start = config->start, .act = device_acts, .context = fleet};
    prng_init(&fleet->world.random, config->seed, "air", 0);
    for (uint32_t i = 0; i < fleet->count; i++) {
        struct device *d = &fleet->devices[i];
        d->number = i;
        give_imei(d, i);
        put(fleet, i, (struct fleet_entry){.due_ms = UINT64_MAX, .device = i});
    }
    for (uint16_t g = 0; g < config->scenario->group_count; g++) {
        const struct scenario_group *group = &config->scenario->groups[g];
        for (uint32_t i = group->cards.first - 1; i < fleet->count && i < group->cards.last; i++) {
            if (group->has_area)
                fleet->devices[i].area = group->area;
            if (group->has_model)
                fleet->devices[i].model = &config->scenario->models[group->model];
        }
    }
}

void fleet_start(struct fleet *fleet, struct instant now, uint64_t spread_ms)
{
    fleet->started = now;
    for (uint32_t i = 0; i < fleet->count; i++) {
        struct instant at = instant_after(now, spread_ms * i / fleet->count);
        device_power(&fleet->devices[i], &fleet->world, true, at);
        reschedule(fleet, i);
    }
}

// --- by hand and by scenario -----------------------------------------------------------------

void fleet_plan_faults(struct fleet *fleet, uint32_t device, const struct nvm_faults *plan,
                       struct nvm_faults *kept, struct instant now)
{
    device_plan_faults(&fleet->devices[device], plan, kept, now);
    reschedule(fleet, device);
}

void fleet_plan_reset(struct fleet *fleet, uint32_t device, uint32_t nth, struct instant now)
{
    device_plan_reset(&fleet->devices[device], nth, now);
    reschedule(fleet, device);
}

void fleet_plan_answers(struct fleet *fleet, uint32_t device, const struct device_answers *plan,
                        struct instant now)
{
    device_plan_answers(&fleet->devices[device], plan, now);
    reschedule(fleet, device);
}

static bool set_fault(struct fleet *f, struct device *d, uint32_t cut_at, struct instant now)
{
    const struct card *card = &d->card;
    size_t place = FLEET_FAULTS_MAX;
    for (size_t i = 0; i < FLEET_FAULTS_MAX; i++) {
        bool is_free = f->faulty[i] == NULL || f->faults[i].cut_at == 0;
        if (f->faulty[i] == card || (is_free && place == FLEET_FAULTS_MAX))
            place = i;
        if (f->faulty[i] == card)
            break; // a card has one plan at a time
    }
    if (place == FLEET_FAULTS_MAX)
        return false;
    if (f->faulty[place] != NULL)
        f->faulty[place]->nvm.faults = NULL;
    f->faulty[place] = &d->card;
    const struct nvm_faults plan = {.cut_at = cut_at};
    device_plan_faults(d, &plan, &f->faults[place], now);
    return true;
}

void fleet_serve(struct fleet *fleet, uint32_t device, uint16_t sw, struct instant now)
{
    check(device < fleet->count);
    device_serve(&fleet->devices[device], &fleet->world, sw, now);
    reschedule(fleet, device);
}

bool fleet_act(struct fleet *fleet, uint32_t device, const struct scenario_step *what,
               struct instant now)
{
    if (device >= fleet->count)
        return false;
    struct device *d = &fleet->devices[device];
    bool is_done = true;
    switch (what->action) {
    case SCENARIO_POWER_ON:
    case SCENARIO_POWER_OFF:
        device_power(d, &fleet->world, what->action == SCENARIO_POWER_ON, now);
        break;
    case SCENARIO_CUT:
        is_done = set_fault(fleet, d, what->value, now);
        break;
    case SCENARIO_MOVE:
        is_done = what->value < fleet->world.radio->area_count;
        if (is_done)
            device_move(d, (uint8_t)what->value, now);
        break;
    case SCENARIO_IMEI:
        memcpy(d->imei, what->imei, sizeof d->imei);
        d->has_imei = true;
        break;
    case SCENARIO_NO_IMEI:
        d->has_imei = false;
        break;
    }
    reschedule(fleet, device);
    return is_done;
}

enum card_give fleet_give(struct fleet *fleet, uint32_t device, struct bytes command,
                          struct instant now)
{
    check(device < fleet->count);
    enum card_give given = device_give(&fleet->devices[device], command, now);
    reschedule(fleet, device);
    return given;
}

bool fleet_cover(struct fleet *fleet, uint8_t area, uint16_t networks, struct instant now)
{
    struct radio_change change = {.at = now, .area = area, .networks = networks};
    if (!radio_change_add(fleet->world.radio, &change))
        return false;
    for (uint32_t i = 0; i < fleet->count; i++) {
        if (fleet->devices[i].area != area)
            continue;
        device_look(&fleet->devices[i], now);
        reschedule(fleet, i);
    }
    return true;
}

static void run_scenario(struct fleet *f, struct instant now)
{
    const struct scenario *s = f->scenario;
    for (; f->step_next < s->step_count && instant_is_due(s->steps[f->step_next].at, now);
         f->step_next++) {
        const struct scenario_step *step = &s->steps[f->step_next];
        if (step->action == SCENARIO_CUT && step->at.ms < f->started.ms)
            continue;
        for (uint32_t i = step->cards.first - 1; i < f->count && i < step->cards.last; i++)
            f->counts.steps_failed += !fleet_act(f, i, step, now);
    }
}

// --- time and messages -----------------------------------------------------------------------

uint32_t fleet_step(struct fleet *fleet, struct instant now, uint32_t devices_max)
{
    run_scenario(fleet, now);
    uint32_t done = 0;
    while (done < devices_max && fleet->count > 0 && fleet->heap[0].due_ms <= now.ms) {
        uint32_t device = fleet->heap[0].device;
        device_step(&fleet->devices[device], &fleet->world, now);
        reschedule(fleet, device);
        done++;
    }
    fleet->counts.steps += done;
    return done;
}

struct instant fleet_deadline(const struct fleet *fleet)
{
    struct instant due = INSTANT_NEVER;
    if (fleet->count > 0)
        due = (struct instant){fleet->heap[0].due_ms};
    if (fleet->step_next < fleet->scenario->step_count)
        due = instant_earlier(due, fleet->scenario->steps[fleet->step_next].at);
    return due;
}

enum fleet_delivery fleet_deliver(struct fleet *fleet, uint64_t msisdn, struct bytes tpdu,
                                  struct writer *report, struct instant now, uint32_t *device)
{
    const struct radio_subscriber *s = radio_by_msisdn(fleet->world.radio, msisdn);
    *device = s == NULL ? RADIO_NOBODY : s->device;
    if (s == NULL) {
        fleet->counts.mt_unknown++;
        return FLEET_UNKNOWN;
    }
    if (s->device == RADIO_NOBODY) {
        fleet->counts.mt_absent++;
        return FLEET_ABSENT;
    }
    struct device *d = &fleet->devices[s->device];
    enum device_delivery delivery = device_deliver(d, &fleet->world, tpdu, report, now);
    reschedule(fleet, d->number);
    switch (delivery) {
    case DEVICE_ACCEPTED:
        fleet->counts.mt_accepted++;
        return FLEET_ACCEPTED;
    case DEVICE_ABSENT:
        fleet->counts.mt_absent++;
        return FLEET_ABSENT;
    case DEVICE_BUSY:
        fleet->counts.mt_busy++;
        return FLEET_BUSY;
    case DEVICE_REFUSED:
        break;
    }
    fleet->counts.mt_refused++;
    return FLEET_REFUSED;
}
