// Every statement of the store, once. $n is bound by its number.
#pragma once

// clang-format off
#define CARD_COLUMNS "id, tenant, grp, batch, iccid, state, marks, created_at, contact_at, " \
    "dirty_since, open_operation, queued, application_field"
// What every event changes. An engine renews the index entries of all columns that are named.
#define CARD_STATE "version = $3, contact_at = $4, needs_operator = $5, open_operation = $6," \
    " queued = $7, wake_at = $8, record = $9"
#define SUBSCRIPTION_COLUMNS "id, tenant, pool, card, slot, state, iccid, imsi, number, smsc, " \
    "template, mnc_length, role, rank, marks, operator, rule_pack, has_keys, created_at, import, " \
    "version, changed_at, is_barred"
// Lists are counted up to STORE_EXACT_MAX, and beyond it to one row after the page: limit and offset are
// two parameters.
#define COUNT_UP_TO "SELECT count(*) FROM (SELECT 1"
#define COUNT_ENDS(limit, offset) " LIMIT max(100001, " limit " + " offset " + 1))"
// Groups for which an enterprise has a permission with one of these bits.
#define GRANTED(enterprise, bits) "SELECT parent FROM document WHERE kind = 'permission'" \
    " AND owner = " enterprise " AND (state & " bits ") <> 0"
// What a list may be asked for; 0, "" and -1 ask for nothing. What can be found by an index stands
// before it, in statements of their own.
#define SUBSCRIPTIONS_WHERE " FROM subscription WHERE "
#define SUBSCRIPTION_NAMED "((imsi >= $5 AND imsi < $6) OR (iccid <> '' AND iccid >= $5 AND iccid < $6)" \
    " OR (iccid <> '' AND iccid = $9) OR (number <> '' AND number >= $5 AND number < $6))"
#define SUBSCRIPTION_FILTERS " AND ($1 = 0 OR tenant = $1 OR ($10 <> 0 AND card > 0 AND" \
    " (SELECT grp FROM card WHERE id = subscription.card) IN (" GRANTED("$1", "$10") ")))" \
    " AND ($2 = 0 OR pool = $2)" \
    " AND ($3 = 0 OR card = $3) AND ($4 < 0 OR state = $4)" \
    " AND ($5 = '' OR " SUBSCRIPTION_NAMED ") AND" VISIBLE
#define PAGE_7 " ORDER BY id LIMIT $7 OFFSET $8"
// Documents of an enterprise, and groups in which it has a permission.
#define OWNED " ($2 = 0 OR owner = $2 OR ($1 = 'group' AND id IN (SELECT parent FROM document" \
    " WHERE kind = 'permission' AND owner = $2)))"
#define OPERATION_FILTERS " AND ($1 = 0 OR tenant = $1) AND ($2 = 0 OR card = $2)" \
    " AND ($14 = 0 OR card IN (SELECT id FROM card WHERE grp IN (" GRANTED("$1", "$14") ")))" \
    " AND ($3 = 0 OR card IN (SELECT id FROM card WHERE grp = $3))" \
    " AND ($4 = 0 OR campaign = $4) AND ($5 = 0 OR actor_id = $5) AND ($6 < 0 OR kind = $6)" \
    " AND ($7 < 0 OR status = $7) AND ($8 < 0 OR outcome = $8) AND ($9 < 0 OR failure = $9)" \
    " AND created_at >= $10 AND ($11 = 0 OR created_at <= $11)"
// Of a card or subscription: it is not part of a load that has not ended.
#define VISIBLE " import NOT IN (SELECT import FROM loading)"
// The index of a group goes by state.
#define GROUP_CARDS_IN(state) "SELECT * FROM (SELECT id FROM card WHERE grp = $1 AND state = " state \
    " AND id > $2 AND" VISIBLE " ORDER BY id LIMIT $3)"
#define MESSAGE_COLUMNS "id, card, operation, is_mo, state, command, counter, number, parts, " \
    "reference, validity_ms, at, due, tries, packet"
// Of a group: what it says of its application field.
#define IN_FIELD(field) "json_extract(CAST(body AS TEXT), '$.applicationField') = " field
#define DOCUMENT_FILTERS OWNED " AND ($3 = 0 OR parent = $3) AND ($4 < 0 OR state = $4)" \
    " AND ($8 = 0 OR (state & $8) <> 0) AND ($9 = '' OR " IN_FIELD("$9") ")"
#define DOCUMENT_COLUMNS "kind, id, owner, parent, name, state, created_at, changed_at, version, body"
#define TRAIL_COLUMNS "sequence, at, tenant, actor_kind, actor_id, address, action, object_kind, " \
    "pseudonym, operation, correlator, approval, before, after, reason, result, previous, hash"
#define CALL_FILTERS " AND ($2 = 0 OR tenant = $2) AND ($3 < 0 OR api = $3)"
#define CALL_SUM_OF(result) "sum(calls * (is_late = 0 AND result = " result "))"
// One card of 64 is drawn, in an order that has nothing to do with that of the ids, and comes first; the
// others go by their ids, because what is written about neighbours stands side by side.
#define CAMPAIGN_HASH(id) "(((" id " & 2147483647) * 1103515245 >> 16) & 2147483647)"
#define CAMPAIGN_DRAW(id) "CASE WHEN " CAMPAIGN_HASH(id) " & 63 = 0 THEN " CAMPAIGN_HASH(id) \
    " ELSE 2147483647 END"
#define CAMPAIGN_CARD_NEW "INSERT INTO campaign_card (campaign, card, step, reason, draw, not_before," \
    " operation, ended_at, quarantined_at)"
#define CAMPAIGN_CARD_FILTERS " AND step >= $3 AND step <= $4 AND reason >= $5 AND reason <= $6"

#define SINK_COLUMNS "id, state, why, failures, refusals, failing_since, retry_at, waiting, dead, has_alarm"
#define DELIVERY_COLUMNS "id, sink, tenant, kind, at, card, uuid, state, give_up_at, attempts, " \
    "ended_at, status, problem, data"
#define DELIVERY_FILTERS " WHERE ($1 = 0 OR tenant = $1) AND ($2 = 0 OR sink = $2)" \
    " AND ($3 < 0 OR state = $3)"
// The index is of those that have ended.
#define DELIVERIES_ENDED(how) "SELECT id, sink, state FROM delivery WHERE state > 0 AND state = " how \
    " AND ended_at <= $1 ORDER BY ended_at LIMIT $2"

