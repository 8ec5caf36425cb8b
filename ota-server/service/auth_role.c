#include "ota-server/service/auth_role.h"

#include <stddef.h>

const char *const user_role_names[USER_ROLES + 1] = {
    "PLATFORM_ADMIN",  "OPERATOR",  "SUPPORT",        "ENTERPRISE_ADMIN",
    "ENTERPRISE_USER", "INSPECTOR", "VENDOR_SUPPORT", NULL};
