#include "common/base/text.h"
#include "ota-server/service/api_text.h"
#include "ota-server/shell/server_crypto.h"
#include "profiles/vendor/shell/digest_host.h"
#include "profiles/vendor/shell/make_batch.h"
#include "tests/unit/api/import_lab.h"
#include "tests/unit/server/faulty_statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Of the transport key, which is not the one that was loaded.
static void import_other_check_value(const char *query, const char *key)
{
    char *text = (char *)read_sample("tests/samples/alder-0000717.out");
    char *kcv = strstr(text, "KCV=3544E0");
    assert_non_null(kcv);
    memcpy(kcv, "KCV=3544E1", 10);
    import_text(query, key, text);
    run_import();
    assert_true(has("\"IMP-111\":1"));
}

static bool has_alarm(const char *name)
{
    ask("GET", BASE "/alarms?state=OPEN", NULL);
    return has(name);
}

// A file of columns and records alone: what its header would say comes from the vendor profile's
// only product and from who sends it.
static void a_csv_without_a_header_loads_with_what_is_stated(void **state)
{
    static const char target[] = BASE "/batch-imports?vendorProfile=alder";
    static const struct {
        const char *query;
        int status;
        const char *outcome;
    } tries[] = {
        {"", 202, "\"IMP-106\":"},
        {"&quantity=3", 202, "\"IMP-106\":"},
        {"&quantity=3&batch=", 400, "batch"},
        {"&quantity=3&batch=two%20words", 400, "batch"},
        {"&quantity=2&batch=B1", 202, "\"IMP-105\":"},
        {"&quantity=3&batch=B1", 202, "\"outcome\":\"IMPORTED\""},
        {"&quantity=3&batch=B2", 202, "\"outcome\":\"ALREADY_IMPORTED\""},
    };
    char text[4096] = "iccid,imsi1,msisdn1,acc,pin1,puk1,adm1,ki1,opc1,imsi2,ki2,opc2,kic1,kid1,"
                      "kik1,kcv\n";
    static const char more[] =
        "\"Encrypted\": \"KI1=07 OPC1=07 KI2=07 OPC2=07 ADM1=12 KIC1=12 KID1=12 KIK1=12\","
        "\"Transport-Key-AUC\": \"07 AES128-CBC IV=0 KCV=3544E0\","
        "\"Transport-Key-OTA\": \"12 AES128-CBC IV=0 KCV=8F93D8\",";
    char path[256];
    char profile[8192];
    (void)state;
    lab_open_imports(&lab, "all", true);
    const char *sample = read_sample("profiles/vendor/samples/alder.json");
    const char *header = strstr(sample, "\"header\"");
    const size_t before = (size_t)(strchr(header, '{') + 1 - sample);
    (void)snprintf(profile, sizeof(profile), "%.*s%s%s", (int)before, sample, more,
                   sample + before);
    ask("POST", BASE "/vendor-profiles", profile);
    assert_int_equal(a.status, 201);
    load_transport_keys();
    const char *data = strstr(read_sample("tests/samples/alder-0000717.out"), "*DATA\n") + 6;
    const size_t columns = strlen(text);
    const size_t len = (size_t)(strstr(data, "*END") - data);
    for (size_t i = 0; i < len; i++)
        text[columns + i] = (char)(data[i] == ' ' ? ',' : data[i]);
    text[columns + len] = '\0';
    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        char key[] = "csv-import-0";
        key[11] = (char)('0' + i);
        (void)snprintf(path, sizeof(path), "%s%s", target, tries[i].query);
        lab_ask(&lab,
                &(struct ask){
                    .method = "POST", .target = path, .type = "text/csv", .body = text, .key = key},
                &a);
        assert_int_equal(a.status, tries[i].status);
        if (a.status == 202)
            run_import();
        assert_true(has(tries[i].outcome));
    }
    lab_close(&lab);
}

