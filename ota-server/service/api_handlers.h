// The handlers that stand in no header of their own. Internal to the service; see api_routes.c.
#pragma once

#include "ota-server/service/api_exchange.h"

void api_trail_list(struct api_exchange *x);
void api_trail_get(struct api_exchange *x);
void api_trail_checkpoints(struct api_exchange *x);
void api_trail_export(struct api_exchange *x);
void api_trail_verify(struct api_exchange *x);
void api_trail_verification_get(struct api_exchange *x);
void api_card_trail(struct api_exchange *x);

void api_sinks_list(struct api_exchange *x);
void api_sinks_post(struct api_exchange *x);
void api_sink_get(struct api_exchange *x);
void api_sink_patch(struct api_exchange *x);
void api_sink_delete(struct api_exchange *x);
void api_sink_test(struct api_exchange *x);
void api_sink_secrets_post(struct api_exchange *x);
void api_deliveries_list(struct api_exchange *x);
void api_delivery_get(struct api_exchange *x);
void api_delivery_resend(struct api_exchange *x);
// Writes the delivery; false when there is none.
bool api_delivery_put(struct api_exchange *x, uint64_t id);
void api_events_get(struct api_exchange *x);
void api_kpis_get(struct api_exchange *x);
void api_metering_cards(struct api_exchange *x);
void api_metering_calls(struct api_exchange *x);
void api_metering_records(struct api_exchange *x);
void api_tariffs_list(struct api_exchange *x);
void api_tariffs_put(struct api_exchange *x);
void api_reports_list(struct api_exchange *x);
void api_reports_post(struct api_exchange *x);
void api_report_get(struct api_exchange *x);
void api_report_patch(struct api_exchange *x);
void api_report_content(struct api_exchange *x);
void api_report_sign_off(struct api_exchange *x);

void api_system_get(struct api_exchange *x);
void api_health(struct api_exchange *x);
void api_ready(struct api_exchange *x);
void api_metrics(struct api_exchange *x);
void api_docs(struct api_exchange *x);
void api_docs_esim(struct api_exchange *x);
void api_docs_page(struct api_exchange *x);
void api_token_post(struct api_exchange *x);

void api_setup_post(struct api_exchange *x);
void api_session_post(struct api_exchange *x);
void api_session_get(struct api_exchange *x);
void api_session_delete(struct api_exchange *x);
void api_users_list(struct api_exchange *x);
void api_users_post(struct api_exchange *x);
void api_user_get(struct api_exchange *x);
void api_user_patch(struct api_exchange *x);
void api_user_delete(struct api_exchange *x);
void api_user_password_post(struct api_exchange *x);
void api_factor_get(struct api_exchange *x);
void api_factor_post(struct api_exchange *x);
void api_factor_patch(struct api_exchange *x);
void api_factor_delete(struct api_exchange *x);
void api_clients_list(struct api_exchange *x);
void api_clients_post(struct api_exchange *x);
void api_client_get(struct api_exchange *x);
void api_client_patch(struct api_exchange *x);
void api_client_approve(struct api_exchange *x);
void api_client_revoke(struct api_exchange *x);
void api_client_secrets_post(struct api_exchange *x);
void api_client_secret_delete(struct api_exchange *x);
void api_discovery(struct api_exchange *x);
void api_jwks(struct api_exchange *x);
void api_enterprise_jwks(struct api_exchange *x);
void api_revoke_post(struct api_exchange *x);
void api_introspect_post(struct api_exchange *x);
void api_enterprises_list(struct api_exchange *x);
void api_enterprises_post(struct api_exchange *x);
void api_enterprise_get(struct api_exchange *x);
void api_enterprise_patch(struct api_exchange *x);

void api_bootstrap_jobs_list(struct api_exchange *x);
void api_bootstrap_jobs_post(struct api_exchange *x);
void api_bootstrap_job_get(struct api_exchange *x);
void api_bootstrap_job_resume(struct api_exchange *x);
void api_bootstrap_job_cancel(struct api_exchange *x);
void api_alarms_list(struct api_exchange *x);
void api_alarm_get(struct api_exchange *x);
void api_alarm_acknowledge(struct api_exchange *x);
void api_approvals_list(struct api_exchange *x);
void api_approval_get(struct api_exchange *x);
void api_approval_approve(struct api_exchange *x);
void api_approval_reject(struct api_exchange *x);
void api_permissions_list(struct api_exchange *x);
void api_permissions_effective(struct api_exchange *x);
void api_permission_get(struct api_exchange *x);
void api_permission_put(struct api_exchange *x);
void api_permission_delete(struct api_exchange *x);
void api_groups_list(struct api_exchange *x);
void api_groups_post(struct api_exchange *x);
void api_group_get(struct api_exchange *x);
void api_group_patch(struct api_exchange *x);
void api_group_delete(struct api_exchange *x);
void api_group_rules_get(struct api_exchange *x);
void api_group_rules_patch(struct api_exchange *x);
void api_group_rules_versions(struct api_exchange *x);

void api_group_timers_get(struct api_exchange *x);

void api_pools_list(struct api_exchange *x);
void api_pools_post(struct api_exchange *x);
void api_pool_get(struct api_exchange *x);
void api_pool_delete(struct api_exchange *x);
void api_subscriptions_list(struct api_exchange *x);
void api_subscriptions_search(struct api_exchange *x);
void api_subscriptions_post(struct api_exchange *x);
void api_subscription_get(struct api_exchange *x);
void api_subscription_patch(struct api_exchange *x);

void api_pool_patch(struct api_exchange *x);

void api_templates_list(struct api_exchange *x);
void api_templates_post(struct api_exchange *x);
void api_template_get(struct api_exchange *x);
void api_template_versions_list(struct api_exchange *x);
void api_template_versions_post(struct api_exchange *x);
void api_template_estimate(struct api_exchange *x);

void api_imports_list(struct api_exchange *x);
void api_imports_post(struct api_exchange *x);
void api_import_get(struct api_exchange *x);
void api_import_cancel(struct api_exchange *x);
void api_import_report(struct api_exchange *x);
void api_import_apply(struct api_exchange *x);
void api_quarantine_post(struct api_exchange *x);
void api_quarantine_list(struct api_exchange *x);
void api_quarantine_delete(struct api_exchange *x);
void api_vendor_profiles_list(struct api_exchange *x);
void api_vendor_profiles_post(struct api_exchange *x);
void api_vendor_profile_get(struct api_exchange *x);
void api_vendor_profile_put(struct api_exchange *x);
void api_transport_keys_list(struct api_exchange *x);
void api_transport_keys_post(struct api_exchange *x);
void api_key_components_list(struct api_exchange *x);
void api_key_components_post(struct api_exchange *x);
