#include "ota-server/store/schema.h"

// clang-format off
const char *const schema_steps[] = {
    "CREATE TABLE card (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, tenant INTEGER NOT NULL,"
    " grp INTEGER NOT NULL, batch INTEGER NOT NULL, iccid TEXT NOT NULL, reference BLOB,"
    " eid TEXT NOT NULL, imei TEXT NOT NULL, state INTEGER NOT NULL, marks INTEGER NOT NULL,"
    " created_at INTEGER NOT NULL, contact_at INTEGER NOT NULL, dirty_since INTEGER NOT NULL,"
    " needs_operator INTEGER NOT NULL, open_operation INTEGER NOT NULL, queued INTEGER NOT NULL,"
    " wake_at INTEGER NOT NULL, is_under_way INTEGER NOT NULL, application_field TEXT NOT NULL,"
    " label TEXT NOT NULL, notes BLOB NOT NULL, import INTEGER NOT NULL, record BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX card_iccid ON card (iccid);"
    "CREATE INDEX card_reference ON card (reference) WHERE reference IS NOT NULL;"
    "CREATE INDEX card_eid ON card (eid) WHERE eid <> '';"
    "CREATE INDEX card_imei ON card (imei) WHERE imei <> '';"
    "CREATE INDEX card_wake ON card (wake_at) WHERE wake_at > 0;"
    "CREATE INDEX card_dirty ON card (dirty_since) WHERE dirty_since > 0;"
    "CREATE INDEX card_under_way ON card (id) WHERE is_under_way = 1;"
    "CREATE INDEX card_group ON card (grp, id);"
    "CREATE INDEX card_tenant ON card (tenant, id);"

    "CREATE TABLE ota_key (card INTEGER NOT NULL, key_id INTEGER NOT NULL, version INTEGER NOT NULL,"
    " tar INTEGER NOT NULL, spi1 INTEGER NOT NULL, spi2 INTEGER NOT NULL, cmac_len INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (card, key_id))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE network_key (imsi BLOB NOT NULL, key_id INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (imsi, key_id))"
    " STRICT, WITHOUT ROWID;"

    "CREATE TABLE subscription (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL,"
    " pool INTEGER NOT NULL, card INTEGER NOT NULL, slot INTEGER NOT NULL, state INTEGER NOT NULL,"
    " iccid TEXT NOT NULL, imsi TEXT NOT NULL, number TEXT NOT NULL, smsc TEXT NOT NULL,"
    " template INTEGER NOT NULL, mnc_length INTEGER NOT NULL, role INTEGER NOT NULL,"
    " rank INTEGER NOT NULL, marks INTEGER NOT NULL, operator TEXT NOT NULL,"
    " rule_pack TEXT NOT NULL, has_keys INTEGER NOT NULL, created_at INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX subscription_imsi ON subscription (imsi);"
    "CREATE INDEX subscription_iccid ON subscription (iccid) WHERE iccid <> '';"
    "CREATE INDEX subscription_number ON subscription (number) WHERE number <> '';"
    "CREATE INDEX subscription_card ON subscription (card) WHERE card > 0;"
    "CREATE INDEX subscription_pool ON subscription (pool, state, id) WHERE pool > 0;"

    "CREATE TABLE operation (id INTEGER PRIMARY KEY, card INTEGER NOT NULL, tenant INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, status INTEGER NOT NULL, outcome INTEGER NOT NULL,"
    " failure INTEGER NOT NULL, campaign INTEGER NOT NULL, actor_kind INTEGER NOT NULL,"
    " actor_id INTEGER NOT NULL, created_at INTEGER NOT NULL, may_arrive INTEGER NOT NULL,"
    " last_counter INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
    "CREATE INDEX operation_card ON operation (card, id);"
    "CREATE INDEX operation_created ON operation (created_at);"
    "CREATE INDEX operation_campaign ON operation (campaign, id) WHERE campaign > 0;"
    "CREATE INDEX operation_waiting ON operation (status, id) WHERE status < 8;"
    "CREATE TABLE step (id INTEGER PRIMARY KEY, operation INTEGER NOT NULL, at INTEGER NOT NULL,"
    " name INTEGER NOT NULL, attempt INTEGER NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE INDEX step_operation ON step (operation);"

    "CREATE TABLE message (id INTEGER PRIMARY KEY, card INTEGER NOT NULL, operation INTEGER NOT NULL,"
    " is_mo INTEGER NOT NULL, state INTEGER NOT NULL, command INTEGER NOT NULL,"
    " counter INTEGER NOT NULL, number TEXT NOT NULL, parts INTEGER NOT NULL,"
    " reference INTEGER NOT NULL, validity_ms INTEGER NOT NULL, at INTEGER NOT NULL,"
    " due INTEGER NOT NULL, tries INTEGER NOT NULL, packet BLOB NOT NULL) STRICT;"
    "CREATE INDEX message_card ON message (card, id);"
    "CREATE INDEX message_waiting ON message (id) WHERE state = 0;"
    "CREATE TABLE receipt (link TEXT NOT NULL, message_id TEXT NOT NULL, message INTEGER NOT NULL,"
    " part INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (link, message_id))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX receipt_at ON receipt (at);"
    "CREATE TABLE stray (id INTEGER PRIMARY KEY, number TEXT NOT NULL, octets BLOB NOT NULL,"
    " at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE card_view (card INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
    " operation INTEGER NOT NULL, registry_version INTEGER NOT NULL, outcome INTEGER NOT NULL,"
    " answer BLOB NOT NULL) STRICT;"

    "CREATE TABLE trail (sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, tenant INTEGER NOT NULL,"
    " actor_kind INTEGER NOT NULL, actor_id INTEGER NOT NULL, address TEXT NOT NULL,"
    " action TEXT NOT NULL, object_kind TEXT NOT NULL, pseudonym TEXT NOT NULL,"
    " operation INTEGER NOT NULL, correlator INTEGER NOT NULL, approval INTEGER NOT NULL,"
    " before TEXT NOT NULL, after TEXT NOT NULL, reason TEXT NOT NULL, result TEXT NOT NULL,"
    " previous BLOB NOT NULL, hash BLOB NOT NULL) STRICT;"
    "CREATE INDEX trail_object ON trail (pseudonym, sequence);"
    "CREATE INDEX trail_operation ON trail (operation, sequence) WHERE operation > 0;"
    "CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail"
    " BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;"
    "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail"
    " BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;"
    "CREATE TABLE pseudonym (pseudonym TEXT PRIMARY KEY, kind TEXT NOT NULL, object INTEGER NOT NULL)"
    " STRICT, WITHOUT ROWID;"

    "CREATE TABLE idempotency (client INTEGER NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,"
    " operation INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (client, key))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX idempotency_at ON idempotency (at);"
    "CREATE TABLE document (kind TEXT NOT NULL, id INTEGER NOT NULL, owner INTEGER NOT NULL,"
    " parent INTEGER NOT NULL, name TEXT, state INTEGER NOT NULL, created_at INTEGER NOT NULL,"
    " changed_at INTEGER NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;"
    "CREATE UNIQUE INDEX document_name ON document (kind, name) WHERE name IS NOT NULL;"
    "CREATE INDEX document_parent ON document (kind, parent, id) WHERE parent > 0;"
    "CREATE TABLE value (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;",

    // What an import loads is hidden while its id stands in `loading`.
    "ALTER TABLE subscription ADD COLUMN import INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE loading (import INTEGER PRIMARY KEY) STRICT;",

    // Names are unique for one tenant only.
    "UPDATE document SET name = owner || '/' || name WHERE name IS NOT NULL AND owner > 0"
    " AND kind IN ('pool', 'vendor-profile', 'import-file');",

    // What every audit answered and what differed then; card_view has the last answer only.
    "CREATE TABLE audit (operation INTEGER PRIMARY KEY, card INTEGER NOT NULL, at INTEGER NOT NULL,"
    " registry_version INTEGER NOT NULL, outcome INTEGER NOT NULL, answer BLOB NOT NULL,"
    " differences BLOB NOT NULL) STRICT;",

    // Records and operations are written in form 3.
    "",

    // What the SMSC called the parts of a step's packet, and who changed a subscription when. Records
    // and operations are written in form 4.
    "ALTER TABLE step ADD COLUMN messages TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE subscription ADD COLUMN version INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE subscription ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE subscription ADD COLUMN is_barred INTEGER NOT NULL DEFAULT 0;"
    "UPDATE subscription SET changed_at = created_at;",

    // What lists look for among millions of rows: subscriptions and trail of one tenant, the trail
    // of a group, cards by label, and the number of cards by state without counting them.
    "CREATE INDEX subscription_tenant ON subscription (tenant, id);"
    "CREATE INDEX operation_tenant ON operation (tenant, id);"
    "CREATE INDEX trail_tenant ON trail (tenant, sequence);"
    "DROP TRIGGER trail_no_update;"
    "ALTER TABLE trail ADD COLUMN grp INTEGER NOT NULL DEFAULT 0;" // of the card then; not hashed
    "UPDATE trail SET grp = coalesce((SELECT c.grp FROM pseudonym p JOIN card c ON c.id = p.object"
    " WHERE p.pseudonym = trail.pseudonym AND p.kind = 'card'), 0);"
    "CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail"
    " BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;"
    "CREATE INDEX trail_group ON trail (grp, sequence) WHERE grp > 0;"
    "CREATE TABLE card_label (label TEXT NOT NULL, card INTEGER NOT NULL, PRIMARY KEY (label, card))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX card_label_card ON card_label (card);"
    "INSERT OR IGNORE INTO card_label SELECT j.value, c.id FROM card c,"
    " json_each(CAST(c.notes AS TEXT), '$.labels') j WHERE length(c.notes) > 0;"
    "CREATE TABLE card_count (tenant INTEGER NOT NULL, import INTEGER NOT NULL,"
    " state INTEGER NOT NULL, marks INTEGER NOT NULL, cards INTEGER NOT NULL,"
    " PRIMARY KEY (tenant, import, state, marks)) STRICT, WITHOUT ROWID;"
    "INSERT INTO card_count SELECT tenant, import, state, marks, count(*) FROM card"
    " GROUP BY tenant, import, state, marks;"
    "CREATE TRIGGER card_counted AFTER INSERT ON card BEGIN INSERT INTO card_count"
    " VALUES (NEW.tenant, NEW.import, NEW.state, NEW.marks, 1)"
    " ON CONFLICT DO UPDATE SET cards = cards + 1; END;"
    "CREATE TRIGGER card_recounted AFTER UPDATE OF tenant, state, marks ON card"
    " WHEN OLD.tenant <> NEW.tenant OR OLD.state <> NEW.state OR OLD.marks <> NEW.marks BEGIN"
    " UPDATE card_count SET cards = cards - 1 WHERE tenant = OLD.tenant AND import = OLD.import"
    " AND state = OLD.state AND marks = OLD.marks;"
    " INSERT INTO card_count VALUES (NEW.tenant, NEW.import, NEW.state, NEW.marks, 1)"
    " ON CONFLICT DO UPDATE SET cards = cards + 1; END;"
    "CREATE TRIGGER card_uncounted AFTER DELETE ON card BEGIN"
    " UPDATE card_count SET cards = cards - 1 WHERE tenant = OLD.tenant AND import = OLD.import"
    " AND state = OLD.state AND marks = OLD.marks; END;",

    // How many cards of a group are in which state.
    "DROP INDEX card_group; CREATE INDEX card_group ON card (grp, state, id);",

    // New cards are counted by the store, a number of them at a time.
    "DROP TRIGGER card_counted;",

    // In which groups an enterprise may do what.
    "CREATE INDEX document_permission ON document (owner, parent, state) WHERE kind = 'permission';",

    // Parts of cards that a file of a split batch completes.
    "CREATE TABLE part (import INTEGER NOT NULL, card INTEGER NOT NULL, generation INTEGER NOT NULL,"
    " sealed BLOB NOT NULL, PRIMARY KEY (import, card)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE loading ADD COLUMN is_merging INTEGER NOT NULL DEFAULT 0;",

    // Records and operations are written in form 5.
    "",

    // Parts of messages from cards whose others have not come yet.
    "CREATE TABLE message_part (id INTEGER PRIMARY KEY, number TEXT NOT NULL, octets BLOB NOT NULL,"
    " at INTEGER NOT NULL) STRICT;",

    // What it takes to hear a message again that fitted no card.
    "ALTER TABLE stray ADD COLUMN reference BLOB NOT NULL DEFAULT x'';"
    "ALTER TABLE stray ADD COLUMN is_response INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE stray ADD COLUMN sms INTEGER NOT NULL DEFAULT 1;",

    // Records and operations are written in form 6.
    "",

    // Campaigns, and their cards: how far each has got, why no further, and in which order they are
    // asked. The cards are counted as they change.
    "CREATE TABLE campaign (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, is_running INTEGER NOT NULL,"
    " due_at INTEGER NOT NULL, record BLOB NOT NULL) STRICT;"
    "CREATE INDEX campaign_due ON campaign (due_at) WHERE due_at > 0;"
    "CREATE TABLE campaign_card (campaign INTEGER NOT NULL, card INTEGER NOT NULL,"
    " step INTEGER NOT NULL, reason INTEGER NOT NULL, draw INTEGER NOT NULL,"
    " not_before INTEGER NOT NULL, operation INTEGER NOT NULL, ended_at INTEGER NOT NULL,"
    " quarantined_at INTEGER NOT NULL, PRIMARY KEY (campaign, card)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX campaign_waiting ON campaign_card (campaign, not_before, draw)"
    " WHERE step = 1 AND reason = 0;"
    "CREATE INDEX campaign_live ON campaign_card (card) WHERE step > 0 AND reason = 0;"
    "CREATE INDEX campaign_ended ON campaign_card (campaign, ended_at) WHERE ended_at > 0;"
    "CREATE INDEX campaign_quarantined ON campaign_card (campaign, quarantined_at)"
    " WHERE quarantined_at > 0;"
    "CREATE TABLE campaign_count (campaign INTEGER NOT NULL, step INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, cards INTEGER NOT NULL, PRIMARY KEY (campaign, step, reason))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER campaign_counted AFTER INSERT ON campaign_card BEGIN INSERT INTO campaign_count"
    " VALUES (NEW.campaign, NEW.step, NEW.reason, 1) ON CONFLICT DO UPDATE SET cards = cards + 1; END;"
    "CREATE TRIGGER campaign_recounted AFTER UPDATE OF step, reason ON campaign_card"
    " WHEN OLD.step <> NEW.step OR OLD.reason <> NEW.reason BEGIN"
    " UPDATE campaign_count SET cards = cards - 1 WHERE campaign = OLD.campaign AND step = OLD.step"
    " AND reason = OLD.reason;"
    " INSERT INTO campaign_count VALUES (NEW.campaign, NEW.step, NEW.reason, 1)"
    " ON CONFLICT DO UPDATE SET cards = cards + 1; END;"
    "CREATE TRIGGER campaign_uncounted AFTER DELETE ON campaign_card BEGIN"
    " UPDATE campaign_count SET cards = cards - 1 WHERE campaign = OLD.campaign AND step = OLD.step"
    " AND reason = OLD.reason; END;",

    // Figures by the hour, fallbacks by the minute, and the alarms that are not over.
    "CREATE TABLE tally (tenant INTEGER NOT NULL, at INTEGER NOT NULL, figure INTEGER NOT NULL,"
    " detail INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (tenant, at, figure, detail))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX tally_at ON tally (at);"
    "CREATE TABLE fallback (operator TEXT NOT NULL, at INTEGER NOT NULL, cards INTEGER NOT NULL,"
    " PRIMARY KEY (operator, at)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX fallback_at ON fallback (at);"
    "CREATE INDEX document_alarm ON document (state) WHERE kind = 'alarm';",

    // Records and operations are written in form 7.
    "",

    // When the next card of a campaign may be asked in a network, and which cards have their time.
    "CREATE TABLE campaign_network (campaign INTEGER NOT NULL, network INTEGER NOT NULL,"
    " next_at INTEGER NOT NULL, PRIMARY KEY (campaign, network)) STRICT, WITHOUT ROWID;"
    "ALTER TABLE campaign_card ADD COLUMN is_reserved INTEGER NOT NULL DEFAULT 0;",

    // Months of the trail, and what is left of those that were removed whole: the database lets go
    // of what a tombstone covers, and of nothing else. A month counts from year 0.
    "CREATE TABLE trail_segment (first INTEGER PRIMARY KEY, month INTEGER NOT NULL,"
    " previous BLOB NOT NULL) STRICT;"
    "INSERT INTO trail_segment SELECT first, month, (SELECT previous FROM trail WHERE sequence = first)"
    " FROM (SELECT min(sequence) AS first, strftime('%Y', at / 1000, 'unixepoch') * 12"
    " + strftime('%m', at / 1000, 'unixepoch') - 1 AS month FROM trail GROUP BY 2);"
    "CREATE TABLE tombstone (last INTEGER PRIMARY KEY, first INTEGER NOT NULL, month INTEGER NOT NULL,"
    " previous BLOB NOT NULL, hash BLOB NOT NULL, at INTEGER NOT NULL, signature BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER tombstone_no_update BEFORE UPDATE ON tombstone"
    " BEGIN SELECT RAISE(ABORT, 'tombstones stay'); END;"
    "CREATE TRIGGER tombstone_no_delete BEFORE DELETE ON tombstone"
    " BEGIN SELECT RAISE(ABORT, 'tombstones stay'); END;"
    "DROP TRIGGER trail_no_delete;"
    "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail"
    " WHEN OLD.sequence > (SELECT coalesce(max(last), 0) FROM tombstone)"
    " BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;",

    // The call log, its sums, and which cards were queried in a month or year.
    "CREATE TABLE call (id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, minute INTEGER NOT NULL,"
    " month INTEGER NOT NULL, is_late INTEGER NOT NULL, api INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " result INTEGER NOT NULL, client INTEGER NOT NULL, card INTEGER NOT NULL, operation TEXT NOT NULL,"
    " calls INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX call_line ON call (minute, tenant, client, operation, card, result, month,"
    " is_late, api, kind);"
    "CREATE INDEX call_month ON call (month, id);"
    "CREATE TABLE call_sum (month INTEGER NOT NULL, tenant INTEGER NOT NULL, api INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, result INTEGER NOT NULL, is_late INTEGER NOT NULL, calls INTEGER NOT NULL,"
    " PRIMARY KEY (month, tenant, api, kind, result, is_late)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE queried (id INTEGER PRIMARY KEY, period INTEGER NOT NULL, tenant INTEGER NOT NULL,"
    " family INTEGER NOT NULL, card INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX queried_card ON queried (period, tenant, family, card);"
    "CREATE TABLE queried_sum (period INTEGER NOT NULL, tenant INTEGER NOT NULL, family INTEGER NOT NULL,"
    " cards INTEGER NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (period, tenant, family))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER queried_counted AFTER INSERT ON queried BEGIN INSERT INTO queried_sum"
    " VALUES (NEW.period, NEW.tenant, NEW.family, 1, 0) ON CONFLICT DO UPDATE SET cards = cards + 1; END;",

    // What clients are told.
    "CREATE TABLE notice (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, at INTEGER NOT NULL,"
    " tenant INTEGER NOT NULL, card INTEGER NOT NULL, grp INTEGER NOT NULL, data BLOB NOT NULL) STRICT;",

    // How event sinks are doing, and what they were told, are to be told, or were not.
    "CREATE TABLE sink (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, why INTEGER NOT NULL,"
    " failures INTEGER NOT NULL, refusals INTEGER NOT NULL, failing_since INTEGER NOT NULL,"
    " retry_at INTEGER NOT NULL, waiting INTEGER NOT NULL, dead INTEGER NOT NULL,"
    " has_alarm INTEGER NOT NULL) STRICT;"
    "CREATE INDEX sink_waiting ON sink (id) WHERE waiting > 0;"
    "CREATE TABLE delivery (id INTEGER PRIMARY KEY, sink INTEGER NOT NULL, tenant INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, at INTEGER NOT NULL, card INTEGER NOT NULL, uuid BLOB NOT NULL,"
    " state INTEGER NOT NULL, give_up_at INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " ended_at INTEGER NOT NULL, status INTEGER NOT NULL, problem TEXT NOT NULL,"
    " data BLOB NOT NULL) STRICT;"
    "CREATE INDEX delivery_sink ON delivery (sink, id);"
    "CREATE INDEX delivery_tenant ON delivery (tenant, id);"
    "CREATE INDEX delivery_waiting ON delivery (sink, id) WHERE state = 0;"
    "CREATE INDEX delivery_late ON delivery (give_up_at) WHERE state = 0;"
    "CREATE INDEX delivery_ended ON delivery (state, ended_at) WHERE state > 0;"
    "CREATE TABLE delivery_attempt (delivery INTEGER NOT NULL, number INTEGER NOT NULL,"
    " at INTEGER NOT NULL, took_ms INTEGER NOT NULL, status INTEGER NOT NULL, problem TEXT NOT NULL,"
    " PRIMARY KEY (delivery, number)) STRICT, WITHOUT ROWID;",

    // Records and operations are written in form 8.
    "",

    // Cards by their reference. It is in no order, so a load brings many at a time: each card's alone
    // would write a page of an index. The former index brings them in order: to sort would take memory
    // for all of them.
    "CREATE TABLE card_referred (reference BLOB NOT NULL, card INTEGER NOT NULL,"
    " PRIMARY KEY (reference, card)) STRICT, WITHOUT ROWID;"
    "INSERT INTO card_referred SELECT reference, id FROM card WHERE reference IS NOT NULL"
    " ORDER BY reference, id;"
    "DROP INDEX card_reference; ALTER TABLE card_referred RENAME TO card_reference;",

    // Records and operations are written in form 9.
    "",

    // Who waits for a place among the bootstraps of a group, in which order, and who holds one. Those
    // that wait already are woken once more, and get theirs then.
    "ALTER TABLE card ADD COLUMN place INTEGER NOT NULL DEFAULT 0;"
    "UPDATE card SET place = -1 WHERE state = 3;"
    "CREATE INDEX card_place ON card (grp, place, id) WHERE place <> 0;",

    // How many cards of a group are in which state, without counting them. Loads bring cards of none.
    "CREATE TABLE group_count (grp INTEGER NOT NULL, state INTEGER NOT NULL, cards INTEGER NOT NULL,"
    " PRIMARY KEY (grp, state)) STRICT, WITHOUT ROWID;"
    "INSERT INTO group_count SELECT grp, state, count(*) FROM card WHERE grp > 0 GROUP BY grp, state;"
    "CREATE TRIGGER group_counted AFTER INSERT ON card WHEN NEW.grp > 0 BEGIN INSERT INTO group_count"
    " VALUES (NEW.grp, NEW.state, 1) ON CONFLICT DO UPDATE SET cards = cards + 1; END;"
    "CREATE TRIGGER group_recounted AFTER UPDATE OF grp, state ON card"
    " WHEN OLD.grp <> NEW.grp OR OLD.state <> NEW.state BEGIN"
    " UPDATE group_count SET cards = cards - 1 WHERE grp = OLD.grp AND state = OLD.state;"
    " INSERT INTO group_count SELECT NEW.grp, NEW.state, 1 WHERE NEW.grp > 0"
    " ON CONFLICT DO UPDATE SET cards = cards + 1; END;"
    "CREATE TRIGGER group_uncounted AFTER DELETE ON card WHEN OLD.grp > 0 BEGIN"
    " UPDATE group_count SET cards = cards - 1 WHERE grp = OLD.grp AND state = OLD.state; END;",

    // Records and operations are written in form 10.
    "",

    // Since when cards are retired whose keys are still there. Of earlier ones nobody wrote it down:
    // their time begins now.
    "CREATE TABLE retired (card INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX retired_at ON retired (at, card);"
    "INSERT INTO retired SELECT id, unixepoch() * 1000 FROM card WHERE state = 5;",

    // Which answers still say where the card was, or in which device. Of earlier ones any may.
    "ALTER TABLE audit ADD COLUMN is_located INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE card_view ADD COLUMN is_located INTEGER NOT NULL DEFAULT 1;"
    "CREATE INDEX audit_located ON audit (at) WHERE is_located = 1;"
    "CREATE INDEX card_view_located ON card_view (at) WHERE is_located = 1;",

    // Since when a card is its enterprise's. Of earlier moves nobody wrote it down.
    "ALTER TABLE card ADD COLUMN since INTEGER NOT NULL DEFAULT 0;",

    // Records and operations are written in form 11.
    "",

    // Correlators by their age: their ids do not ascend.
    "CREATE INDEX document_correlator ON document (created_at) WHERE kind = 'correlator';",

    // What the operator's people look for among all cards, and in all of the trail.
    "CREATE INDEX card_state ON card (state, id);"
    "CREATE INDEX card_batch ON card (batch, id);"
    "CREATE INDEX card_for_operator ON card (id) WHERE needs_operator = 1;"
    "CREATE INDEX card_on_fallback ON card (id) WHERE (marks & 1) <> 0;"
    "CREATE INDEX card_unreachable ON card (id) WHERE (marks & 2) <> 0;"
    "CREATE INDEX card_blocked ON card (id) WHERE (marks & 4) <> 0;"
    "CREATE INDEX card_doubted ON card (id) WHERE (marks & 8) <> 0;"
    "CREATE INDEX card_quarantined ON card (id) WHERE (marks & 16) <> 0;"
    "CREATE INDEX trail_action ON trail (action, sequence);"
    "CREATE INDEX trail_actor ON trail (actor_id, sequence) WHERE actor_id > 0;"
    "CREATE INDEX trail_correlator ON trail (correlator, sequence) WHERE correlator > 0;",
};
// clang-format on
const size_t schema_step_count = sizeof(schema_steps) / sizeof(schema_steps[0]);
