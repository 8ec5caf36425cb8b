// The verbs by noun; ctl_verbs (otactl_options.h) lists them. Each does one command and answers
// its exit code; what it prints and says follows otactl_task.h.
#pragma once

#include "ota-server/shell/otactl_task.h"

enum ctl_exit card_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_search_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_audit_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_retire_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_move_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_parameters_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_messages_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_trail_run(struct ctl_task *t) MUST_USE;

enum ctl_exit bootstrap_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit bootstrap_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit bootstrap_start_run(struct ctl_task *t) MUST_USE;
enum ctl_exit bootstrap_change_run(struct ctl_task *t) MUST_USE; // resume, cancel
enum ctl_exit campaign_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit campaign_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit campaign_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit campaign_change_run(struct ctl_task *t) MUST_USE;
enum ctl_exit campaign_rate_run(struct ctl_task *t) MUST_USE;
enum ctl_exit campaign_act_run(struct ctl_task *t) MUST_USE; // check, start, pause ...
enum ctl_exit campaign_wait_run(struct ctl_task *t) MUST_USE;
enum ctl_exit campaign_cards_run(struct ctl_task *t) MUST_USE;
enum ctl_exit campaign_exclusions_run(struct ctl_task *t) MUST_USE;
enum ctl_exit upload_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit upload_add_run(struct ctl_task *t) MUST_USE;
enum ctl_exit upload_delete_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sink_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sink_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sink_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sink_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sink_delete_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sink_test_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sink_secret_run(struct ctl_task *t) MUST_USE;
enum ctl_exit delivery_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit delivery_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit delivery_resend_run(struct ctl_task *t) MUST_USE;
enum ctl_exit event_follow_run(struct ctl_task *t) MUST_USE;
enum ctl_exit alarm_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit alarm_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit alarm_acknowledge_run(struct ctl_task *t) MUST_USE;
enum ctl_exit approval_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit approval_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit approval_decide_run(struct ctl_task *t) MUST_USE; // approve, reject
enum ctl_exit group_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_delete_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_rules_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_versions_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_timers_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_apply_run(struct ctl_task *t) MUST_USE;

enum ctl_exit sub_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sub_download_run(struct ctl_task *t) MUST_USE;
enum ctl_exit sub_name_run(struct ctl_task *t) MUST_USE; // enable, disable, delete, set-fallback
enum ctl_exit config_get_run(struct ctl_task *t) MUST_USE;
enum ctl_exit config_set_run(struct ctl_task *t) MUST_USE;

enum ctl_exit op_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit op_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit op_wait_run(struct ctl_task *t) MUST_USE;
enum ctl_exit op_cancel_run(struct ctl_task *t) MUST_USE;
enum ctl_exit op_resend_run(struct ctl_task *t) MUST_USE;

enum ctl_exit dirty_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit dirty_summary_run(struct ctl_task *t) MUST_USE;
enum ctl_exit dirty_mark_run(struct ctl_task *t) MUST_USE;
enum ctl_exit dirty_audit_run(struct ctl_task *t) MUST_USE;
enum ctl_exit dirty_resolve_run(struct ctl_task *t) MUST_USE;

enum ctl_exit import_run_run(struct ctl_task *t) MUST_USE;
enum ctl_exit import_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit import_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit import_cancel_run(struct ctl_task *t) MUST_USE;
enum ctl_exit import_apply_run(struct ctl_task *t) MUST_USE;
enum ctl_exit import_report_run(struct ctl_task *t) MUST_USE;
enum ctl_exit import_correct_run(struct ctl_task *t) MUST_USE;
enum ctl_exit import_quarantine_run(struct ctl_task *t) MUST_USE;

enum ctl_exit pool_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit pool_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit pool_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit subscription_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit subscription_search_run(struct ctl_task *t) MUST_USE;
enum ctl_exit subscription_bar_run(struct ctl_task *t) MUST_USE;
enum ctl_exit subscription_allow_run(struct ctl_task *t) MUST_USE;
enum ctl_exit subscription_retire_run(struct ctl_task *t) MUST_USE;
enum ctl_exit template_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit template_estimate_run(struct ctl_task *t) MUST_USE;
enum ctl_exit profile_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit profile_put_run(struct ctl_task *t) MUST_USE;
enum ctl_exit transport_key_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit transport_key_add_run(struct ctl_task *t) MUST_USE;

enum ctl_exit enterprise_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit enterprise_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit enterprise_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit enterprise_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_delete_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_password_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_factor_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_reset_factor_run(struct ctl_task *t) MUST_USE;
enum ctl_exit client_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit client_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit client_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit client_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit client_judge_run(struct ctl_task *t) MUST_USE; // approve, revoke
enum ctl_exit client_secret_run(struct ctl_task *t) MUST_USE;
enum ctl_exit permission_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit permission_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit permission_delete_run(struct ctl_task *t) MUST_USE;
enum ctl_exit setup_run(struct ctl_task *t) MUST_USE;

enum ctl_exit trail_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit trail_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit trail_verify_run(struct ctl_task *t) MUST_USE;
enum ctl_exit kpi_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_move_all_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_move_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit report_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit report_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit report_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit report_content_run(struct ctl_task *t) MUST_USE;
enum ctl_exit report_write_run(struct ctl_task *t) MUST_USE;
enum ctl_exit report_sign_off_run(struct ctl_task *t) MUST_USE;
enum ctl_exit metering_calls_run(struct ctl_task *t) MUST_USE;
enum ctl_exit metering_cards_run(struct ctl_task *t) MUST_USE;
enum ctl_exit metering_records_run(struct ctl_task *t) MUST_USE;
enum ctl_exit tariff_list_run(struct ctl_task *t) MUST_USE;
enum ctl_exit tariff_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit export_cards_run(struct ctl_task *t) MUST_USE;
enum ctl_exit export_operations_run(struct ctl_task *t) MUST_USE;
enum ctl_exit export_trail_run(struct ctl_task *t) MUST_USE;
enum ctl_exit system_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit doctor_run(struct ctl_task *t) MUST_USE;

enum ctl_exit card_timeline_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_reveal_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit card_release_run(struct ctl_task *t) MUST_USE;
enum ctl_exit dirty_clear_run(struct ctl_task *t) MUST_USE;
enum ctl_exit group_change_run(struct ctl_task *t) MUST_USE;
enum ctl_exit pool_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit pool_delete_run(struct ctl_task *t) MUST_USE;
enum ctl_exit subscription_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit subscription_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit subscription_set_run(struct ctl_task *t) MUST_USE;
enum ctl_exit template_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit template_versions_run(struct ctl_task *t) MUST_USE;
enum ctl_exit template_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit template_renew_run(struct ctl_task *t) MUST_USE;
enum ctl_exit profile_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit transport_key_create_run(struct ctl_task *t) MUST_USE;
enum ctl_exit transport_key_components_run(struct ctl_task *t) MUST_USE;
enum ctl_exit transport_key_enter_run(struct ctl_task *t) MUST_USE;
enum ctl_exit client_drop_secret_run(struct ctl_task *t) MUST_USE;
enum ctl_exit permission_effective_run(struct ctl_task *t) MUST_USE;
enum ctl_exit permission_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit trail_checkpoints_run(struct ctl_task *t) MUST_USE;
enum ctl_exit upload_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit session_open_run(struct ctl_task *t) MUST_USE;
enum ctl_exit session_show_run(struct ctl_task *t) MUST_USE;
enum ctl_exit session_close_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_enrol_factor_run(struct ctl_task *t) MUST_USE;
enum ctl_exit user_prove_factor_run(struct ctl_task *t) MUST_USE;
