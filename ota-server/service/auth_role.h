// The roles that a person may have in an enterprise, and their names. Pure.
#pragma once

enum user_role {
    ROLE_PLATFORM_ADMIN,
    ROLE_OPERATOR,
    ROLE_SUPPORT,
    ROLE_ENTERPRISE_ADMIN,
    ROLE_ENTERPRISE_USER,
    ROLE_INSPECTOR,
    ROLE_VENDOR_SUPPORT,
};
#define USER_ROLES (ROLE_VENDOR_SUPPORT + 1)

// Names as the interface writes them, ended by NULL.
extern const char *const user_role_names[USER_ROLES + 1];
