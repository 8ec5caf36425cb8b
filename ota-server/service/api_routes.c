// Every path of the interface: the one table that router, permissions and tests read.
#include "ota-server/service/api_campaign.h"
#include "ota-server/service/api_card.h"
#include "ota-server/service/api_esim.h"
#include "ota-server/service/api_handlers.h"
#include "ota-server/service/api_operation.h"

#define CHANGES ROUTE_CHANGES
#define CAMARA ROUTE_CAMARA
#define ESIM(name) "iot-device-management:esim-profiles:" name

// NEEDS(x): what an enterprise must have been granted for the card; without it, only the operator's
// own people get to a card.
#define NEEDS(x) ROUTE_GRANT(GRANT_##x)

// clang-format off
const struct api_route_row api_routes[] = {
    {API_GET, "/healthz", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_UNLIMITED, api_health},
    {API_GET, "/readyz", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_UNLIMITED, api_ready},
    {API_GET, "/metrics", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE | ROUTE_UNLIMITED, api_metrics},
    {API_GET, "/docs/connectivity-management.yaml", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE, api_docs},
    {API_GET, "/docs/", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE, api_docs_page},
    {API_GET, "/docs/viewer.js", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE, api_docs_page},
    {API_GET, "/docs/viewer.css", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE, api_docs_page},
    {API_GET, "/docs/connectivity-management.json", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE, api_docs_page},
    {API_GET, "/docs/esim-profile-management.json", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE, api_docs_page},
    {API_GET, "/docs/esim-profile-management.yaml", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE, api_docs_esim},
    {API_GET, "/docs/openapi.yaml", NULL, TAKES_NOTHING, ROUTE_OPEN | ROUTE_ANY_TYPE, api_docs},
    {API_GET, "/.well-known/openid-configuration", NULL, TAKES_NOTHING, ROUTE_OPEN, api_discovery},
    {API_GET, "/.well-known/oauth-authorization-server", NULL, TAKES_NOTHING, ROUTE_OPEN, api_discovery},
    {API_GET, "/.well-known/jwks.json", NULL, TAKES_NOTHING, ROUTE_OPEN, api_jwks},
    {API_POST, "/oauth2/revoke", NULL, TAKES_FORM, ROUTE_OPEN, api_revoke_post},
    {API_POST, "/oauth2/token", NULL, TAKES_FORM, ROUTE_OPEN, api_token_post},

    {API_POST, API_BASE "/setup", NULL, TAKES_JSON, ROUTE_OPEN, api_setup_post},
    {API_POST, API_BASE "/session", NULL, TAKES_JSON, ROUTE_OPEN, api_session_post},
    {API_GET, API_BASE "/session", NULL, TAKES_NOTHING, 0, api_session_get},
    {API_DELETE, API_BASE "/session", NULL, TAKES_NOTHING, 0, api_session_delete},
    {API_GET, API_BASE "/api-clients", "clients:read", TAKES_NOTHING, 0, api_clients_list},
    {API_POST, API_BASE "/api-clients", "clients:write", TAKES_JSON, CHANGES, api_clients_post},
    {API_GET, API_BASE "/api-clients/*", "clients:read", TAKES_NOTHING, 0, api_client_get},
    {API_PATCH, API_BASE "/api-clients/*", "clients:write", TAKES_MERGE, CHANGES, api_client_patch},
    {API_POST, API_BASE "/api-clients/*/approve", "clients:write", TAKES_MAYBE, CHANGES, api_client_approve},
    {API_POST, API_BASE "/api-clients/*/revoke", "clients:write", TAKES_JSON, CHANGES, api_client_revoke},
    // Its answer holds a secret and is not kept: no idempotency key.
    {API_POST, API_BASE "/api-clients/*/secrets", "clients:write", TAKES_MAYBE, 0, api_client_secrets_post},
    {API_DELETE, API_BASE "/api-clients/*/secrets/*", "clients:write", TAKES_NOTHING, CHANGES,
     api_client_secret_delete},
    {API_GET, API_BASE "/enterprises", "enterprises:read", TAKES_NOTHING, 0, api_enterprises_list},
    {API_POST, API_BASE "/enterprises", "enterprises:write", TAKES_JSON, CHANGES, api_enterprises_post},
    {API_GET, API_BASE "/enterprises/*", "enterprises:read", TAKES_NOTHING, 0, api_enterprise_get},
    {API_PATCH, API_BASE "/enterprises/*", "enterprises:write", TAKES_MERGE, CHANGES, api_enterprise_patch},
    {API_GET, API_BASE "/users", "users:read", TAKES_NOTHING, 0, api_users_list},
    {API_POST, API_BASE "/users", "users:write", TAKES_JSON, CHANGES, api_users_post},
    {API_GET, API_BASE "/users/*", "users:read", TAKES_NOTHING, 0, api_user_get},
    {API_PATCH, API_BASE "/users/*", "users:write", TAKES_MERGE, CHANGES, api_user_patch},
    {API_DELETE, API_BASE "/users/*", "users:write", TAKES_NOTHING, CHANGES, api_user_delete},
    {API_POST, API_BASE "/users/*/password", "users:write", TAKES_JSON, CHANGES, api_user_password_post},

    {API_GET, API_BASE "/cards", "cards:read", TAKES_NOTHING, 0, api_cards_list},
    {API_POST, API_BASE "/cards/search", "cards:read", TAKES_JSON, 0, api_cards_search},
    {API_POST, API_BASE "/cards/export", "cards:read", TAKES_JSON, ROUTE_ANY_TYPE, api_cards_export},
    {API_GET, API_BASE "/cards/*", "cards:read", TAKES_NOTHING, NEEDS(CARD_READ), api_card_get},
    {API_PATCH, API_BASE "/cards/*", "cards:write", TAKES_MERGE, CHANGES | NEEDS(CARD_MOVE), api_card_patch},
    {API_POST, API_BASE "/cards/*/reveal", "cards:reveal", TAKES_JSON, NEEDS(CARD_REVEAL), api_card_reveal},
    {API_GET, API_BASE "/cards/*/subscriptions", "cards:read", TAKES_NOTHING, NEEDS(CARD_READ),
     api_card_subscriptions},
    {API_GET, API_BASE "/cards/*/parameters", "cards:read", TAKES_NOTHING, NEEDS(CARD_READ), api_card_parameters},
    {API_GET, API_BASE "/cards/*/timeline", "cards:read", TAKES_NOTHING, NEEDS(CARD_READ), api_card_timeline},
    {API_GET, API_BASE "/cards/*/messages", "cards:read", TAKES_NOTHING, NEEDS(CARD_READ), api_card_messages},
    {API_GET, API_BASE "/cards/*/audit-trail", "audit-trail:read", TAKES_NOTHING, NEEDS(CARD_READ), api_card_trail},
    {API_GET, API_BASE "/cards/*/operations", "operations:read", TAKES_NOTHING, NEEDS(CARD_READ),
     api_card_operations_list},
    // Scope and permission are those of the type in the body.
    {API_POST, API_BASE "/cards/*/operations", NULL, TAKES_JSON, CHANGES, api_card_operation_post},
    {API_PUT, API_BASE "/cards/*/dirty", "cards:dirty", TAKES_JSON, CHANGES, api_card_dirty_put},
    {API_DELETE, API_BASE "/cards/*/dirty", "cards:dirty", TAKES_JSON, CHANGES, api_card_dirty_delete},
    {API_DELETE, API_BASE "/cards/*/quarantine", "cards:dirty", TAKES_JSON, CHANGES, api_card_quarantine_delete},

    {API_GET, API_BASE "/operations", "operations:read", TAKES_NOTHING, 0, api_operations_list},
    {API_POST, API_BASE "/operations/export", "operations:read", TAKES_JSON, ROUTE_ANY_TYPE, api_operations_export},
    {API_GET, API_BASE "/operations/*", "operations:read", TAKES_NOTHING, NEEDS(CARD_READ), api_operation_get},
    {API_POST, API_BASE "/operations/*/resend", NULL, TAKES_MAYBE, CHANGES, api_operation_resend},
    {API_POST, API_BASE "/operations/*/cancel", NULL, TAKES_MAYBE, CHANGES, api_operation_cancel},

    {API_GET, API_BASE "/alarms", "alarms:read", TAKES_NOTHING, 0, api_alarms_list},
    {API_GET, API_BASE "/alarms/*", "alarms:read", TAKES_NOTHING, 0, api_alarm_get},
    {API_POST, API_BASE "/alarms/*/acknowledge", "alarms:write", TAKES_MAYBE, CHANGES, api_alarm_acknowledge},

    {API_GET, API_BASE "/approvals", "approvals:read", TAKES_NOTHING, 0, api_approvals_list},
    {API_GET, API_BASE "/approvals/*", "approvals:read", TAKES_NOTHING, 0, api_approval_get},
    {API_POST, API_BASE "/approvals/*/approve", "approvals:decide", TAKES_JSON, CHANGES, api_approval_approve},
    {API_POST, API_BASE "/approvals/*/reject", "approvals:decide", TAKES_JSON, CHANGES, api_approval_reject},

    {API_GET, API_BASE "/permissions", "permissions:read", TAKES_NOTHING, 0, api_permissions_list},
    {API_GET, API_BASE "/permissions/effective", "permissions:read", TAKES_NOTHING, 0, api_permissions_effective},
    {API_GET, API_BASE "/permissions/*/*", "permissions:read", TAKES_NOTHING, 0, api_permission_get},
    {API_PUT, API_BASE "/permissions/*/*", "permissions:write", TAKES_JSON, CHANGES, api_permission_put},
    {API_DELETE, API_BASE "/permissions/*/*", "permissions:write", TAKES_MAYBE, CHANGES, api_permission_delete},

    {API_GET, API_BASE "/card-groups", "groups:read", TAKES_NOTHING, 0, api_groups_list},
    {API_POST, API_BASE "/card-groups", "groups:write", TAKES_JSON, CHANGES, api_groups_post},
    {API_GET, API_BASE "/card-groups/*", "groups:read", TAKES_NOTHING, 0, api_group_get},
    {API_PATCH, API_BASE "/card-groups/*", "groups:write", TAKES_MERGE, CHANGES, api_group_patch},
    {API_DELETE, API_BASE "/card-groups/*", "groups:write", TAKES_NOTHING, CHANGES, api_group_delete},
    {API_GET, API_BASE "/card-groups/*/rules", "groups:read", TAKES_NOTHING, 0, api_group_rules_get},
    {API_PATCH, API_BASE "/card-groups/*/rules", "groups:write", TAKES_MERGE, CHANGES, api_group_rules_patch},
    {API_GET, API_BASE "/card-groups/*/rules/versions", "groups:read", TAKES_NOTHING, 0, api_group_rules_versions},

    {API_GET, API_BASE "/card-groups/*/timers", "groups:read", TAKES_NOTHING, 0, api_group_timers_get},

    {API_GET, API_BASE "/card-groups/*/bootstrap-jobs", "groups:read", TAKES_NOTHING, 0, api_bootstrap_jobs_list},
    {API_POST, API_BASE "/card-groups/*/bootstrap-jobs", "operations:download", TAKES_JSON, CHANGES,
     api_bootstrap_jobs_post},
    {API_GET, API_BASE "/bootstrap-jobs/*", "groups:read", TAKES_NOTHING, 0, api_bootstrap_job_get},
    {API_POST, API_BASE "/bootstrap-jobs/*/resume", "operations:download", TAKES_MAYBE, CHANGES,
     api_bootstrap_job_resume},
    {API_POST, API_BASE "/bootstrap-jobs/*/cancel", "operations:download", TAKES_MAYBE, CHANGES,
     api_bootstrap_job_cancel},

    {API_GET, API_BASE "/campaigns", "campaigns:read", TAKES_NOTHING, 0, api_campaigns_list},
    {API_POST, API_BASE "/campaigns", "campaigns:write", TAKES_JSON, CHANGES | ROUTE_NEEDS_KEY, api_campaigns_post},
    {API_GET, API_BASE "/campaigns/*", "campaigns:read", TAKES_NOTHING, 0, api_campaign_get},
    {API_PATCH, API_BASE "/campaigns/*", "campaigns:write", TAKES_MERGE, CHANGES, api_campaign_patch},
    {API_POST, API_BASE "/campaigns/*/check", "campaigns:write", TAKES_MAYBE, CHANGES, api_campaign_check},
    {API_POST, API_BASE "/campaigns/*/start", "campaigns:write", TAKES_MAYBE, CHANGES, api_campaign_start},
    {API_POST, API_BASE "/campaigns/*/pause", "campaigns:write", TAKES_MAYBE, CHANGES, api_campaign_pause},
    {API_POST, API_BASE "/campaigns/*/resume", "campaigns:write", TAKES_MAYBE, CHANGES, api_campaign_resume},
    {API_POST, API_BASE "/campaigns/*/stop", "campaigns:write", TAKES_MAYBE, CHANGES, api_campaign_stop},
    {API_POST, API_BASE "/campaigns/*/retry-failed", "campaigns:write", TAKES_MAYBE, CHANGES | ROUTE_NEEDS_KEY,
     api_campaign_retry},
    {API_GET, API_BASE "/campaigns/*/cards", "campaigns:read", TAKES_NOTHING, ROUTE_ANY_TYPE, api_campaign_cards},
    {API_GET, API_BASE "/campaigns/*/exclusions", "campaigns:read", TAKES_NOTHING, 0, api_campaign_exclusions},

    {API_GET, API_BASE "/subscription-pools", "inventory:read", TAKES_NOTHING, 0, api_pools_list},
    {API_POST, API_BASE "/subscription-pools", "inventory:write", TAKES_JSON, CHANGES, api_pools_post},
    {API_GET, API_BASE "/subscription-pools/*", "inventory:read", TAKES_NOTHING, 0, api_pool_get},
    {API_PATCH, API_BASE "/subscription-pools/*", "inventory:write", TAKES_MERGE, CHANGES, api_pool_patch},
    {API_DELETE, API_BASE "/subscription-pools/*", "inventory:write", TAKES_NOTHING, CHANGES, api_pool_delete},
    {API_GET, API_BASE "/subscriptions", "inventory:read", TAKES_NOTHING, 0, api_subscriptions_list},
    {API_POST, API_BASE "/subscriptions", "inventory:write", TAKES_JSON, CHANGES, api_subscriptions_post},
    {API_POST, API_BASE "/subscriptions/search", "inventory:read", TAKES_JSON, 0, api_subscriptions_search},
    {API_GET, API_BASE "/subscriptions/*", "inventory:read", TAKES_NOTHING, 0, api_subscription_get},
    {API_PATCH, API_BASE "/subscriptions/*", "inventory:write", TAKES_MERGE, CHANGES, api_subscription_patch},

    {API_GET, API_BASE "/profile-templates", "templates:read", TAKES_NOTHING, 0, api_templates_list},
    {API_POST, API_BASE "/profile-templates", "templates:write", TAKES_JSON, CHANGES, api_templates_post},
    {API_GET, API_BASE "/profile-templates/*", "templates:read", TAKES_NOTHING, 0, api_template_get},
    {API_GET, API_BASE "/profile-templates/*/versions", "templates:read", TAKES_NOTHING, 0,
     api_template_versions_list},
    {API_POST, API_BASE "/profile-templates/*/versions", "templates:write", TAKES_JSON, CHANGES,
     api_template_versions_post},
    {API_POST, API_BASE "/profile-templates/*/estimate", "templates:read", TAKES_JSON, 0, api_template_estimate},

    {API_GET, API_BASE "/batch-imports", "imports:read", TAKES_NOTHING, 0, api_imports_list},
    {API_POST, API_BASE "/batch-imports", "imports:write", TAKES_FILE, CHANGES | ROUTE_NEEDS_KEY, api_imports_post},
    {API_GET, API_BASE "/batch-imports/*", "imports:read", TAKES_NOTHING, 0, api_import_get},
    {API_POST, API_BASE "/batch-imports/*/cancel", "imports:write", TAKES_MAYBE, CHANGES, api_import_cancel},
    {API_GET, API_BASE "/batch-imports/*/report", "imports:read", TAKES_NOTHING, ROUTE_ANY_TYPE, api_import_report},
    {API_GET, API_BASE "/batch-imports/*/quarantine", "imports:write", TAKES_NOTHING, 0, api_quarantine_list},
    {API_DELETE, API_BASE "/batch-imports/*/quarantine", "imports:write", TAKES_NOTHING, CHANGES,
     api_quarantine_delete},
    {API_GET, API_BASE "/vendor-profiles", "imports:write", TAKES_NOTHING, 0, api_vendor_profiles_list},
    {API_POST, API_BASE "/vendor-profiles", "imports:write", TAKES_JSON, CHANGES, api_vendor_profiles_post},
    {API_GET, API_BASE "/vendor-profiles/*", "imports:write", TAKES_NOTHING, 0, api_vendor_profile_get},
    {API_PUT, API_BASE "/vendor-profiles/*", "imports:write", TAKES_JSON, CHANGES, api_vendor_profile_put},
    {API_GET, API_BASE "/transport-keys", "keys:write", TAKES_NOTHING, 0, api_transport_keys_list},
    {API_POST, API_BASE "/transport-keys", "keys:write", TAKES_JSON, CHANGES, api_transport_keys_post},

    {API_GET, API_BASE "/transport-keys/*/components", "keys:write", TAKES_NOTHING, 0, api_key_components_list},
    {API_POST, API_BASE "/transport-keys/*/components", "keys:write", TAKES_JSON, CHANGES, api_key_components_post},

    {API_GET, API_BASE "/dirty-cards", "cards:read", TAKES_NOTHING, 0, api_dirty_list},
    {API_GET, API_BASE "/dirty-cards/summary", "cards:read", TAKES_NOTHING, 0, api_dirty_summary},
    {API_POST, API_BASE "/dirty-cards/*/audit", "operations:audit", TAKES_MAYBE, CHANGES | NEEDS(CARD_AUDIT),
     api_dirty_audit},
    {API_POST, API_BASE "/dirty-cards/*/resolve", "cards:dirty", TAKES_JSON, CHANGES, api_dirty_resolve},

    {API_GET, API_BASE "/audit-trail", "audit-trail:read", TAKES_NOTHING, 0, api_trail_list},
    {API_POST, API_BASE "/audit-trail/verify", "audit-trail:verify", TAKES_MAYBE, CHANGES, api_trail_verify},
    {API_GET, API_BASE "/audit-trail/verifications/*", "audit-trail:verify", TAKES_NOTHING, 0,
     api_trail_verification_get},
    {API_GET, API_BASE "/audit-trail/checkpoints", "audit-trail:read", TAKES_NOTHING, 0, api_trail_checkpoints},
    {API_POST, API_BASE "/audit-trail/export", "audit-trail:read", TAKES_JSON, ROUTE_ANY_TYPE, api_trail_export},
    {API_GET, API_BASE "/audit-trail/*", "audit-trail:read", TAKES_NOTHING, 0, api_trail_get},
    {API_GET, API_BASE "/kpis", "reports:read", TAKES_NOTHING, ROUTE_ANY_TYPE, api_kpis_get},
    {API_GET, API_BASE "/metering/cards-queried", "metering:read", TAKES_NOTHING, 0, api_metering_cards},
    {API_GET, API_BASE "/metering/calls", "metering:read", TAKES_NOTHING, 0, api_metering_calls},
    {API_GET, API_BASE "/metering/records", "metering:read", TAKES_NOTHING, ROUTE_ANY_TYPE, api_metering_records},
    {API_GET, API_BASE "/metering/tariffs", "metering:write", TAKES_NOTHING, 0, api_tariffs_list},
    {API_PUT, API_BASE "/metering/tariffs", "metering:write", TAKES_JSON, CHANGES, api_tariffs_put},
    {API_GET, API_BASE "/system", "system:read", TAKES_NOTHING, 0, api_system_get},

    {API_POST, ESIM_BASE "/download", ESIM("download"), TAKES_JSON, CAMARA | CHANGES, api_esim_download},
    {API_POST, ESIM_BASE "/enable", ESIM("enable"), TAKES_JSON, CAMARA | CHANGES, api_esim_change},
    {API_POST, ESIM_BASE "/disable", ESIM("disable"), TAKES_JSON, CAMARA | CHANGES, api_esim_change},
    {API_POST, ESIM_BASE "/delete", ESIM("delete"), TAKES_JSON, CAMARA | CHANGES, api_esim_change},
    {API_POST, ESIM_BASE "/set-fallback", ESIM("set-fallback"), TAKES_JSON, CAMARA | CHANGES, api_esim_change},
    {API_POST, ESIM_BASE "/retrieve-status", ESIM("retrieve-status"), TAKES_JSON, CAMARA, api_esim_status},
    {API_GET, ESIM_BASE "/operations/*", ESIM("retrieve-operation"), TAKES_NOTHING, CAMARA, api_esim_operation},
};
// clang-format on

const size_t api_route_count = sizeof(api_routes) / sizeof(api_routes[0]);
