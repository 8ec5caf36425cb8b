#include "sim-emulator/shell/truth.h"

#include "common/base/text.h"
#include "sim-emulator/shell/air.h"

static void put_hex(struct json_writer *json, const char *key, struct bytes octets)
{
    char text[2 * CIPHER_SHA256_SIZE + 1];
    struct writer w = writer_of(text, sizeof text);
    text_hex_upper(&w, octets);
    json_put_key(json, key);
    json_put_string(json, text_end(&w));
}

static void put_unsigned(struct json_writer *json, const char *key, uint64_t value)
{
    json_put_key(json, key);
    json_put_unsigned(json, value);
}

static void put_string(struct json_writer *json, const char *key, const char *value)
{
    json_put_key(json, key);
    json_put_string(json, value);
}

static void put_bool(struct json_writer *json, const char *key, bool value)
{
    json_put_key(json, key);
    json_put_bool(json, value);
}

static void put_iccid(struct json_writer *json, const char *key, const uint8_t *ef)
{
    char text[ICCID_SIZE];
    if (iccid_read(ef, text))
        put_string(json, key, text);
}

static void put_imsi(struct json_writer *json, const char *key, const uint8_t *ef)
{
    char text[IMSI_SIZE];
    if (imsi_read(ef, text))
        put_string(json, key, text);
}

static const char *service_name(const struct device *d)
{
    static const char *const names[] = {"normal", "limited", "none"};
    return names[d->service <= CAT_SERVICE_NONE ? d->service : CAT_SERVICE_NONE];
}

static const char *power_name(const struct device *d)
{
    switch ((enum device_state)d->state) {
    case DEVICE_OFF:
        return "off";
    case DEVICE_BOOTING:
        return "booting";
    case DEVICE_RUNNING:
        break;
    }
    return "on";
}

static void put_device(struct app *app, const struct device *d, struct json_writer *json)
{
    put_iccid(json, "iccid", d->card.factory->card_iccid);
    put_unsigned(json, "number", d->number + 1U);
    put_string(json, "power", power_name(d));
    put_string(json, "service", service_name(d));
    json_put_key(json, "network");
    if (d->network == DEVICE_NO_NETWORK)
        json_put_null(json);
    else
        json_put_string(json, app->radio.networks[d->network].plmn);
    put_string(json, "area", app->radio.areas[d->area]);
    put_string(json, "model", d->model->name);
}

static void put_slot(struct json_writer *json, const struct image *image, uint8_t index)
{
    static const char *const states[] = {"EMPTY", "DISABLED", "ENABLED"};
    static const char *const roles[] = {"OPERATIONAL", "BOOTSTRAP", "TEST"};
    const struct slot *s = &image->slots[index];
    json_begin_object(json);
    put_unsigned(json, "slot", index + 1U);
    put_string(json, "state", states[s->state <= SLOT_ENABLED ? s->state : 0]);
    put_string(json, "role", roles[s->role <= ROLE_TEST ? s->role : 0]);
    put_bool(json, "fallback", s->is_fallback);
    put_bool(json, "proven", s->is_proven);
    put_unsigned(json, "marks", s->marks);
    put_unsigned(json, "rank", s->rank);
    put_unsigned(json, "template", s->template_number);
    put_imsi(json, "imsi", s->imsi);
    if (s->has_iccid)
        put_iccid(json, "iccid", s->iccid);
    json_end_object(json);
}

static void put_hash(struct app *app, const struct image *image, struct json_writer *json)
{
    struct audit_slot slots[COMMAND_SLOTS_MAX];
    uint8_t count = image_audit_slots(image, slots);
    uint8_t hash[COMMAND_HASH_SIZE];
    if (state_hash(&app->cipher, slots, count, hash))
        put_hex(json, "stateHash", bytes_of(hash, sizeof hash));
}

