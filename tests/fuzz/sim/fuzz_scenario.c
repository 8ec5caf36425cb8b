// F16: a scenario file. Any text ends in a scenario whose numbers are in range, or in a reason.
#include "common/base/check.h"
#include "sim-emulator/core/scenario.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct scenario scenario;
    static struct radio radio;
    struct scenario_error error;
    radio_init(&radio, NULL, 1);
    if (!scenario_read(bytes_of(data, len), &scenario, &radio, &error)) {
        check(error.text[0] != 0);
        return 0;
    }
    for (uint16_t i = 0; i < scenario.group_count; i++) {
        check(scenario.groups[i].area < radio.area_count);
        check(scenario.groups[i].model < scenario.model_count);
        check(scenario.groups[i].cards.first >= 1);
    }
    for (uint16_t i = 1; i < scenario.step_count; i++)
        check(scenario.steps[i - 1].at.ms <= scenario.steps[i].at.ms);
    for (uint16_t i = 1; i < radio.change_count; i++)
        check(radio.changes[i - 1].at.ms <= radio.changes[i].at.ms);
    return 0;
}
