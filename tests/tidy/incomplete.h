// Names a type of a header that it does not include.
#pragma once

void incomplete(uint8_t octet);