static void put_registry(struct app *app, const struct applet_dump *dump, struct json_writer *json)
{
    const struct image *image = &dump->image;
    put_unsigned(json, "registryVersion", image->registry_version);
    put_hash(app, image, json);
    put_unsigned(json, "mtCounter", dump->mt_counter);
    put_unsigned(json, "moCounter", dump->mo_counter);
    put_unsigned(json, "operationIdHighest", image->operation_id_highest);
    put_unsigned(json, "notifySequence", image->notify_sequence);
    put_unsigned(json, "configurationVersion", image->configuration_version);
    put_unsigned(json, "securityFailures", image->security_failures);
    put_unsigned(json, "switchState", dump->state);
    put_unsigned(json, "journalPhase", image->journal.phase);
    put_unsigned(json, "preferredSlot", image->preferred + 1U);
    put_unsigned(json, "pending", image->pending_count);
    json_put_key(json, "slots");
    json_begin_array(json);
    for (uint8_t i = 0; i < image->slot_count; i++) {
        if (image->slots[i].state != SLOT_EMPTY)
            put_slot(json, image, i);
    }
    json_end_array(json);
    json_put_key(json, "outcomes");
    json_begin_array(json);
    for (uint8_t i = 0; i < image->outcome_count; i++) {
        json_begin_object(json);
        put_unsigned(json, "operationId", image->outcomes[i].operation_id);
        put_string(json, "command", command_number_name(image->outcomes[i].command));
        put_string(json, "result", result_code_name(image->outcomes[i].code));
        json_end_object(json);
    }
    json_end_array(json);
}

void truth_card(struct app *app, uint32_t number, struct json_writer *json)
{
    struct device *d = &app->devices[number];
    json_begin_object(json);
    put_device(app, d, json);
    char imei[IMEI_SIZE];
    if (d->has_imei && imei_read(d->imei, imei))
        put_string(json, "imei", imei);
    put_unsigned(json, "memoryOctets", nvm_pages(&d->card.nvm) * (uint64_t)sizeof(struct nvm_page));
    put_unsigned(json, "memoryWrites", d->card.nvm.written);
    struct applet_port port = card_port(&d->card);
    struct applet_dump dump;
    // A card that was never switched on has no registry yet.
    bool has_registry = d->card.nvm.written > 0 && applet_dump(&d->card.applet, &port, &dump);
    put_bool(json, "started", has_registry);
    if (has_registry)
        put_registry(app, &dump, json);
    json_end_object(json);
}

void truth_card_short(struct app *app, uint32_t number, struct json_writer *json)
{
    const struct device *d = &app->devices[number];
    json_begin_object(json);
    put_device(app, d, json);
    char digits[RADIO_DIGITS_SIZE];
    if (d->imsi != 0) {
        radio_digits(d->imsi, digits);
        put_string(json, "imsi", digits);
    }
    json_end_object(json);
}

void truth_counters(struct app *app, struct json_writer *json)
{
    const struct fleet_counts *c = &app->fleet.counts;
    struct air_counts air = air_counts(app->air);
    const struct {
        const char *name;
        uint64_t value;
    } values[] = {{"cards", app->fleet.count},
                  {"timeMs", app_now(app).ms},
                  {"attachedNow", app->fleet.attached_now},
                  {"attached", c->attached},
                  {"detached", c->detached},
                  {"rejected", c->rejected},
                  {"refreshed", c->refreshed},
                  {"mo", c->mo},
                  {"mtAccepted", c->mt_accepted},
                  {"mtAbsent", c->mt_absent},
                  {"mtBusy", c->mt_busy},
                  {"mtRefused", c->mt_refused},
                  {"mtUnknown", c->mt_unknown},
                  {"deviceSteps", c->steps},
                  {"scenarioStepsFailed", c->steps_failed},
                  {"linksBound", air.bound},
                  {"smppDelivered", air.delivered},
                  {"smppSubmitted", air.submitted},
                  {"smppRefused", air.refused},
                  {"smppDropped", air.dropped},
                  {"smppWaiting", air.waiting},
                  {"memoryPages", app->shop.pool.used}};
    json_begin_object(json);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        put_unsigned(json, values[i].name, values[i].value);
    json_end_object(json);
}