static void a_vendor_file_is_tried_loaded_and_known_again(void **state)
{
    (void)state;
    lab_open_imports(&lab, "all", true);
    import_sample("", "imp-0000717");
    assert_int_equal(a.status, 404);
    ask("POST", BASE "/vendor-profiles", read_sample("profiles/vendor/samples/alder.json"));
    assert_int_equal(a.status, 201);
    import_sample("", "imp-0000718");
    assert_true(has("\"status\":\"UPLOADED\""));
    run_import();
    assert_true(has("\"outcome\":\"REFUSED\"") && has("\"byCode\":{\"IMP-110\":2"));
    assert_true(has_alarm("\"key\":\"import.rejected\",\"severity\":\"MINOR\",\"object\":\"imp_"));
    assert_true(has("\"totalCount\":1"));
    read_import("/report", NULL);
    assert_true(has("\"code\":\"IMP-110\",\"level\":\"F\"") &&
                has("\"totalCount\":3")); // and W-022
    read_import("/report", "text/csv");
    assert_int_equal(strncmp(a.body, "code,level,line,field,text\r\n", 28), 0);
    assert_true(has("\r\n\"IMP-110\",\"F\","));
    load_transport_keys();
    import_other_check_value("&dryRun=true", "imp-0000722");
    assert_false(has_alarm("key.kcv.mismatch")); // a trial tells whoever asks for it
    import_other_check_value("", "imp-0000723");
    assert_true(has_alarm("key.kcv.mismatch"));
    import_sample("&dryRun=true", "imp-0000719");
    run_import();
    assert_true(has("\"outcome\":\"DRY_RUN_OK\""));
    read_import("/report", NULL);
    assert_true(has("\"code\":\"W-022\"") && has("\"totalCount\":1"));
    read_import("/quarantine", NULL);
    assert_true(has("\"items\":[]"));
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":0"));
    import_sample("", "imp-0000720");
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\"") && has("\"loaded\":3"));
    assert_true(has("\"warnings\":1"));
    read_import("/report", NULL);
    assert_true(has("\"code\":\"W-022\"") && has("\"totalCount\":1"));
    assert_false(has("IMP-110")); // that was the import before
    assert_null(strstr(strstr(a.body, "W-022") + 1, "W-022"));
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":3") && has("\"state\":\"IMPORTED\""));
    import_sample("", "imp-0000721");
    run_import();
    assert_true(has("\"outcome\":\"ALREADY_IMPORTED\"") && has("\"firstImportId\":\"imp_"));
    ask("GET", BASE "/batch-imports", NULL);
    assert_true(has("\"totalCount\":6"));
    ask("POST", BASE "/batch-imports?vendorProfile=alder", NULL);
    assert_int_equal(a.status, 400); // without a key
    lab_close(&lab);
}

static void correct(const char *query, const char *key, const char *text)
{
    char target[256];
    (void)snprintf(target, sizeof(target), BASE "/batch-imports/%s/quarantine%s", import_id, query);
    lab_ask(&lab,
            &(struct ask){
                .method = "POST", .target = target, .type = "text/plain", .body = text, .key = key},
            &a);
}

// The digest of the lines between two texts, where the trailer has it.
static void put_digest(char *text, const char *before, const char *after)
{
    const struct cipher *cipher = lab.import_crypto.store.cipher;
    uint8_t sha256[32];
    char hex[65];
    const char *data = strstr(text, before) + strlen(before);
    const struct bytes lines = bytes_of(data, (size_t)(strstr(data, after) - data));
    struct writer w = writer_of(hex, sizeof(hex));
    assert_true(cipher->sha256(cipher->context, &lines, 1, sha256));
    text_hex(&w, bytes_of(sha256, sizeof(sha256)));
    memcpy(strstr(text, "SHA256-DATA: ") + strlen("SHA256-DATA: "), hex, 64);
}

// The sample with the ICCID of its last card wrong by a digit.
static const char *spoilt_sample(void)
{
    char *text = (char *)read_sample("tests/samples/alder-0000717.out");
    strstr(text, "89999000000717000035")[19] = '6';
    put_digest(text, "*DATA\n", "*END");
    return text;
}

