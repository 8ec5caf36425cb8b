// A header in order: nothing is reported for it.
#pragma once

int high(int value);
