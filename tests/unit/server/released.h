// How a database of today becomes one of the first release, which later steps of the schema bring
// up to date again.
#pragma once

// What later releases added.
static const char additions_undone[] =
    "DROP TABLE tally; DROP TABLE fallback; DROP INDEX document_alarm;"
    "ALTER TABLE stray DROP COLUMN reference; ALTER TABLE stray DROP COLUMN is_response;"
    "ALTER TABLE stray DROP COLUMN sms; DROP INDEX card_view_located;"
    "DROP TABLE message_part; DROP INDEX document_permission; DROP TABLE part; ALTER TABLE loading "
    "DROP COLUMN is_merging; DROP TABLE audit; ALTER TABLE step DROP COLUMN messages;"
    "ALTER TABLE subscription DROP COLUMN version; ALTER TABLE subscription DROP COLUMN changed_at;"
    "ALTER TABLE subscription DROP COLUMN is_barred; DROP INDEX subscription_tenant;"
    "DROP INDEX operation_tenant; DROP INDEX trail_tenant; DROP INDEX trail_group;"
    "DROP TRIGGER trail_no_update; ALTER TABLE trail DROP COLUMN grp;"
    "CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail BEGIN SELECT RAISE(ABORT, 'no'); END;"
    "DROP TABLE card_label; DROP TRIGGER card_recounted; DROP INDEX document_correlator;"
    "DROP TRIGGER card_uncounted; DROP TABLE card_count; DROP TABLE campaign; DROP TABLE call;"
    "DROP TABLE campaign_card; DROP TABLE campaign_count; DROP TABLE campaign_network;"
    "ALTER TABLE card_view DROP COLUMN is_located; DROP TABLE call_sum; DROP TABLE queried; "
    "DROP TABLE queried_sum; DROP TABLE notice; DROP INDEX card_place; DROP TABLE sink; "
    "ALTER TABLE card DROP COLUMN place; DROP TABLE delivery; DROP TABLE delivery_attempt; "
    "DROP TRIGGER trail_no_delete; DROP TABLE tombstone; DROP TABLE group_count;"
    "DROP TABLE trail_segment; DROP TABLE card_reference; DROP TRIGGER group_counted;"
    "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail BEGIN SELECT RAISE(ABORT, 'no'); END;"
    "DROP TRIGGER group_recounted; DROP TRIGGER group_uncounted;"
    "CREATE INDEX card_reference ON card (reference) WHERE reference IS NOT NULL;"
    "DROP INDEX card_state; DROP INDEX card_batch; DROP INDEX card_for_operator; DROP TABLE "
    "retired;"
    "DROP INDEX card_on_fallback; DROP INDEX card_unreachable; DROP INDEX card_blocked;"
    "DROP INDEX card_doubted; DROP INDEX card_quarantined; DROP INDEX trail_action; DROP INDEX "
    "trail_actor; DROP INDEX trail_correlator; ALTER TABLE card DROP COLUMN since; "
    "PRAGMA user_version = 2";