static void what_was_held_back_comes_in_a_corrected_file(void **state)
{
    (void)state;
    char first[sizeof(import_id)];
    lab_open_imports(&lab, "all", true);
    ask("POST", BASE "/vendor-profiles", read_sample("profiles/vendor/samples/alder.json"));
    load_transport_keys();
    import_text("&partial=true", "imp-0000752", spoilt_sample());
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED_IN_PART\"") && has("\"quarantined\":1"));
    memcpy(first, import_id, sizeof(first));
    import_sample("", "imp-0000753"); // as a file of its own the batch is another one
    run_import();
    assert_true(has("\"IMP-121\":1"));
    memcpy(import_id, first, sizeof(first));
    correct("", "imp-0000754", read_sample("tests/samples/alder-0000717.out"));
    assert_true(has("\"correctionOf\":\"imp_") && has(first) && has("\"vendor\":\"alder\""));
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\"") && has("\"correctionOf\":\"imp_"));
    assert_true(has("\"loaded\":1") && has("\"unchanged\":2"));
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":3"));
    correct("", "imp-0000755", "x"); // that one holds nothing back
    assert_int_equal(a.status, 409);
    memcpy(import_id, first, sizeof(first));
    correct("?batch=a%20b", "imp-0000756", "x");
    assert_int_equal(a.status, 400);
    lab_close(&lab);
}

// It goes on, as whoever asked was told, and the trail says nothing.
static void an_import_whose_cancelling_is_not_written_goes_on(void **state)
{
    (void)state;
    char target[128];
    lab_open_imports(&lab, "all", true);
    ask("POST", BASE "/vendor-profiles", read_sample("profiles/vendor/samples/alder.json"));
    load_transport_keys();
    import_sample("", "imp-0000732");
    const char *id = strstr(a.body, "imp_");
    assert_non_null(id);
    memcpy(import_id, id, sizeof(import_id) - 1);
    (void)snprintf(target, sizeof(target), BASE "/batch-imports/%s/cancel", import_id);
    const struct ask cancel = {.method = "POST", .target = target};
    struct answer refused;
    for (uint32_t at = 1; at <= 6; at++) { // of the statements of the turn, in vain
        struct api_exchange *x = lab_start(&lab, &cancel, &refused);
        faulty_statement_set(at);
        for (unsigned i = 0; i < 40 && refused.count == 0; i++)
            (void)lab_try_turn(&lab);
        assert_true(faulty_statement_was_hit());
        faulty_statement_set(0);
        assert_int_equal(refused.status, 503);
        lab_forget(x);
    }
    lab_run_imports(&lab);
    read_import("", NULL);
    assert_true(has("\"outcome\":\"IMPORTED\""));
    ask("GET", BASE "/audit-trail?action=import.cancelled", NULL);
    assert_true(has("\"totalCount\":0"));
    lab_close(&lab);
}

static void an_import_is_cancelled_without_a_trace(void **state)
{
    (void)state;
    char target[128];
    lab_open_imports(&lab, "all", true);
    ask("POST", BASE "/vendor-profiles", read_sample("profiles/vendor/samples/alder.json"));
    load_transport_keys();
    import_sample("", "imp-0000730");
    const char *id = strstr(a.body, "imp_");
    assert_non_null(id);
    memcpy(import_id, id, sizeof(import_id) - 1);
    (void)snprintf(target, sizeof(target), BASE "/batch-imports/%s/quarantine", import_id);
    ask("DELETE", target, NULL);
    assert_int_equal(a.status, 409); // it has not ended
    (void)snprintf(target, sizeof(target), BASE "/batch-imports/%s/cancel", import_id);
    ask("POST", target, "{\"reason\":\"the wrong file\"}");
    assert_int_equal(a.status, 202); // it has begun at most: nothing was written yet
    lab_run_imports(&lab);
    read_import("", NULL);
    assert_true(has("\"status\":\"ENDED\"") && has("\"failure\":\"CANCELLED\""));
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("POST", target, NULL);
    assert_int_equal(a.status, 409);
    import_sample("", "imp-0000731");
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\""));
    lab_close(&lab);
}

// Why a file came stands in the query, since the body is the file.
static void the_trail_says_why_a_file_came(void **state)
{
    (void)state;
    static const char *const wrong[] = {"&reason=", "&reason=%FF", "&reason=a%00b"};
    static const char *const keys[] = {"imp-reason-a", "imp-reason-b", "imp-reason-c"};
    open_prepared(true);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        import_sample(wrong[i], keys[i]);
        assert_int_equal(a.status, 400);
        assert_true(has("\"field\":\"reason\""));
    }
    import_sample("&reason=the%20July%20order", "imp-reason-1");
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\""));
    ask("GET", BASE "/audit-trail?action=import.ordered", NULL);
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":1") && has("\"reason\":\"the July order\""));
    lab_close(&lab);
}

