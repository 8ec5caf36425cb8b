// Commands, results, audit answers, notifications and parameter lists: what is read is written back
// to the same octets or means the same, and nothing is read that is not there. Commands and
// parameters are what the model of the card reads.
#include "common/base/check.h"
#include "tests/model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_command(struct bytes octets)
{
    struct command c;
    struct command other;
    const enum command_read_status form = command_read(octets, &c);
    check(model_read(octets, &other) == form);
    check(c.number == other.number && c.operation_id == other.operation_id);
    if (form != COMMAND_READ_OK)
        return;
    uint8_t out[COMMAND_BODY_MAX];
    struct writer w = writer_of(out, sizeof out);
    command_write(&w, &c);
    check(!w.failed);
    // The order of the tags is the writer's: reading again must give the same command.
    struct command again;
    uint8_t twice[COMMAND_BODY_MAX];
    struct writer v = writer_of(twice, sizeof twice);
    check(command_read(writer_bytes(&w), &again) == COMMAND_READ_OK);
    command_write(&v, &again);
    check(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
}

static void try_result(struct bytes octets)
{
    struct result r;
    if (!result_read(octets, &r))
        return;
    uint8_t out[4096];
    struct writer w = writer_of(out, sizeof out);
    result_write(&w, &r);
    check(octets.len > sizeof out || bytes_equal(writer_bytes(&w), octets));
}

static void try_audit(struct bytes octets)
{
    struct audit_answer a;
    struct audit_answer again;
    if (!audit_answer_read(octets, &a))
        return;
    uint8_t out[1024];
    uint8_t twice[1024];
    struct writer w = writer_of(out, sizeof out);
    check(audit_answer_write(&w, &a, sizeof out) == a.slot_count_here && !w.failed);
    check(audit_answer_read(writer_bytes(&w), &again));
    struct writer v = writer_of(twice, sizeof twice);
    check(audit_answer_write(&v, &again, sizeof twice) == a.slot_count_here);
    check(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
}

static void try_notification(struct bytes octets)
{
    struct notification n;
    struct notification again;
    if (!notification_read(octets, &n))
        return;
    uint8_t out[COMMAND_NOTIFY_MAX];
    uint8_t twice[COMMAND_NOTIFY_MAX];
    struct writer w = writer_of(out, sizeof out);
    notification_write(&w, &n);
    check(!w.failed && notification_read(writer_bytes(&w), &again));
    struct writer v = writer_of(twice, sizeof twice);
    notification_write(&v, &again);
    check(bytes_equal(writer_bytes(&w), writer_bytes(&v)));
}

static void try_parameters(struct bytes list)
{
    struct parameters p;
    parameters_default(&p);
    const struct parameters before = p;
    static const uint8_t codes[] = {[PARAMETER_OK] = RESULT_OK,
                                    [PARAMETER_UNKNOWN] = RESULT_UNKNOWN_PARAMETER,
                                    [PARAMETER_OUT_OF_RANGE] = RESULT_OUT_OF_RANGE,
                                    [PARAMETER_MALFORMED] = RESULT_BAD_FORMAT};
    struct parameters other = p;
    const struct command_configure configure = {.writes = list};
    uint8_t bad = 0;
    const enum parameter_status status = parameters_apply(&p, list, &bad);
    check(model_parameters(&other, &configure) == codes[status]);
    check(memcmp(&p, &other, sizeof p) == 0);
    if (status != PARAMETER_OK) {
        check(memcmp(&p, &before, sizeof p) == 0);
        return;
    }
    uint8_t out[1024];
    struct writer w = writer_of(out, sizeof out);
    for (uint8_t i = 1; i < PARAMETER_SERVER_ADDR; i++)
        check(parameter_write(&w, &p, i));
    struct parameters again;
    parameters_default(&again);
    check(!w.failed && parameters_apply(&again, writer_bytes(&w), NULL) == PARAMETER_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    const struct bytes rest = bytes_of(data + 1, len - 1);
    switch (data[0] % 5) { // octets
    case 0:
        try_command(rest);
        break;
    case 1:
        try_result(rest);
        break;
    case 2:
        try_audit(rest);
        break;
    case 3:
        try_notification(rest);
        break;
    default:
        try_parameters(rest);
        break;
    }
    return 0;
}
