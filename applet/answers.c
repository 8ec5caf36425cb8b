// What a result carries: the part of commands.h that reads and never changes.
#include "applet/commands.h"

static void look_up(const struct image *m, const struct command_audit *q, struct audit_answer *out)
{
    out->lookup = LOOKUP_NOT_ASKED;
    if (!q->has_lookup)
        return;
    const struct outcome *stored = image_outcome(m, q->lookup_operation_id);
    out->lookup_operation_id = q->lookup_operation_id;
    if (stored != NULL) {
        out->lookup = LOOKUP_STORED;
        out->lookup_code = stored->code;
    } else {
        bool is_above = q->lookup_operation_id > m->operation_id_highest;
        out->lookup = is_above ? LOOKUP_NEVER_SEEN : LOOKUP_NOT_STORED;
    }
}

static uint16_t free_memory(const struct applet_port *port)
{
    size_t capacity = memory_capacity(port);
    size_t need = image_need(&port->work->image, port->work->bank, capacity);
    return need < capacity ? (uint16_t)(capacity - need) : 0;
}

static void fill_audit(const struct applet *a, const struct applet_port *port,
                       const struct command_audit *q, struct audit_answer *out)
{
    const struct image *m = &port->work->image;
    memcpy(out->nonce, q->nonce, sizeof out->nonce);
    memcpy(out->card_iccid, port->factory->card_iccid, sizeof out->card_iccid);
    memcpy(out->applet_version, port->factory->version, sizeof out->applet_version);
    out->level = port->factory->level;
    out->slot_count = m->slot_count;
    out->mt_counter = a->mt_counter;
    out->mo_counter = a->mo_counter;
    out->operation_id_highest = m->operation_id_highest;
    out->configuration_version = m->configuration_version;
    out->switch_state = a->state;
    out->journal_phase = m->journal.phase;
    out->preferred_slot = m->preferred == IMAGE_NO_SLOT ? 0 : (uint8_t)(m->preferred + 1);
    out->free_memory = free_memory(port);
    out->terminal = a->terminal;
    look_up(m, q, out);
    for (uint8_t i = 0; i < port->factory->template_count && i < COMMAND_TEMPLATES_MAX; i++)
        out->templates[out->template_count++] = port->factory->templates[i].number;
    out->has_plmn = a->has_plmn;
    memcpy(out->plmn, a->plmn, sizeof out->plmn);
    out->has_imei = m->has_imei;
    memcpy(out->imei, m->imei, sizeof out->imei);
    struct audit_slot slots[COMMAND_SLOTS_MAX];
    uint8_t used = image_audit_slots(m, slots);
    for (uint8_t i = 0; i < used; i++) {
        if (slots[i].slot >= q->first_slot)
            out->slots[out->slot_count_here++] = slots[i];
    }
}

static void write_values(struct writer *w, const struct image *m, uint32_t mask)
{
    writer_u16(w, m->configuration_version);
    for (uint8_t number = 1; number <= PARAMETER_LAST; number++) {
        if ((mask >> number & 1) != 0 && !parameter_write(w, &m->parameters, number))
            w->failed = true;
    }
}

void commands_write(struct writer *w, const struct applet *a, const struct applet_port *port,
                    const struct applet_answer *answer, size_t data_max)
{
    const struct outcome *o = &answer->outcome;
    struct result r = {
        .command = o->command,
        .code = o->code,
        .replayed = o->is_replayed,
        .operation_id = o->operation_id,
        .registry_version = o->registry_version,
        .has_hash = port->factory->level >= 2,
    };
    memcpy(r.state_hash, o->state_hash, sizeof r.state_hash);
    uint8_t data[COMMAND_RESULT_MAX];
    struct writer d = writer_of(data, sizeof data);
    if (o->has_pair) {
        writer_u8(&d, o->first);
        writer_u8(&d, o->second);
    } else if (o->command == COMMAND_AUDIT && o->code == RESULT_OK) {
        // Room that the result takes around its data, two octets of a longer length included.
        struct writer probe = writer_of(port->work->data, sizeof port->work->data);
        result_write(&probe, &r);
        struct audit_answer audit = {.level = 0};
        fill_audit(a, port, &answer->audit, &audit);
        size_t around = probe.len + 4;
        size_t room = data_max > around ? data_max - around : 0;
        room = room < sizeof data ? room : sizeof data;
        uint8_t written = audit_answer_write(&d, &audit, room);
        r.more = written < audit.slot_count_here;
    } else if (o->command == COMMAND_CONFIGURE && o->code == RESULT_OK) {
        write_values(&d, &port->work->image, answer->reads);
    }
    r.data = writer_bytes(&d);
    result_write(w, &r);
}