static void a_profile_is_replaced_whole_and_by_version(void **state)
{
    (void)state;
    char path[128] = BASE "/vendor-profiles/";
    lab_open_imports(&lab, "all", true);
    const char *alder = read_sample("profiles/vendor/samples/alder.json");
    ask("POST", BASE "/vendor-profiles", alder);
    assert_int_equal(a.status, 201);
    memcpy(path + strlen(path), strstr(a.body, "rec_"), 30);
    ask("POST", BASE "/vendor-profiles", alder);
    assert_int_equal(a.status, 409);
    ask("GET", path, NULL);
    assert_true(has("\"vendor\":\"alder\"") && has("\"content\":{"));
    ask("PUT", path, alder);
    assert_int_equal(a.status, 200);
    assert_true(has("\"version\":2"));
    lab_ask(&lab,
            &(struct ask){.method = "PUT", .target = path, .body = alder, .if_match = "\"1\""}, &a);
    assert_int_equal(a.status, 412);
    ask("PUT", path, "{\"vendor\":\"alder\"}");
    assert_int_equal(a.status, 400);
    static char birch[65536];
    (void)snprintf(birch, sizeof(birch), "%s", alder);
    memcpy(strstr(birch, "\"alder\""), "\"birch\"", 7);
    ask("POST", BASE "/vendor-profiles", birch);
    assert_int_equal(a.status, 201);
    ask("PUT", path, birch);
    assert_int_equal(a.status, 409); // another has that name
    ask("GET", BASE "/vendor-profiles", NULL);
    assert_true(has("\"totalCount\":2"));
    lab_close(&lab);
}

static void a_load_is_hidden_until_it_ends_and_gone_after_a_crash(void **state)
{
    (void)state;
    open_prepared(true);
    const char *file = make_batch("BATCH01", 1100, 1); // two slices
    order(file, "", "imp-0000801");
    assert_int_equal(a.status, 202);
    memcpy(import_id, strstr(a.body, "imp_"), sizeof(import_id) - 1);
    step_once();
    step_once();
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":0"));
    ask("GET", BASE "/subscriptions", NULL);
    assert_true(has("\"totalCount\":0"));
    read_import("", NULL);
    assert_true(has("\"status\":\"LOADING\"") && !has("outcome"));
    lab_crash(&lab);
    read_import("", NULL);
    assert_true(has("\"status\":\"ENDED\"") && has("\"failure\":\"INTERRUPTED\""));
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":0"));
    order(file, "", "imp-0000802");
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\"") && has("\"loaded\":1100"));
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":1100"));
    ask("GET", BASE "/subscriptions", NULL);
    assert_true(has("\"totalCount\":2200"));
    lab_crash(&lab);
    ask("GET", BASE "/cards", NULL);
    assert_true(has("\"totalCount\":1100"));
    assert_int_equal(unlink(file), 0);
    lab_close(&lab);
}

static void a_file_that_is_being_imported_is_busy(void **state)
{
    (void)state;
    open_prepared(true);
    const char *file = make_batch("BATCH02", 3, 1);
    order(file, "", "imp-0000811");
    assert_int_equal(a.status, 202);
    order(file, "", "imp-0000812");
    assert_int_equal(a.status, 409);
    assert_true(has("ABORTED") && has("IMP-120"));
    lab_run_imports(&lab);
    order(file, "", "imp-0000813");
    run_import();
    assert_true(has("\"outcome\":\"ALREADY_IMPORTED\""));
    assert_int_equal(unlink(file), 0);
    lab_close(&lab);
}

// Whoever reads that it has ended may send it again at once, whatever the other thread still tidies
// up.
static void a_file_whose_import_has_ended_is_not_busy(void **state)
{
    (void)state;
    open_prepared(true);
    const char *file = make_batch("BATCH05", 1, 1);
    for (unsigned i = 0; i < 200; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "imp-%07u", 9000 + i);
        order(file, "&dryRun=true", key);
        assert_int_equal(a.status, 202);
        memcpy(import_id, strstr(a.body, "imp_"), sizeof(import_id) - 1);
        do {
            step_once();
            read_import("", NULL);
        } while (!has("\"status\":\"ENDED\""));
    }
    assert_int_equal(unlink(file), 0);
    lab_close(&lab);
}

