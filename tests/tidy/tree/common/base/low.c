#include "common/wire/high.h"
#include "common/base/low.h"
#include "low.h"

int low(int kind)
{
    switch (kind) {
    case 1:
        goto done;
    default:
        return 0;
    }
done:
    return low(kind - 1); // TODO
}