#define STORE_STATEMENTS(S) \
    S(BEGIN, "BEGIN IMMEDIATE") \
    S(COMMIT, "COMMIT") \
    S(SNAPSHOT, "BEGIN") \
    S(ROLLBACK, "ROLLBACK") \
    S(MARK, "SAVEPOINT event") \
    S(MARK_KEEP, "RELEASE event") \
    S(MARK_UNDO, "ROLLBACK TO event") \
    S(CARD_ADD, "INSERT INTO card (id, version, tenant, grp, batch, iccid, reference, eid, imei, state," \
        " marks, created_at, contact_at, dirty_since, needs_operator, open_operation, queued, wake_at," \
        " is_under_way, application_field, label, notes, import, record)" \
        " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,'',$9,$10,$11,0,0,0,0,0,0,0,'',$12,x'',$13,$14)" \
        " ON CONFLICT DO NOTHING") \
    S(CARD_COUNTED, "INSERT INTO card_count (tenant, import, state, marks, cards)" \
        " VALUES ($1,$2,$3,$4,$5) ON CONFLICT DO UPDATE SET cards = cards + excluded.cards") \
    S(CARD_LOAD, "SELECT record FROM card WHERE id = $1 AND" VISIBLE) \
    S(CARD_SAVE, "UPDATE card SET " CARD_STATE " WHERE id = $1 AND version = $2") \
    S(CARD_SAVE_WAY, "UPDATE card SET " CARD_STATE ", is_under_way = $10 WHERE id = $1" \
        " AND version = $2") \
    S(CARD_PLACE, "UPDATE card SET tenant = $2, grp = $3, imei = $4, dirty_since = $5, state = $6," \
        " marks = $7 WHERE id = $1") \
    S(CARD_BY_REFERENCE, "SELECT id FROM card WHERE id IN (SELECT card FROM card_reference" \
        " WHERE reference = $1) AND" VISIBLE) \
    S(CARD_BY_ICCID, "SELECT id FROM card WHERE iccid = $1 AND" VISIBLE \
        " UNION ALL SELECT card FROM subscription WHERE iccid = $1 AND iccid <> '' AND card > 0" \
        " AND" VISIBLE " LIMIT 1") \
    S(CARD_BY_IMSI, "SELECT card FROM subscription WHERE imsi = $1 AND card > 0 AND" VISIBLE) \
    S(CARD_BY_NUMBER, "SELECT min(card), max(card) FROM subscription WHERE number = $1" \
        " AND number <> '' AND card > 0 AND state = 2 AND" VISIBLE) \
    S(CARD_BY_EID, "SELECT id FROM card WHERE eid = $1 AND eid <> '' AND" VISIBLE) \
    S(CARD_EID, "SELECT eid FROM card WHERE id = $1") \
    S(CARD_GROUP, "SELECT grp FROM card WHERE id = $1") \
    S(CARD_ANY_DIRTY, "SELECT 1 FROM card WHERE dirty_since > 0 AND dirty_since <= $1" \
        " AND state NOT IN ($2, $3) LIMIT 1") \
    S(CARD_QUEUE, "UPDATE card SET place = $2 WHERE id = $1") \
    S(PLACES_HELD, "SELECT count(*) FROM (SELECT 1 FROM card WHERE grp = $1 AND place <> 0" \
        " AND place = -1 LIMIT $2)") \
    S(PLACE_NEXT, "SELECT id FROM card WHERE grp = $1 AND place <> 0 AND place > 0" \
        " ORDER BY place, id LIMIT 1") \
    S(PLACE_GROUP, "SELECT grp FROM card WHERE grp > $1 AND place <> 0 AND place > 0" \
        " ORDER BY grp LIMIT 1") \
    S(PLACE_POSTPONE, "UPDATE card SET place = 0, wake_at = CASE WHEN wake_at > 0" \
        " AND wake_at < $2 THEN wake_at ELSE $2 END WHERE id = $1") \
    S(GROUP_CARDS, "SELECT id FROM (" GROUP_CARDS_IN("0") " UNION ALL " GROUP_CARDS_IN("1") \
        " UNION ALL " GROUP_CARDS_IN("2") " UNION ALL " GROUP_CARDS_IN("3") " UNION ALL " \
        GROUP_CARDS_IN("4") ") ORDER BY id LIMIT $3") \
    S(GROUP_STATES, "SELECT state, cards FROM group_count WHERE grp = $1") \
    S(CARD_NOTES, "SELECT notes FROM card WHERE id = $1") \
    S(CARD_NOTES_PUT, "UPDATE card SET notes = $2 WHERE id = $1") \
    S(LABELS_DROP, "DELETE FROM card_label WHERE card = $1") \
    S(LABELS_PUT, "INSERT OR IGNORE INTO card_label SELECT value, $1 FROM" \
        " json_each(CAST($2 AS TEXT), '$.labels')") \
    S(CARD_FIELD_PUT, "UPDATE card SET application_field = $2 WHERE id = $1") \
    S(HIGHEST_ID, "SELECT max((SELECT ifnull(max(id), 0) FROM card)," \
      " (SELECT ifnull(max(id), 0) FROM subscription), (SELECT ifnull(max(id), 0) FROM operation)," \
      " (SELECT ifnull(max(id), 0) FROM message)," \
      /* correlators are named by a digest */ \
      " (SELECT ifnull(max(id), 0) FROM document WHERE kind <> 'correlator'))") \
    S(CARD_DUE, "SELECT id FROM card WHERE wake_at > 0 AND wake_at <= $1 ORDER BY wake_at LIMIT $2") \
    S(CARD_NEXT_DUE, "SELECT wake_at FROM card WHERE wake_at > 0 ORDER BY wake_at LIMIT 1") \
    S(CARD_UNDER_WAY, "SELECT id FROM card WHERE is_under_way = 1 AND id > $1 ORDER BY id LIMIT $2") \
    S(CARD_WAITING, "SELECT id FROM card WHERE (wake_at > 0 OR is_under_way = 1 OR place <> 0)" \
        " AND id > $1 ORDER BY id LIMIT $2") \
    S(CARD_POSTPONE, "UPDATE card SET wake_at = $2 WHERE id = $1") \
    S(CARD_ALL, "SELECT id FROM card WHERE id > $1 ORDER BY id LIMIT $2") \
    S(NOTICE_ADD, "INSERT INTO notice (id, kind, at, tenant, card, grp, data) VALUES" \
        " ((SELECT coalesce(max(id), 0) + 1 FROM notice),$1,$2,$3,$4,$5,$6)") \
    S(NOTICES_DROP, "DELETE FROM notice WHERE id <= $1") \
    S(NOTICE_LAST, "SELECT max(id) FROM notice") \
    S(NOTICES, "SELECT id, kind, at, tenant, card, grp, data, $2 = 0 OR (card = 0 AND tenant = $2)" \
        " OR (card > 0 AND grp IN (" GRANTED("$2", "$3") ")) FROM notice WHERE id > $1" \
        " ORDER BY id LIMIT $4") \
    /* a row of no kind, which nobody is shown */ \
    S(NOTICES_JUMP, "INSERT INTO notice (id, kind, at, tenant, card, grp, data) VALUES" \
        " (max((SELECT coalesce(max(id), 0) + 1 FROM notice), $2),0,$1,0,0,0,x'')") \
    S(SINK_ADD, "INSERT INTO sink (" SINK_COLUMNS ") VALUES ($1,0,0,0,0,0,0,0,0,0)") \
    S(SINK_GET, "SELECT " SINK_COLUMNS " FROM sink WHERE id = $1") \
    S(SINK_HEALTH_PUT, "UPDATE sink SET state = $2, why = $3, failures = $4, refusals = $5," \
        " failing_since = $6, retry_at = $7 WHERE id = $1") \
    S(SINK_COUNT, "UPDATE sink SET waiting = waiting + $2, dead = dead + $3 WHERE id = $1") \
    S(SINK_ALARM_PUT, "UPDATE sink SET has_alarm = $2 WHERE id = $1") \
    S(SINK_DROP, "DELETE FROM sink WHERE id = $1") \
    S(SINK_DELIVERIES_DROP, "DELETE FROM delivery WHERE sink = $1") \
    S(SINK_ATTEMPTS_DROP, "DELETE FROM delivery_attempt WHERE delivery IN" \
        " (SELECT id FROM delivery WHERE sink = $1)") \
    S(SINKS_WAITING, "SELECT " SINK_COLUMNS " FROM sink WHERE waiting > 0 ORDER BY id") \
    S(SINKS_TO_ALARM, "SELECT " SINK_COLUMNS " FROM sink WHERE has_alarm <> (state = 2 OR dead > 0)" \
        " LIMIT $1") \
    /* who wants it, and may read it */ \
    S(SINKS_FOR, "SELECT d.id, d.owner FROM document d WHERE d.kind = 'event-sink'" \
        " AND (d.state & $1) <> 0 AND (d.parent = 0 OR d.parent = $2) AND (d.owner = $5" \
        " OR ($4 = 0 AND d.owner = $3) OR ($4 > 0 AND EXISTS (SELECT 1 FROM document p" \
        " WHERE p.kind = 'permission' AND p.owner = d.owner AND p.parent = $2" \
        " AND (p.state & $6) <> 0))) LIMIT $7") \
    S(DELIVERY_ADD, "INSERT INTO delivery (" DELIVERY_COLUMNS ")" \
        " VALUES ($1,$2,$3,$4,$5,$6,$7,0,$8,0,0,0,'',$9)") \
    S(DELIVERY_LAST, "SELECT max(id) FROM delivery") \
    S(DELIVERY_GET, "SELECT " DELIVERY_COLUMNS " FROM delivery WHERE id = $1") \
    S(DELIVERY_OLDEST_DEAD, "UPDATE delivery SET state = 2, ended_at = $2, problem = 'QUEUE_FULL'" \
        " WHERE id = (SELECT min(id) FROM delivery WHERE sink = $1 AND state = 0)") \
    S(DELIVERIES_WAITING, "SELECT " DELIVERY_COLUMNS " FROM delivery WHERE sink = $1 AND state = 0" \
        " ORDER BY id LIMIT $2") \
    S(DELIVERIES, "SELECT " DELIVERY_COLUMNS " FROM delivery" DELIVERY_FILTERS \
        " ORDER BY id DESC LIMIT $4 OFFSET $5") \
    S(DELIVERIES_COUNT, COUNT_UP_TO " FROM delivery" DELIVERY_FILTERS COUNT_ENDS("$4", "$5")) \
    S(DELIVERY_TRIED, "UPDATE delivery SET attempts = attempts + 1, state = $2, ended_at = $3," \
        " status = $4, problem = $5 WHERE id = $1 AND state = 0 RETURNING sink") \
    S(DELIVERY_AGAIN, "UPDATE delivery SET state = 0, ended_at = 0, give_up_at = $2" \
        " WHERE id = $1 AND state = 2") \
    S(DELIVERY_DEAD, "UPDATE delivery SET state = 2, ended_at = $2," \
        " problem = CASE WHEN problem = '' THEN 'EXPIRED' ELSE problem END WHERE id = $1") \
    S(DELIVERY_DROP, "DELETE FROM delivery WHERE id = $1") \
    S(DELIVERIES_LATE, "SELECT id, sink, state FROM delivery WHERE state = 0 AND give_up_at <= $1" \
        " ORDER BY give_up_at LIMIT $2") \
    S(DELIVERIES_DONE, DELIVERIES_ENDED("1")) \
    S(DELIVERIES_OLD, DELIVERIES_ENDED("2")) \
    S(DELIVERY_COUNTS, "SELECT coalesce(sum(waiting), 0), coalesce(sum(dead), 0)," \
        " coalesce(sum(state = 2), 0) FROM sink") \
    S(ATTEMPT_ADD, "INSERT INTO delivery_attempt (delivery, number, at, took_ms, status, problem)" \
        " SELECT id, attempts, $2, $3, $4, $5 FROM delivery WHERE id = $1") \
    S(ATTEMPTS, "SELECT at, took_ms, status, problem FROM delivery_attempt WHERE delivery = $1" \
        " ORDER BY number") \
    S(ATTEMPTS_DROP, "DELETE FROM delivery_attempt WHERE delivery = $1") \
    S(KEY_PUT, "INSERT INTO ota_key (card, key_id, version, tar, spi1, spi2, cmac_len, generation," \
        " sealed) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT (card, key_id) DO UPDATE SET" \
        " version = excluded.version, tar = excluded.tar, spi1 = excluded.spi1," \
        " spi2 = excluded.spi2, cmac_len = excluded.cmac_len," \
        " generation = excluded.generation, sealed = excluded.sealed") \
    S(KEY_GET, "SELECT k.key_id, k.version, k.tar, k.spi1, k.spi2, k.cmac_len, k.generation," \
        " k.sealed, c.iccid FROM ota_key k JOIN card c ON c.id = k.card WHERE k.card = $1" \
        " ORDER BY k.key_id") \
    S(KEY_ERASE, "DELETE FROM ota_key WHERE card = $1") \
    S(RETIRED_PUT, "INSERT INTO retired (card, at) VALUES ($1,$2) ON CONFLICT DO NOTHING") \
    S(RETIRED_NEXT, "SELECT r.card, r.at, coalesce((SELECT tenant FROM card WHERE id = r.card), 0)" \
        " FROM retired r WHERE r.at >= 0 ORDER BY r.at, r.card LIMIT 1") \
    S(OPERATIONS_OLD, "SELECT id FROM operation WHERE id < $1 AND status = $3 ORDER BY id LIMIT $2") \
    S(OPERATION_DROP, "DELETE FROM operation WHERE id = $1") \
    S(STEPS_DROP, "DELETE FROM step WHERE operation = $1") \
    S(AUDIT_DROP, "DELETE FROM audit WHERE operation = $1") \
    S(MESSAGES_EXPIRE, "DELETE FROM message WHERE id IN (SELECT id FROM message m WHERE id < $1" \
        " AND state <> 0 AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.id = m.operation" \
        " AND o.status <> $3) ORDER BY id LIMIT $2)") \
    S(ALARMS_EXPIRE, "DELETE FROM document WHERE kind = 'alarm' AND id IN (SELECT id FROM document" \
        " WHERE kind = 'alarm' AND id < $1 AND state = $3 AND changed_at < $4 ORDER BY id LIMIT $2)") \
    S(ESIM_ORDER_DROP, "DELETE FROM document WHERE kind = 'esim-order' AND id = $1") \
    S(CORRELATORS_EXPIRE, "DELETE FROM document WHERE kind = 'correlator' AND id IN (SELECT id" \
        " FROM document WHERE kind = 'correlator' AND created_at < $1 ORDER BY created_at LIMIT $2)") \
    S(DOCUMENTS_EXPIRE, "DELETE FROM document WHERE kind = $1 AND id IN (SELECT id FROM document" \
        " WHERE kind = $2 AND id < $3 AND state > 0 ORDER BY id LIMIT $4)") \
    S(CAMPAIGN_OLD, "SELECT id FROM campaign WHERE id < $1 AND state NOT BETWEEN $2 AND $3" \
        " ORDER BY id LIMIT 1") \
    S(CAMPAIGN_CARDS_DROP, "DELETE FROM campaign_card WHERE campaign = $1 AND card IN (SELECT card" \
        " FROM campaign_card WHERE campaign = $1 ORDER BY card LIMIT $2)") \
    S(CAMPAIGN_COUNTS_DROP, "DELETE FROM campaign_count WHERE campaign = $1") \
    S(CAMPAIGN_DROP, "DELETE FROM campaign WHERE id = $1") \
    S(AUDIT_LOCATED, "SELECT operation, answer FROM audit WHERE is_located = 1 AND at < $1" \
        " ORDER BY at LIMIT 1") \
    S(AUDIT_BLANK, "UPDATE audit SET answer = $2, is_located = 0 WHERE operation = $1") \
    S(VIEW_LOCATED, "SELECT card, answer FROM card_view WHERE is_located = 1 AND at < $1" \
        " ORDER BY at LIMIT 1") \
    S(VIEW_BLANK, "UPDATE card_view SET answer = $2, is_located = 0 WHERE card = $1") \
    S(RETIRED_DONE, "DELETE FROM retired WHERE card = $1") \
    S(SUBSCRIPTION_KEYED, "SELECT id, imsi FROM subscription WHERE card = $1 AND card > 0" \
        " AND has_keys = 1 AND state <> 1 LIMIT 1") \
    S(SUBSCRIPTION_KEYLESS, "UPDATE subscription SET has_keys = 0, version = version + 1," \
        " changed_at = $2 WHERE id = $1") \
    S(KEY_OLD, "SELECT k.card, k.key_id, k.version, k.sealed, c.iccid, k.generation FROM ota_key k" \
        " JOIN card c ON c.id = k.card WHERE (k.card, k.key_id) > ($3, $4) AND k.generation < $1" \
        " ORDER BY k.card, k.key_id LIMIT $2") \
    S(KEY_RENEW, "UPDATE ota_key SET generation = $3, sealed = $4 WHERE card = $1 AND key_id = $2") \
    S(NETWORK_PUT, "INSERT INTO network_key (imsi, key_id, generation, sealed) VALUES ($1,$2,$3,$4)" \
        " ON CONFLICT (imsi, key_id) DO UPDATE SET generation = excluded.generation," \
        " sealed = excluded.sealed") \
    S(NETWORK_GET, "SELECT key_id, generation, sealed FROM network_key WHERE imsi = $1" \
        " ORDER BY key_id") \
    S(NETWORK_OLD, "SELECT imsi, key_id, sealed, generation FROM network_key" \
        " WHERE (imsi, key_id) > ($3, $4) AND generation < $1 ORDER BY imsi, key_id LIMIT $2") \
    S(NETWORK_RENEW, "UPDATE network_key SET generation = $3, sealed = $4 WHERE imsi = $1" \
        " AND key_id = $2") \
    S(SUBSCRIPTION_PUT, "INSERT INTO subscription (" SUBSCRIPTION_COLUMNS ") VALUES ($1,$2,$3,$4,$5," \
        "$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,1,$21,$22) ON CONFLICT (id) DO UPDATE" \
        " SET version = subscription.version + 1, changed_at = excluded.changed_at," \
        " is_barred = excluded.is_barred," \
        " tenant = excluded.tenant, pool = excluded.pool, card = excluded.card," \
        " slot = excluded.slot, state = excluded.state, iccid = excluded.iccid," \
        " number = excluded.number, smsc = excluded.smsc, template = excluded.template," \
        " mnc_length = excluded.mnc_length, role = excluded.role, rank = excluded.rank," \
        " marks = excluded.marks, operator = excluded.operator, rule_pack = excluded.rule_pack," \
        " has_keys = max(has_keys, excluded.has_keys)") \
    S(SUBSCRIPTION_GET, "SELECT " SUBSCRIPTION_COLUMNS " FROM subscription WHERE id = $1 AND" VISIBLE) \
    S(SUBSCRIPTION_BY_IMSI, "SELECT " SUBSCRIPTION_COLUMNS " FROM subscription WHERE imsi = $1 AND" VISIBLE) \
    S(SUBSCRIPTION_ON_CARD, "UPDATE subscription SET card = $2, slot = $3, state = 2, number = $4," \
        " version = version + 1, changed_at = $5 WHERE id = $1 AND" \
        " (card <> $2 OR slot <> $3 OR state <> 2 OR number <> $4)") \
    S(SUBSCRIPTIONS_LEFT, "UPDATE subscription SET slot = 0, state = 1, version = version + 1," \
        " changed_at = $3 WHERE card = $1 AND card > 0" \
        " AND state = 2" \
        " AND id NOT IN (SELECT value FROM json_each($2))") \
    S(SUBSCRIPTION_RELEASE, "UPDATE subscription SET card = 0, slot = 0, version = version + 1," \
        " changed_at = $4, state =" \
        " CASE WHEN has_keys = 1 THEN 0 ELSE $3 END WHERE id = $1 AND card = $2 AND state = 1") \
    S(SUBSCRIPTIONS, "SELECT " SUBSCRIPTION_COLUMNS SUBSCRIPTIONS_WHERE "1" \
        SUBSCRIPTION_FILTERS PAGE_7) \
    S(SUBSCRIPTIONS_OF_CARD, "SELECT " SUBSCRIPTION_COLUMNS SUBSCRIPTIONS_WHERE "card = $3 AND card > 0" \
        SUBSCRIPTION_FILTERS PAGE_7) \
    S(SUBSCRIPTIONS_OF_POOL, "SELECT " SUBSCRIPTION_COLUMNS SUBSCRIPTIONS_WHERE "pool = $2 AND pool > 0" \
        SUBSCRIPTION_FILTERS PAGE_7) \
    S(SUBSCRIPTIONS_NAMED, "SELECT " SUBSCRIPTION_COLUMNS SUBSCRIPTIONS_WHERE SUBSCRIPTION_NAMED \
        SUBSCRIPTION_FILTERS PAGE_7) \
    S(SUBSCRIPTIONS_OF_TENANT, "SELECT " SUBSCRIPTION_COLUMNS SUBSCRIPTIONS_WHERE "tenant = $1" \
        SUBSCRIPTION_FILTERS PAGE_7) \
    S(SUBSCRIPTIONS_COUNT, COUNT_UP_TO SUBSCRIPTIONS_WHERE "1" SUBSCRIPTION_FILTERS \
        COUNT_ENDS("$7", "$8")) \
    S(SUBSCRIPTIONS_COUNT_OF_CARD, COUNT_UP_TO SUBSCRIPTIONS_WHERE "card = $3 AND card > 0" SUBSCRIPTION_FILTERS \
        COUNT_ENDS("$7", "$8")) \
    S(SUBSCRIPTIONS_COUNT_OF_POOL, COUNT_UP_TO SUBSCRIPTIONS_WHERE "pool = $2 AND pool > 0" SUBSCRIPTION_FILTERS \
        COUNT_ENDS("$7", "$8")) \
    S(SUBSCRIPTIONS_COUNT_NAMED, COUNT_UP_TO SUBSCRIPTIONS_WHERE SUBSCRIPTION_NAMED SUBSCRIPTION_FILTERS \
        COUNT_ENDS("$7", "$8")) \
    S(SUBSCRIPTIONS_COUNT_OF_TENANT, COUNT_UP_TO SUBSCRIPTIONS_WHERE "tenant = $1" SUBSCRIPTION_FILTERS \
        COUNT_ENDS("$7", "$8")) \
    S(POOL_RESERVE, "UPDATE subscription SET state = 1, card = $2, version = version + 1," \
        " changed_at = $3 WHERE id = (SELECT id FROM" \
        " subscription WHERE pool = $1 AND pool > 0 AND state = 0 AND has_keys = 1" \
        " AND is_barred <= $4 AND" VISIBLE " ORDER BY id LIMIT 1)" \
        " RETURNING " SUBSCRIPTION_COLUMNS) \
    S(POOL_FREE, "SELECT " SUBSCRIPTION_COLUMNS " FROM subscription WHERE pool = $1 AND pool > 0" \
        " AND state = 0 AND has_keys = 1 AND is_barred <= $2 AND" VISIBLE " ORDER BY id LIMIT 1") \
    S(POOL_COUNTS, "SELECT state, count(*) FROM subscription WHERE pool = $1 AND pool > 0 AND" VISIBLE \
        " GROUP BY state") \
    S(NEXT_ICCID, "SELECT min(iccid) FROM (SELECT min(iccid) AS iccid FROM card WHERE iccid >= $1" \
        " UNION ALL SELECT min(iccid) FROM subscription WHERE iccid <> '' AND iccid >= $1)") \
    S(NEXT_IMSI, "SELECT min(imsi) FROM subscription WHERE imsi >= $1") \
    S(NEXT_MSISDN, "SELECT min(number) FROM subscription WHERE number <> '' AND number >= $1") \
    S(LOADING_PUT, "INSERT INTO loading (import) VALUES ($1) ON CONFLICT DO NOTHING") \
    S(LOADING_END, "DELETE FROM loading WHERE import = $1") \
    S(LOADING_LIST, "SELECT import, is_merging FROM loading ORDER BY import LIMIT 1") \
    S(LOADING_MERGE, "UPDATE loading SET is_merging = 1 WHERE import = $1") \
    S(PART_NEXT, "SELECT card, generation, sealed FROM part WHERE import = $1 LIMIT 1") \
    S(PART_DROP, "DELETE FROM part WHERE import = $1 AND card = $2") \
    S(PARTS_DROP, "DELETE FROM part WHERE import = $1 AND card IN (SELECT card FROM part" \
        " WHERE import = $1 LIMIT $2)") \
    S(CARD_REFERENCE_PUT, "UPDATE card SET reference = $2 WHERE id = $1") \
    S(REFERENCE_PUT, "INSERT INTO card_reference (reference, card) VALUES ($2,$1)" \
        " ON CONFLICT DO NOTHING") \
    S(REFERENCE_DROP, "DELETE FROM card_reference WHERE card = $1" \
        " AND reference = (SELECT reference FROM card WHERE id = $1)") \
    S(LOADED_SUBSCRIPTIONS, "SELECT id, imsi FROM subscription WHERE id > $1 AND import = $1" \
        " ORDER BY id LIMIT $2") \
    S(LOADED_CARDS, "SELECT id FROM card WHERE id > $1 AND import = $1 ORDER BY id LIMIT $2") \
    S(NETWORK_ERASE, "DELETE FROM network_key WHERE imsi = $1") \
    S(SUBSCRIPTION_ERASE, "DELETE FROM subscription WHERE id = $1") \
    S(CARD_ERASE, "DELETE FROM card WHERE id = $1") \
    S(OPERATION_PUT, "INSERT INTO operation (id, card, tenant, kind, status, outcome, failure," \
        " campaign, actor_kind, actor_id, created_at, may_arrive, last_counter, body)" \
        " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14) ON CONFLICT (id) DO UPDATE SET" \
        " status = excluded.status, outcome = excluded.outcome, failure = excluded.failure," \
        " may_arrive = excluded.may_arrive, last_counter = excluded.last_counter," \
        " body = excluded.body") \
    S(OPERATION_GET, "SELECT card, body, may_arrive FROM operation WHERE id = $1") \
    S(OPERATION_TENANT, "SELECT tenant FROM operation WHERE id = $1") \
    S(OPERATIONS, "SELECT card, body, may_arrive FROM operation WHERE 1" OPERATION_FILTERS \
        " ORDER BY id DESC LIMIT $12 OFFSET $13") \
    S(OPERATIONS_OF_CARD, "SELECT card, body, may_arrive FROM operation WHERE card = $2" OPERATION_FILTERS \
        " ORDER BY id DESC LIMIT $12 OFFSET $13") \
    S(OPERATIONS_OF_TENANT, "SELECT card, body, may_arrive FROM operation WHERE tenant = $1" OPERATION_FILTERS \
        " ORDER BY id DESC LIMIT $12 OFFSET $13") \
    S(OPERATIONS_BEHIND, "SELECT card, body, may_arrive FROM operation WHERE id > $13" OPERATION_FILTERS \
        " ORDER BY id LIMIT $12") \
    S(OPERATIONS_BEHIND_OF_TENANT, "SELECT card, body, may_arrive FROM operation WHERE tenant = $1 AND id > $13" \
        OPERATION_FILTERS " ORDER BY id LIMIT $12") \
    S(OPERATIONS_COUNT, COUNT_UP_TO " FROM operation WHERE 1" OPERATION_FILTERS \
        COUNT_ENDS("$12", "$13")) \
    S(OPERATIONS_COUNT_OF_CARD, COUNT_UP_TO " FROM operation WHERE card = $2" OPERATION_FILTERS \
        COUNT_ENDS("$12", "$13")) \
    S(OPERATIONS_COUNT_OF_TENANT, COUNT_UP_TO " FROM operation WHERE tenant = $1" OPERATION_FILTERS \
        COUNT_ENDS("$12", "$13")) \
    S(STEP_ADD, "INSERT INTO step (operation, at, name, detail, messages, attempt)" \
        " VALUES ($1,$2,$3,$4,$5,$6)") \
    S(STEP_ADD_LATE, "INSERT INTO step (operation, at, name, detail, messages, attempt)" \
        " SELECT $1,$2,$3,$4,$5, attempt FROM step WHERE operation = $1 AND name = $6 AND at = $7" \
        " ORDER BY id DESC LIMIT 1") \
    S(STEPS, "SELECT at, name, attempt, detail, messages FROM step WHERE operation = $1 ORDER BY id") \
    S(MESSAGE_PUT, "INSERT INTO message (" MESSAGE_COLUMNS ") VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10," \
        "$11,$12,$13,$14,$15)") \
    S(MESSAGE_STATE, "UPDATE message SET state = $2, tries = $3, due = $4 WHERE id = $1") \
    S(OUTBOX_FORGET, "UPDATE message SET state = 6 WHERE state = 0") \
    S(OUTBOX, "SELECT " MESSAGE_COLUMNS ", (SELECT grp FROM card WHERE card.id = message.card)," \
        " (SELECT kind = $3 AND actor_kind = $4 FROM operation WHERE operation.id = message.operation)" \
        " FROM message WHERE state = 0 AND id > $1" \
        " ORDER BY id LIMIT $2") \
    S(MESSAGES, "SELECT " MESSAGE_COLUMNS " FROM message WHERE card = $1 AND at >= $4 ORDER BY id DESC" \
        " LIMIT $2 OFFSET $3") \
    S(MESSAGES_COUNT, "SELECT count(*) FROM message WHERE card = $1 AND at >= $2") \
    S(CARD_SINCE, "SELECT since FROM card WHERE id = $1") \
    S(CARD_SINCE_PUT, "UPDATE card SET since = $2 WHERE id = $1") \
    S(RECEIPT_PUT, "INSERT INTO receipt (link, message_id, message, part, at) VALUES ($1,$2,$3,$4,$5)" \
        " ON CONFLICT (link, message_id) DO UPDATE SET message = excluded.message," \
        " part = excluded.part, at = excluded.at") \
    S(RECEIPT_FIND, "SELECT r.part, m.id, m.card, m.operation, m.is_mo, m.state, m.command," \
        " m.counter, m.number, m.parts, m.reference, m.validity_ms, m.at, m.due, m.tries, m.packet" \
        " FROM receipt r JOIN message m ON m.id = r.message WHERE r.link = $1 AND r.message_id = $2") \
    S(STRAY_ADD, "INSERT INTO stray (number, reference, is_response, sms, octets, at)" \
        " VALUES ($1,$2,$3,$4,$5,$6)") \
    S(STRAY_DROP, "DELETE FROM stray WHERE id = $1") \
    S(STRAYS, "SELECT id, number, reference, is_response, sms, octets FROM stray WHERE id > $1" \
        " ORDER BY id LIMIT $2") \
    S(STRAYS_COUNT, "SELECT count(*) FROM stray") \
    S(MESSAGE_PART_PUT, "INSERT INTO message_part (number, octets, at) VALUES ($1,$2,$3)") \
    S(MESSAGE_PARTS, "SELECT number, octets FROM message_part WHERE at >= $1 ORDER BY id") \
    S(SWEEP_MESSAGE_PARTS, "DELETE FROM message_part WHERE at < $1") \
    S(SWEEP_STRAYS, "DELETE FROM stray WHERE at < $1") \
    S(SWEEP_KEYS, "DELETE FROM idempotency WHERE at < $1") \
    S(SWEEP_RECEIPTS, "DELETE FROM receipt WHERE at < $1") \
    S(VIEW_PUT, "INSERT INTO card_view (card, at, operation, registry_version, outcome, answer," \
        " is_located) VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT (card) DO UPDATE SET at = excluded.at," \
        " operation = excluded.operation, registry_version = excluded.registry_version," \
        " outcome = excluded.outcome, answer = excluded.answer," \
        " is_located = excluded.is_located") \
    S(VIEW_GET, "SELECT at, operation, registry_version, outcome, answer FROM card_view WHERE card = $1") \
    S(AUDIT_PUT, "INSERT INTO audit (operation, card, at, registry_version, outcome, answer," \
        " is_located, differences) VALUES ($1,$2,$3,$4,$5,$6,$7,$8) ON CONFLICT (operation) DO NOTHING") \
    S(AUDIT_GET, "SELECT at, operation, registry_version, outcome, answer, card, differences" \
        " FROM audit WHERE operation = $1") \
    S(DIRTY, "SELECT record, dirty_since, marks, needs_operator FROM card WHERE dirty_since > 0" \
        " AND ($1 = 0 OR ($2 = 0 AND tenant = $1) OR ($2 <> 0 AND grp IN (" GRANTED("$1", "$2") ")))") \
    S(TRAIL_ADD, "INSERT INTO trail (" TRAIL_COLUMNS ", grp) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11," \
        "$12,$13,$14,$15,$16,$17,$18, coalesce((SELECT grp FROM card WHERE id = $19), 0))") \
    S(TRAIL_HEAD, "SELECT sequence, hash FROM trail ORDER BY sequence DESC LIMIT 1") \
    S(TRAIL_RANGE, "SELECT " TRAIL_COLUMNS " FROM trail WHERE sequence >= $1 AND sequence <= $2" \
        " ORDER BY sequence") \
    S(TRAIL_TIME, "SELECT sequence, at FROM trail WHERE sequence >= $1 ORDER BY sequence LIMIT 1") \
    S(TRAIL_BETWEEN, "SELECT sequence FROM trail WHERE sequence BETWEEN $1 AND $2" \
        " AND at > $3 AND at < $4 LIMIT 1") \
    S(SEGMENT_ADD, "INSERT INTO trail_segment (first, month, previous) VALUES ($1,$2,$3)") \
    S(SEGMENT_LAST, "SELECT month FROM trail_segment ORDER BY first DESC LIMIT 1") \
    S(SEGMENTS, "SELECT first, month FROM trail_segment ORDER BY first LIMIT 2") \
    S(SEGMENT_DELETE, "DELETE FROM trail_segment WHERE first = $1") \
    S(TOMBSTONE_ADD, "INSERT INTO tombstone (last, first, month, previous, hash, at, signature)" \
        " VALUES ($1,$2,$3,$4,$5,$6,$7)") \
    S(TOMBSTONES, "SELECT last, first, month, previous, hash, at, signature FROM tombstone" \
        " WHERE last >= $1 ORDER BY last") \
    S(TRAIL_REMOVE, "DELETE FROM trail WHERE sequence <= (SELECT max(last) FROM tombstone)" \
        " AND sequence < (SELECT min(sequence) FROM trail) + $1") \
    S(TRAIL_IS_COVERED, "SELECT 1 FROM trail WHERE sequence <= (SELECT max(last) FROM tombstone)" \
        " LIMIT 1") \
    S(PSEUDONYM_PUT, "INSERT INTO pseudonym (pseudonym, kind, object) VALUES ($1,$2,$3)" \
        " ON CONFLICT DO NOTHING") \
    S(IDEMPOTENCY_GET, "SELECT digest, operation FROM idempotency WHERE client = $1 AND key = $2" \
        " AND at >= $3") \
    S(IDEMPOTENCY_PUT, "INSERT INTO idempotency (client, key, digest, operation, at)" \
        " VALUES ($1,$2,$3,$4,$5) ON CONFLICT (client, key) DO UPDATE SET digest = excluded.digest," \
        " operation = excluded.operation, at = excluded.at") \
    S(CALL_ADD, "INSERT INTO call (tenant, minute, month, is_late, api, kind, result, client, card, operation," \
        " calls) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11) ON CONFLICT DO UPDATE" \
        " SET calls = calls + excluded.calls") \
    S(CALL_SUM_ADD, "INSERT INTO call_sum (month, tenant, api, kind, result, is_late, calls)" \
        " VALUES ($1,$2,$3,$4,$5,$6,$7) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls") \
    S(QUERIED_ADD, "INSERT INTO queried (period, tenant, family, card) VALUES ($1,$2,$3,$4)" \
        " ON CONFLICT DO NOTHING") \
    S(QUERIED_SUM_ADD, "UPDATE queried_sum SET calls = calls + $4 WHERE period = $1 AND tenant = $2" \
        " AND family = $3") \
    S(CALLS, "SELECT id, tenant, minute, month, is_late, api, kind, result, client, card, operation, calls" \
        " FROM call WHERE month = $1" CALL_FILTERS " AND id > $4 ORDER BY id LIMIT $5 OFFSET $6") \
    S(CALLS_COUNT, COUNT_UP_TO " FROM call WHERE month = $1" CALL_FILTERS COUNT_ENDS("$4", "$5")) \
    S(CALL_SUMS, "SELECT tenant, api, kind, " CALL_SUM_OF("0") ", " CALL_SUM_OF("1") ", " CALL_SUM_OF("2") \
        ", " CALL_SUM_OF("3") ", " CALL_SUM_OF("4") ", sum(calls * (is_late = 1 AND result = 0))" \
        " FROM call_sum WHERE month = $1 AND ($2 = 0 OR tenant = $2) GROUP BY tenant, api, kind" \
        " ORDER BY tenant, api, kind LIMIT $3 OFFSET $4") \
    S(CALL_SUMS_COUNT, "SELECT count(*) FROM (SELECT DISTINCT tenant, api, kind FROM call_sum" \
        " WHERE month = $1 AND ($2 = 0 OR tenant = $2))") \
    S(QUERIED, "SELECT tenant, cards, calls FROM queried_sum WHERE period = $1 AND ($2 = 0 OR tenant = $2)" \
        " AND family = $3 ORDER BY tenant LIMIT $4 OFFSET $5") \
    S(QUERIED_COUNT, "SELECT count(*) FROM queried_sum WHERE period = $1 AND ($2 = 0 OR tenant = $2)" \
        " AND family = $3") \
    S(CALLS_EXPIRE, "DELETE FROM call WHERE id IN (SELECT id FROM call WHERE month < $1 LIMIT $2)") \
    S(QUERIED_EXPIRE, "DELETE FROM queried WHERE id IN (SELECT id FROM queried WHERE period < $1" \
        " LIMIT $2)") \
    S(TALLY_ADD, "INSERT INTO tally (tenant, at, figure, detail, count) VALUES ($1,$2,$3,$4,$5)" \
        " ON CONFLICT (tenant, at, figure, detail) DO UPDATE SET count = count + excluded.count") \
    S(TALLIES, "SELECT figure, detail, count FROM tally WHERE tenant = $1 AND at >= $2 AND at <= $3") \
    S(SWEEP_TALLIES, "DELETE FROM tally WHERE at < $1") \
    S(FALLBACK_ADD, "INSERT INTO fallback (operator, at, cards) VALUES ($1,$2,1)" \
        " ON CONFLICT (operator, at) DO UPDATE SET cards = cards + 1") \
    S(FALLBACKS, "SELECT operator, sum(CASE WHEN at > $2 THEN cards ELSE 0 END)," \
        " sum(CASE WHEN at > $2 THEN 0 ELSE cards END) FROM fallback WHERE at > $1 GROUP BY operator") \
    S(SWEEP_FALLBACKS, "DELETE FROM fallback WHERE at < $1") \
    S(ALARMS_OPEN, "SELECT substr(name, 1, instr(name, ' ') - 1) AS key, count(*) FROM document" \
        " WHERE kind = 'alarm' AND state > 0 GROUP BY key") \
    S(DOCUMENT_ADD, "INSERT INTO document (" DOCUMENT_COLUMNS ") VALUES ($1,$2,$3,$4,$5,$6,$7,$8,1,$9)" \
        " ON CONFLICT DO NOTHING") \
    S(DOCUMENT_CHANGE, "UPDATE document SET owner = $3, parent = $4, name = $5, state = $6," \
        " changed_at = $8, version = version + 1, body = $9 WHERE kind = $1 AND id = $2" \
        " AND version = $10 AND $7 >= 0") \
    S(DOCUMENT_GET, "SELECT " DOCUMENT_COLUMNS " FROM document WHERE kind = $1 AND id = $2") \
    S(DOCUMENT_NAMED, "SELECT " DOCUMENT_COLUMNS " FROM document WHERE name IS NOT NULL AND kind = $1" \
        " AND name = $2") \
    S(DOCUMENT_STATE, "UPDATE document SET state = $4, changed_at = $5, version = version + 1" \
        " WHERE kind = $1 AND id = $2 AND state = $3") \
    S(DOCUMENT_BETWEEN, "SELECT id FROM document WHERE name IS NOT NULL AND kind = $1 AND name >= $2" \
        " AND name < $3 AND state <> $4 LIMIT 1") \
    S(DOCUMENT_DELETE, "DELETE FROM document WHERE kind = $1 AND id = $2") \
    S(DOCUMENTS, "SELECT " DOCUMENT_COLUMNS " FROM document WHERE kind = $1 AND" DOCUMENT_FILTERS \
        " AND id > $7 ORDER BY id LIMIT $5 OFFSET $6") \
    S(DOCUMENTS_DOWN, "SELECT " DOCUMENT_COLUMNS " FROM document WHERE kind = $1 AND" DOCUMENT_FILTERS \
        " ORDER BY id DESC LIMIT $5 OFFSET $6") \
    S(DOCUMENTS_COUNT, "SELECT count(*) FROM document WHERE kind = $1 AND" DOCUMENT_FILTERS) \
    S(VALUE_GET, "SELECT value FROM value WHERE name = $1") \
    S(VALUE_PUT, "INSERT INTO value (name, value) VALUES ($1,$2) ON CONFLICT (name) DO UPDATE SET" \
        " value = excluded.value") \
    S(COUNT_STATES, "SELECT state, marks, sum(cards) FROM card_count WHERE ($1 = 0 OR tenant = $1)" \
        " AND" VISIBLE " GROUP BY state, marks") \
    S(COUNT_STATUSES, "SELECT status, count(*) FROM operation WHERE status < 8" \
        " AND ($1 = 0 OR tenant = $1) GROUP BY status") \
    S(COUNT_OUTBOX, "SELECT count(*) FROM message WHERE state = 0") \
    S(CAMPAIGN_PUT, "INSERT INTO campaign (id, state, is_running, due_at, record)" \
        " VALUES ($1,$2,$3,$4,$5) ON CONFLICT (id) DO UPDATE SET state = excluded.state," \
        " is_running = excluded.is_running, due_at = excluded.due_at, record = excluded.record") \
    S(CAMPAIGN_GET, "SELECT record FROM campaign WHERE id = $1") \
    S(CAMPAIGN_DUE, "SELECT id FROM campaign WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT $2") \
    S(CAMPAIGN_NEXT_DUE, "SELECT due_at FROM campaign WHERE due_at > 0 ORDER BY due_at LIMIT 1") \
    S(CAMPAIGN_POSTPONE, "UPDATE campaign SET due_at = $2 WHERE id = $1") \
    S(CAMPAIGN_BACK, "UPDATE campaign SET due_at = max(due_at - $1, 1) WHERE due_at > 0") \
    S(CAMPAIGN_CARDS_BACK, "UPDATE campaign_card SET not_before = max(not_before - $1, 1)" \
        " WHERE not_before > 0") \
    S(CAMPAIGN_SLOTS_BACK, "UPDATE campaign_network SET next_at = max(next_at - $1, 1)") \
    S(CAMPAIGN_CARD_ADD, CAMPAIGN_CARD_NEW " VALUES ($1, $2, 0, 0, " CAMPAIGN_DRAW("$2") ", 0, 0, 0, 0)" \
        " ON CONFLICT DO NOTHING") \
    S(CAMPAIGN_CARDS_LOST, CAMPAIGN_CARD_NEW " SELECT $1, card, 0, 0, draw, 0, 0, 0, 0" \
        " FROM campaign_card WHERE campaign = $2 AND step > 0 AND reason NOT IN (0, $3, $4)") \
    S(CAMPAIGN_CLEAR, "DELETE FROM campaign_card WHERE campaign = $1") \
    S(CAMPAIGN_RESET, "UPDATE campaign_card SET step = 0, reason = 0 WHERE campaign = $1") \
    S(CAMPAIGN_NEXT, "SELECT card FROM campaign_card WHERE campaign = $1 AND card > $2" \
        " ORDER BY card LIMIT $3") \
    S(CAMPAIGN_WAITING, "SELECT card FROM campaign_card WHERE campaign = $1 AND step = 1" \
        " AND reason = 0 AND not_before <= $2 ORDER BY not_before, draw LIMIT $3") \
    S(CAMPAIGN_CARD_SET, "UPDATE campaign_card SET step = max(step, $3), reason = $4, operation = $5," \
        " ended_at = $6 WHERE campaign = $1 AND card = $2") \
    S(CAMPAIGN_CARD_LATER, "UPDATE campaign_card SET not_before = $3 WHERE campaign = $1" \
        " AND card = $2") \
    S(CAMPAIGN_RESERVED, "SELECT is_reserved FROM campaign_card WHERE campaign = $1 AND card = $2") \
    S(CAMPAIGN_SLOT, "INSERT INTO campaign_network (campaign, network, next_at) VALUES ($1, $2, $3 + $4)" \
        " ON CONFLICT DO UPDATE SET next_at = max(next_at, $3) + $4 RETURNING next_at - $4") \
    S(CAMPAIGN_RESERVE, "UPDATE campaign_card SET not_before = $3, is_reserved = 1" \
        " WHERE campaign = $1 AND card = $2") \
    S(CAMPAIGN_SLOTS_DROP, "DELETE FROM campaign_network WHERE campaign = $1") \
    S(CAMPAIGN_UNRESERVE, "UPDATE campaign_card SET not_before = 0, is_reserved = 0" \
        " WHERE campaign = $1 AND step = 1 AND reason = 0 AND is_reserved = 1") \
    S(CAMPAIGN_CARD_QUARANTINED, "UPDATE campaign_card SET quarantined_at = $3 WHERE campaign = $1" \
        " AND card = $2") \
    S(CAMPAIGN_QUARANTINES, "SELECT count(*) FROM campaign_card WHERE campaign = $1" \
        " AND quarantined_at > 0 AND quarantined_at >= $2") \
    S(CAMPAIGN_COUNTS, "SELECT step, reason, cards FROM campaign_count WHERE campaign = $1" \
        " AND cards > 0 ORDER BY step, reason") \
    S(CAMPAIGN_LOOK, "SELECT reason, count(*) FROM (SELECT reason FROM campaign_card" \
        " WHERE campaign = $1 AND ended_at > 0 AND ended_at >= $2 ORDER BY ended_at DESC LIMIT $3)" \
        " GROUP BY reason") \
    S(CAMPAIGN_ELSEWHERE, "SELECT r.campaign FROM campaign_card r JOIN campaign c ON c.id = r.campaign" \
        " WHERE r.card = $1 AND r.campaign <> $2 AND r.step > 0 AND r.reason = 0" \
        " AND c.is_running = 1 LIMIT 1") \
    S(CAMPAIGN_CARDS, "SELECT card, step, reason, operation, ended_at FROM campaign_card" \
        " WHERE campaign = $1 AND card > $2" CAMPAIGN_CARD_FILTERS " ORDER BY card LIMIT $7 OFFSET $8") \
    S(CAMPAIGN_CARDS_COUNT, "SELECT coalesce(sum(cards), 0) FROM campaign_count WHERE campaign = $1" \
        CAMPAIGN_CARD_FILTERS)
// clang-format on