static void the_enabled_subscription_of_an_imported_card_is_its_preferred_one(void **state)
{
    (void)state;
    open_prepared(true);
    order(make_batch("BATCH05", 1, 1), "", "imp-0000831");
    run_import();
    ask("GET", BASE "/cards", NULL);
    const char *at = strstr(a.body, "\"id\":\"crd_");
    uint64_t card;
    assert_non_null(at);
    assert_true(api_id_read(bytes_of(at + 6, 30), "crd", &card));
    static struct record r;
    assert_int_equal(store_card_load(lab.store, card, &r), STORE_OK);
    assert_non_null(record_enabled(&r));
    assert_int_equal(r.preferred, record_enabled(&r)->subscription);
    lab_close(&lab);
}

static void nobody_learns_that_another_tenant_has_a_card(void **state)
{
    (void)state;
    open_prepared(true);
    const char *file = make_batch("BATCH03", 2, 1);
    order(file, "", "imp-0000821");
    run_import();
    // The cards go to another tenant, and the file comes again under another batch.
    ask("GET", BASE "/cards", NULL);
    const char *at = a.body;
    uint64_t cards[2];
    for (unsigned i = 0; i < 2; i++) {
        at = strstr(at, "\"id\":\"crd_");
        assert_non_null(at);
        assert_true(api_id_read(bytes_of(at + 6, 30), "crd", &cards[i]));
        at++;
    }
    static struct record before;
    static struct record after;
    assert_int_equal(store_begin(lab.store), STORE_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(store_card_load(lab.store, cards[i], &before), STORE_OK);
        after = before;
        after.tenant = LAB_TENANT + 1;
        after.version++;
        assert_int_equal(store_card_save(lab.store, &before, &after), STORE_OK);
    }
    assert_int_equal(store_commit(lab.store), STORE_OK);
    assert_int_equal(unlink(file), 0);
    file = make_batch("BATCH04", 2, 1);
    order(file, "", "imp-0000822");
    run_import();
    assert_true(has("\"outcome\":\"REFUSED\"") && has("\"quarantined\":2"));
    assert_true(has("\"IMP-211\":2") && !has("IMP-213"));
    read_import("/quarantine", NULL);
    assert_true(has("\"IMP-211\"") && !has("IMP-213") && !has("\"totalCount\":0"));
    char target[128];
    struct writer w = writer_of(target, sizeof(target));
    text_put(&w, BASE "/batch-imports/");
    text_put(&w, import_id);
    text_put(&w, "/quarantine");
    ask("DELETE", text_end(&w), NULL);
    assert_int_equal(a.status, 204);
    read_import("/quarantine", NULL);
    assert_true(has("\"totalCount\":0"));
    assert_int_equal(unlink(file), 0);
    lab_close(&lab);
}

static uint64_t limit_of(const char *path, const char *cookie)
{
    const struct api_request request = {.method = bytes_of_text("POST"),
                                        .path = bytes_of_text(path),
                                        .cookie = bytes_of_text(cookie),
                                        .peer = "192.0.2.1"};
    return api_body_limit(lab.api, &request, lab.now.utc);
}

static void who_is_logged_in_sends_whole_files(void **state)
{
    (void)state;
    struct door door;
    lab_open(&lab, "all", true);
    lab_user(&lab, "root", ROLE_PLATFORM_ADMIN, LAB_TENANT, &door);
    assert_int_equal(limit_of(BASE "/batch-imports", door.cookie), 512 << 20);
    assert_int_equal(limit_of(BASE "/batch-imports/imp_1/quarantine", door.cookie), 512 << 20);
    assert_int_equal(limit_of(BASE "/uploads", door.cookie), 512 << 20);
    assert_int_equal(limit_of(BASE "/uploads", ""), API_BODY_MAX);
    assert_int_equal(limit_of(BASE "/batch-imports", "__Host-session=nobody"), API_BODY_MAX);
    assert_int_equal(limit_of(BASE "/batch-imports", ""), API_BODY_MAX);
    assert_int_equal(limit_of(BASE "/card-groups", door.cookie), API_BODY_MAX);
    assert_int_equal(limit_of(BASE "/none", door.cookie), API_BODY_MAX);
    lab_close(&lab);
}

static const char pool_file[] =
    "#Kind: POOL\n#File-Version: 3.2\n#Customer: NORDWIND-IOT\n#Operator: TEST-001-01\n"
    "#Batch: P000001\n#Quantity: 2\n#ICCID-Format: 20D LUHN\n"
    "#Transport-Key-AUC: 07 AES128-CBC IV=0 KCV=3544E0\n#Encrypted: ki=07 opc=07\n"
    "iccid,imsi,msisdn,ki,opc\n"
    "89999000000901000015,001010000000101,9990000000101,CD9F73BEA2B8BA108897CF273832AAB4,"
    "3D1AF0FF289D17EF371F9ACD213F62E9\n"
    "89999000000901000023,001010000000102,9990000000102,F7456E1DBAA6454674FBB5F5C2CAFCB3,"
    "3AC2D5F08F712A96FB5226625FB146B2\n#Records: 2\n"
    "#SHA256-DATA: d03a99387284ef680f94ac7e022f0edd9bda8a2c239c05618109921bd5ca1d8a\n";

// As the operator loads it for an enterprise: the pool says whose they are.
static void subscriptions_belong_to_who_has_the_pool(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    char text[256];
    char pool[31] = "";
    open_prepared(true);
    ask("POST", BASE "/enterprises",
        "{\"name\":\"acme\",\"kind\":\"ENTERPRISE\",\"region\":\"eu\",\"timeZone\":\"UTC\"}");
    assert_int_equal(a.status, 201);
    const uint64_t enterprise = lab_id(&a, "ent");
    char id[API_ID_SIZE];
    api_id_write(id, "ent", enterprise);
    (void)snprintf(text, sizeof(text),
                   "{\"name\":\"theirs\",\"operator\":\"TEST-001-01\",\"templateId\":1,"
                   "\"rulePack\":\"CN-IoT\","
                   "\"enterpriseId\":\"%s\"}",
                   id);
    ask("POST", BASE "/subscription-pools", text);
    assert_int_equal(a.status, 201);
    memcpy(pool, strstr(a.body, "pol_"), sizeof(pool) - 1);
    (void)snprintf(text, sizeof(text), "&kind=SUBSCRIPTIONS&poolId=%s", pool);
    import_text(text, "imp-theirs-1", pool_file);
    run_import();
    assert_true(has("\"loaded\":2"));
    lab_client(&lab, "all", enterprise, token);
    lab_ask(&lab,
            &(struct ask){.method = "GET", .target = BASE "/subscriptions", .authorization = token},
            &a);
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":2") && has("\"rulePack\":\"CN-IoT\""));
    lab_client(&lab, "all", enterprise + 1, token); // nobody else's
    lab_ask(&lab,
            &(struct ask){.method = "GET", .target = BASE "/subscriptions", .authorization = token},
            &a);
    assert_true(has("\"totalCount\":0"));
    // 86 and 11 digits, or 13 digits? E.164 does not ask, the pool's rule pack does [CN-IoT R3].
    static char file[sizeof(pool_file)];
    memcpy(file, pool_file, sizeof(file));
    memcpy(strstr(file, ",9990000000101"), ",86", 3);
    put_digest(file, "ki,opc\n", "#Records");
    import_text(text, "imp-theirs-2", file);
    run_import();
    assert_true(has("\"IMP-221\":1"));
    lab_close(&lab);
}

static void pass_a_sweep(void)
{
    for (unsigned i = 0; i < 600; i++) { // once in ten minutes
        import_jobs_tick(lab.imports);
        lab_turn(&lab);
    }
}

static void a_file_is_kept_for_30_days_and_its_digest_longer(void **state)
{
    (void)state;
    char token[LAB_TOKEN_SIZE];
    open_prepared(true);
    import_sample("&dryRun=true", "imp-kept-1");
    run_import();
    assert_true(has("\"outcome\":\"DRY_RUN_OK\""));
    assert_false(has("fileKeptUntil"));
    assert_int_equal(lab_kept_files(&lab, false), 0);
    import_sample("", "imp-kept-2");
    run_import();
    assert_true(has("\"outcome\":\"IMPORTED\""));
    assert_true(has("\"fileKeptUntil\":"));
    assert_int_equal(lab_kept_files(&lab, false), 1);
    char first[sizeof(import_id)];
    memcpy(first, import_id, sizeof(first));
    import_sample("", "imp-kept-3");
    run_import();
    assert_true(has("\"outcome\":\"ALREADY_IMPORTED\""));
    assert_false(has("fileKeptUntil"));
    assert_int_equal(lab_kept_files(&lab, false), 1);

    lab_crash(&lab); // what is kept stays
    assert_int_equal(lab_kept_files(&lab, false), 1);
    lab.now.utc = utc_after(lab.now.utc, 29LL * 24 * 3600 * 1000);
    pass_a_sweep();
    assert_int_equal(lab_kept_files(&lab, false), 1);
    lab.now.utc = utc_after(lab.now.utc, 24LL * 3600 * 1000);
    pass_a_sweep();
    assert_int_equal(lab_kept_files(&lab, false), 0);
    lab_client(&lab, "all", LAB_TENANT, token);
    lab_ask(&lab,
            &(struct ask){.method = "GET",
                          .target = BASE "/audit-trail?action=import.file.removed",
                          .authorization = token},
            &a);
    assert_int_equal(a.status, 200);
    assert_true(has("\"totalCount\":1"));
    char target[128];
    (void)snprintf(target, sizeof(target), BASE "/batch-imports/%s", first);
    lab_ask(&lab, &(struct ask){.method = "GET", .target = target, .authorization = token}, &a);
    assert_int_equal(a.status, 200);
    assert_true(
        has("\"sha256\":\"44691d52cc716c914ad8191b71f5218946ec9f2c46f5146a5073f9be1a14297c\""));
    lab_close(&lab);
}

static void a_report_names_vendor_batch_and_numbers_of_each_file(void **state)
{
    (void)state;
    char target[96];
    open_prepared(true);
    import_sample("", "imp-0000717");
    run_import();
    ask("POST", BASE "/reports",
        "{\"type\":\"IMPORTS\",\"from\":\"2026-01-01T00:00:00Z\",\"to\":\"2027-01-01T00:00:00Z\"}");
    assert_int_equal(a.status, 202);
    (void)snprintf(target, sizeof(target), BASE "/reports/%.30s/content", strstr(a.body, "rpt_"));
    lab_run_jobs(&lab);
    ask("GET", target, NULL);
    assert_true(has("[\"import\",\"createdAt\",\"vendor\",\"batch\",\"outcome\","
                    "\"records\",\"loaded\",\"quarantined\"]"));
    assert_true(has(",\"alder\",\"0000717\",\"IMPORTED\",3,3,0]]"));
    lab_close(&lab);
}

// It says what to do with the file: another one is another request.
static void a_key_belongs_to_one_query(void **state)
{
    (void)state;
    open_prepared(true);
    import_sample("&partial=true", "imp-0000717");
    run_import();
    import_sample("&partial=true", "imp-0000717");
    assert_int_equal(a.status, 202);
    import_sample("", "imp-0000717");
    assert_int_equal(a.status, 400);
    assert_true(has("another body or query"));
    lab_close(&lab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_logged_in_sends_whole_files),
        cmocka_unit_test(a_vendor_file_is_tried_loaded_and_known_again),
        cmocka_unit_test(a_csv_without_a_header_loads_with_what_is_stated),
        cmocka_unit_test(what_was_held_back_comes_in_a_corrected_file),
        cmocka_unit_test(an_import_whose_cancelling_is_not_written_goes_on),
        cmocka_unit_test(an_import_is_cancelled_without_a_trace),
        cmocka_unit_test(the_trail_says_why_a_file_came),
        cmocka_unit_test(a_profile_is_replaced_whole_and_by_version),
        cmocka_unit_test(a_load_is_hidden_until_it_ends_and_gone_after_a_crash),
        cmocka_unit_test(a_file_that_is_being_imported_is_busy),
        cmocka_unit_test(a_file_whose_import_has_ended_is_not_busy),
        cmocka_unit_test(the_enabled_subscription_of_an_imported_card_is_its_preferred_one),
        cmocka_unit_test(nobody_learns_that_another_tenant_has_a_card),
        cmocka_unit_test(subscriptions_belong_to_who_has_the_pool),
        cmocka_unit_test(a_report_names_vendor_batch_and_numbers_of_each_file),
        cmocka_unit_test(a_key_belongs_to_one_query),
        cmocka_unit_test(a_file_is_kept_for_30_days_and_its_digest_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
