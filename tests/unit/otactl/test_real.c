// otactl against the real interface: the API over a store in memory, carried by the real front.
#include "ota-server/service/api_text.h"
#include "ota-server/shell/front.h"
#include "ota-server/shell/server_crypto.h"
#include "tests/unit/api/api_lab.h"
#include "tests/unit/otactl/stage.h"

#include "common/base/text.h"
#include "common/host/clock.h"
#include "common/host/entropy.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct real {
    struct stage stage; // its own server is not asked
    struct lab lab;
    struct server_crypto crypto; // of imports
    struct api *api;
    struct front *front;
    struct loop_turn_end turn_end;
    char url[128];
};

static struct utc real_time(void *context)
{
    (void)context;
    return clock_utc();
}

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    entropy_fill(to, len);
    return true;
}

static void run_turn(void *context, struct instant now)
{
    struct real *r = context;
    (void)now;
    assert_int_equal(turn_run(r->lab.turn, clock_utc()), TURN_OK);
    while (import_jobs_wait(r->lab.imports)) {
        api_step(r->api);
        assert_int_equal(turn_run(r->lab.turn, clock_utc()), TURN_OK);
    }
}

// A port that the system chose and that is free again: the public address must be known before the
// front opens.
static void choose_address(struct real *r)
{
    struct net_address address;
    struct net_address chosen = {.len = sizeof(chosen.at)};
    char text[NET_ADDRESS_TEXT_SIZE];
    int fd = -1;
    assert_int_equal(net_resolve("127.0.0.1:0", &address), NET_OK);
    assert_int_equal(net_bind(&address, &fd), NET_OK);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&chosen.at, &chosen.len), 0);
    close(fd);
    net_address_format(&chosen, text);
    snprintf(r->url, sizeof(r->url), "http://%s", text);
}

static void write_credentials(struct real *r)
{
    FILE *file = fopen(r->stage.credentials, "we");
    assert_non_null(file);
    fprintf(file, "url=%s\nappkey=%s\nappsecret=%s\n", r->url, r->lab.credentials.app_key,
            r->lab.credentials.app_secret);
    assert_int_equal(fclose(file), 0);
}

static int open_real(void **state)
{
    static struct real r;
    memset(&r, 0, sizeof(r));
    stage_open(&r.stage);
    lab_open_imports(&r.lab, "all", true);
    choose_address(&r);
    assert_true(server_crypto_open(&r.crypto));
    uint8_t key[32];
    memset(key, 4, sizeof(key)); // that of the laboratory's client
    const struct api_options options = {.reader = r.lab.store,
                                        .turn = r.lab.turn,
                                        .public_url = r.url,
                                        .version = "test",
                                        .openapi = "openapi: 3.0.3\n",
                                        .client_key = secret_key_of(bytes_of(key, sizeof(key))),
                                        .single_person = true,
                                        .cipher = r.crypto.store.cipher,
                                        .campaigns = r.lab.campaigns,
                                        .imports = r.lab.imports,
                                        .fill = fill};
    r.api = api_open(&options);
    assert_non_null(r.api);
    r.turn_end = (struct loop_turn_end){.end = run_turn, .context = &r};
    loop_turn_end_add(r.stage.loop, &r.turn_end);
    const struct front_options front = {.loop = r.stage.loop,
                                        .listen = r.url + strlen("http://"),
                                        .api = r.api,
                                        .upload_dir = "/tmp",
                                        .utc = real_time};
    assert_int_equal(front_open(&front, &r.front), NET_OK);
    write_credentials(&r);
    *state = &r;
    return 0;
}

static int close_real(void **state)
{
    struct real *r = *state;
    front_close(r->front);
    loop_turn_end_remove(r->stage.loop, &r->turn_end);
    api_close(r->api);
    lab_close(&r->lab);
    server_crypto_close(&r->crypto);
    stage_close(&r->stage);
    return 0;
}

static void run(struct real *r, const char *command, int exit)
{
    stage_run(&r->stage, command, "");
    if (r->stage.exit != exit)
        fail_msg("%s: exit %d: %s%s", command, r->stage.exit, r->stage.out, r->stage.err);
}

// One story, so that each command finds what the ones before it did.
static void the_server_takes_what_otactl_sends(void **state)
{
    struct real *r = *state;
    struct record record;
    char command[512];
    char card[64];
    char operation[64];
    (void)lab_card(&r->lab, "8988211000000000019", &record);
    run(r, "doctor|--json", 0);
    run(r, "system|show", 0);
    run(r, "card|list", 0);
    run(r, "card|list|-q", 0);
    snprintf(card, sizeof(card), "%s", stage_result(&r->stage));
    run(r, "card|show|--iccid|8988211000000000019", 0);
    run(r, "card|search|0019|--match|suffix", 0);
    run(r, "card|show|--imsi|999700000000009", 3);
    snprintf(command, sizeof(command), "sub|list|%s", card);
    run(r, command, 0);
    assert_string_equal(stage_result(&r->stage), "never audited");
    snprintf(command, sizeof(command), "sub|enable|%s|--sub-imsi|999700000000001|--dry-run", card);
    run(r, command, 0);
    snprintf(command, sizeof(command), "sub|delete|%s|--sub-imsi|001010000000001|--reason|x", card);
    run(r, command, 4);
    snprintf(command, sizeof(command), "card|audit|%s|--wait=0", card);
    run(r, command, 5);
    snprintf(command, sizeof(command), "config|set|%s|T_NOSERVICE=120|NOTIFY_WAITS=60,120", card);
    run(r, command, 0);
    snprintf(command, sizeof(command), "config|set|%s|T_NOSERVICE=1", card);
    run(r, command, 2);
    run(r, "op|list", 0);
    run(r, "op|list|-q|--type|set-timers", 0);
    snprintf(operation, sizeof(operation), "%s", stage_result(&r->stage));
    snprintf(command, sizeof(command), "op|show|%s", operation);
    run(r, command, 0);
    assert_non_null(strstr(r->stage.out, "request.parameters.T_NOSERVICE"));
    snprintf(command, sizeof(command), "op|show|%s|--json", operation);
    run(r, command, 0);
    assert_non_null(strstr(r->stage.out, "\"parameters\":{\"T_NOSERVICE\":120,"));
    snprintf(command, sizeof(command), "op|cancel|%s", operation);
    run(r, command, 0);
    snprintf(command, sizeof(command), "op|wait|%s", operation);
    run(r, command, 4);
    snprintf(command, sizeof(command), "card|parameters|%s", card);
    run(r, command, 0);
    snprintf(command, sizeof(command), "card|messages|%s", card);
    run(r, command, 0);
    snprintf(command, sizeof(command), "card|trail|%s", card);
    run(r, command, 0);
    snprintf(command, sizeof(command), "dirty|mark|%s|--reason|test", card);
    run(r, command, 0);
    run(r, "dirty|list", 0);
    run(r, "dirty|summary", 0);
    run(r, "trail|list", 0);
    run(r, "trail|verify", 0);
    run(r, "pool|create|--name|north|--operator|TEST-001-01|--template|1", 0);
    snprintf(command, sizeof(command), "pool|show|%s", stage_result(&r->stage));
    run(r, command, 0);
    run(r, "pool|list", 0);
    assert_string_equal(stage_result(&r->stage), "1 pools");
    run(r, "subscription|list", 0);
    run(r, "profile|list", 0);
    run(r, "import|list", 0);
    run(r, "group|create|--name|meters", 0);
    snprintf(operation, sizeof(operation), "%s", stage_result(&r->stage));
    snprintf(command, sizeof(command), "group|timers|%s", operation);
    run(r, command, 0);
    snprintf(command, sizeof(command), "group|apply|%s|--reason|nothing to apply", operation);
    run(r, command, 2);
    run(r, "transport-key|list", 0);
}

static void write_file(char path[64], const char *text)
{
    snprintf(path, 64, "/tmp/otactl-campaign-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void it_enters_enterprises_people_and_programs(void **state)
{
    struct real *r = *state;
    char enterprise[64], user[64], client[64], password[64], command[512];
    run(r, "enterprise|create|name=Meters|kind=ENTERPRISE|region=CN|timeZone=Asia/Shanghai", 0);
    snprintf(enterprise, sizeof(enterprise), "%s", stage_result(&r->stage));
    snprintf(command, sizeof(command), "enterprise|set|%s|authorityMode=REQUEST_APPROVE",
             enterprise);
    run(r, command, 0);
    snprintf(command, sizeof(command), "enterprise|show|%s", enterprise);
    run(r, command, 0);
    assert_non_null(strstr(r->stage.out, "REQUEST_APPROVE"));
    snprintf(command, sizeof(command),
             "user|create|username=anna|role=ENTERPRISE_USER|enterpriseId=%s", enterprise);
    run(r, command, 0);
    snprintf(user, sizeof(user), "%s", stage_result(&r->stage));
    write_file(password, "a long secret of anna\n");
    snprintf(command, sizeof(command), "user|password|%s|%s", user, password);
    run(r, command, 0);
    unlink(password);
    snprintf(command, sizeof(command), "user|set|%s|locked=true|displayName=Anna B.", user);
    run(r, command, 0);
    snprintf(command, sizeof(command), "user|set|%s|locked=perhaps", user);
    run(r, command, 2);
    snprintf(command, sizeof(command),
             "client|create|name=ci|mechanisms=hmac,client_secret|ratePerSecond=5|enterpriseId=%s|"
             "scopes=cards:read",
             enterprise);
    run(r, command, 0);
    snprintf(client, sizeof(client), "%s", stage_result(&r->stage));
    run(r, "client|list", 0);
    assert_non_null(strstr(r->stage.out, "REQUESTED"));
    run(r, "group|create|--name|meters", 0);
    snprintf(command, sizeof(command), "permission|set|%s|%s|card.read,card.audit", enterprise,
             stage_result(&r->stage));
    run(r, command, 2); // without a reason
    snprintf(command + strlen(command), 64, "|--reason|contract 88");
    run(r, command, 0);
    run(r, "permission|list", 0);
    assert_non_null(strstr(r->stage.out, "card.audit"));
    snprintf(command, sizeof(command), "user|factor|%s", user);
    run(r, command, 0);
    assert_non_null(strstr(r->stage.out, "NONE"));
    snprintf(command, sizeof(command), "user|reset-factor|%s|--reason|lost", user);
    run(r, command, 3); // there is none
    snprintf(command, sizeof(command), "user|delete|%s", user);
    run(r, command, 0);
    snprintf(command, sizeof(command), "user|show|%s", user);
    run(r, command, 3);
    snprintf(command, sizeof(command), "client|revoke|%s|--reason|end of test", client);
    run(r, command, 0);
    run(r, "user|create|anna", 2);
    run(r, "user|create|name=anna", 2); // the server misses its username
}

static void act(struct real *r, const char *verb, const char *campaign, int exit)
{
    char command[512];
    snprintf(command, sizeof(command), "campaign|%s|%s", verb, campaign);
    run(r, command, exit);
}

static void a_campaign_goes_from_a_file_to_its_cards(void **state)
{
    struct real *r = *state;
    struct record record;
    char path[64];
    char campaign[64];
    char command[512];
    (void)lab_card(&r->lab, "8988211000000000019", &record);
    write_file(path, "{\"name\":\"meters\",\"operation\":{\"type\":\"read-timers\"},"
                     "\"target\":{\"filter\":{}},\"rate\":{\"perSecond\":10}}");
    snprintf(command, sizeof(command), "campaign|create|%s|--reason|test", path);
    run(r, command, 0);
    snprintf(campaign, sizeof(campaign), "%.30s", stage_result(&r->stage));
    act(r, "start", campaign, 4); // not checked
    act(r, "check", campaign, 0);
    assert_non_null(
        strstr(stage_result(&r->stage), " CHECKED, 0 of 1 confirmed, 0 failed, 1 to go"));
    assert_non_null(strstr(r->stage.out, "WAITING"));
    snprintf(command, sizeof(command), "campaign|rate|%s|50", campaign);
    run(r, command, 0); // takes the check back
    assert_non_null(strstr(stage_result(&r->stage), " DRAFT, "));
    snprintf(command, sizeof(command), "campaign|rate|%s|fast", campaign);
    run(r, command, 2);
    snprintf(command, sizeof(command), "campaign|change|%s|%s", campaign, path);
    run(r, command, 0);
    act(r, "check", campaign, 0);
    act(r, "start|--dry-run", campaign, 0);
    act(r, "start", campaign, 0);
    act(r, "pause", campaign, 0);
    act(r, "wait", campaign, 8); // it rests, and is not complete
    act(r, "resume", campaign, 0);
    act(r, "wait|--wait=0", campaign, 5);
    act(r, "retry-failed", campaign, 4); // it has not ended
    act(r, "stop", campaign, 0);
    act(r, "show", campaign, 0);
    act(r, "show|--json", campaign, 0);
    act(r, "cards", campaign, 0);
    assert_string_equal(stage_result(&r->stage), "1 cards");
    act(r, "cards|--csv", campaign, 0);
    if (strstr(r->stage.out, "cardId,result,step,reason,operationId,endedAt") == NULL)
        fail_msg("no header: %s%s", r->stage.out, r->stage.err);
    act(r, "exclusions", campaign, 0);
    assert_string_equal(stage_result(&r->stage), "0 excluded cards");
    run(r, "campaign|list|--state|STOPPED", 0);
    assert_string_equal(stage_result(&r->stage), "1 campaigns");
    act(r, "show", "cmp_01JG8Q4M7Y2K9T3W5X6A7B8C9D", 3);
    (void)unlink(path);
}

static void write_component(char path[64], const char *digits)
{
    snprintf(path, 64, "/tmp/otactl-component-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, digits, strlen(digits)), (ssize_t)strlen(digits));
    close(fd);
}

// The keys are the published ones of the sample file.
static void a_vendors_file_is_imported_once(void **state)
{
    struct real *r = *state;
    char auc[64];
    char ota[64];
    char zero[64];
    char command[512];
    static const char run_it[] =
        "import|run|tests/samples/alder-0000717.out|--vendor-profile|alder";
    write_component(auc, "00112233445566778899AABBCCDDEEFF");
    write_component(ota, "0F1E2D3C4B5A69788796A5B4C3D2E1F0");
    write_component(zero, "00000000000000000000000000000000");
    run(r, "profile|put|profiles/vendor/samples/alder.json", 0);
    run(r, run_it, 4); // the transport keys are missing
    snprintf(command, sizeof(command), "transport-key|add|--index|7|%s|%s", auc, zero);
    run(r, command, 0);
    snprintf(command, sizeof(command), "transport-key|add|--index|12|%s|%s", ota, zero);
    run(r, command, 0);
    snprintf(command, sizeof(command), "%s|--dry-run", run_it);
    run(r, command, 0);
    assert_non_null(strstr(stage_result(&r->stage), " DRY_RUN_OK "));
    run(r, run_it, 0);
    assert_non_null(strstr(r->stage.out, "W-022"));
    assert_non_null(strstr(stage_result(&r->stage), " IMPORTED loaded=3 "));
    run(r, run_it, 0);
    assert_non_null(strstr(stage_result(&r->stage), " ALREADY_IMPORTED "));
    run(r, "import|run|/dev/null|--vendor-profile|alder", 4);
    assert_non_null(strstr(r->stage.out, "IMP-1"));
    run(r, "import|run|tests/samples|--vendor-profile|alder", 2);
    assert_non_null(strstr(r->stage.err, "Is a directory"));
    run(r, "card|list|-q", 0);
    unlink(auc);
    unlink(ota);
    unlink(zero);
}

static void a_file_of_cards_is_a_target(void **state)
{
    struct real *r = *state;
    struct record record;
    char path[64];
    char upload[64];
    char group[64];
    char command[512];
    (void)lab_card(&r->lab, "8988211000000000019", &record);
    write_file(path, "site,iccid\nnorth,8988211000000000019\n");
    snprintf(command, sizeof(command), "upload|add|%s", path);
    run(r, command, 0);
    snprintf(upload, sizeof(upload), "%s", stage_result(&r->stage));
    assert_int_equal(strncmp(upload, "upl_", 4), 0);
    run(r, "upload|list", 0);
    assert_string_equal(stage_result(&r->stage), "1 uploads");
    run(r, "group|create|--name|meters", 0);
    snprintf(group, sizeof(group), "%s", stage_result(&r->stage));
    snprintf(command, sizeof(command), "card|move-all|uploadId=%s|--group|%s|--dry-run", upload,
             group);
    run(r, command, 0);
    snprintf(command, sizeof(command), "upload|delete|%s", upload);
    run(r, command, 0);
    snprintf(command, sizeof(command), "card|move-all|uploadId=%s|--group|%s|--dry-run", upload,
             group);
    run(r, command, 3);
    snprintf(command, sizeof(command), "import|correct|imp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D|%s", path);
    run(r, command, 3);
    snprintf(command + strlen(command), 64, "|--kind|cards");
    run(r, command, 2);
    run(r, "upload|add|/tmp/nothing-is-there", 2);
    unlink(path);
}

// What verbs that list need beside --sort, one for each noun that needs any.
static const struct {
    const char *verb, *arguments;
} needed[] = {
    {"bootstrap list", "|grp_01JG8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"campaign cards", "|cmp_01JG8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"campaign exclusions", "|cmp_01JG8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"card messages", "|crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"card search", "|0019|--match|suffix"},
    {"card timeline", "|crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"card trail", "|crd_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"group versions", "|grp_01JG8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"import quarantine", "|imp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"import report", "|imp_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"metering calls", "|month=2026-07"},
    {"metering cards", "|month=2026-07"},
    {"metering records", "|month=2026-07"},
    {"subscription search", "|--imsi|001010000000001"},
    {"template versions", "|tpl_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"},
    {"transport-key components", "|rec_01JZ8Q4M7Y2K9T3W5X6A7B8C9D"},
};

static void sort_by_each(struct real *r, const char *noun, const char *verb, char *fields)
{
    const char *arguments = "";
    char name[64];
    char *rest = NULL;
    snprintf(name, sizeof(name), "%s %s", noun, verb);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (strcmp(needed[i].verb, name) == 0)
            arguments = needed[i].arguments;
    }
    for (char *field = strtok_r(fields, "|", &rest); field != NULL;
         field = strtok_r(NULL, "|", &rest)) {
        char command[256];
        snprintf(command, sizeof(command), "%s|%s%s|--sort=%s", noun, verb, arguments, field);
        stage_run(&r->stage, command, "");
        // What is not there was asked for rightly.
        if (r->stage.exit != 0 && r->stage.exit != 3)
            fail_msg("%s: exit %d: %s", command, r->stage.exit, r->stage.err);
    }
}

static void the_server_sorts_by_each_field_that_is_completed(void **state)
{
    struct real *r = *state;
    static char words[STAGE_TEXT_MAX];
    char *rest = NULL;
    unsigned lists = 0;
    run(r, "--words", 0);
    memcpy(words, r->stage.out, sizeof(words));
    for (char *line = strtok_r(words, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char noun[32], verb[32], fields[256];
        const char *sort = strstr(line, " --sort=");
        if (sort == NULL)
            continue;
        assert_int_equal(sscanf(line, "%31s %31s", noun, verb), 2);
        assert_int_equal(sscanf(sort, " --sort=%255s", fields), 1);
        sort_by_each(r, noun, verb, fields);
        lists++;
    }
    assert_true(lists > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_server_takes_what_otactl_sends, open_real, close_real),
        cmocka_unit_test_setup_teardown(it_enters_enterprises_people_and_programs, open_real,
                                        close_real),
        cmocka_unit_test_setup_teardown(a_campaign_goes_from_a_file_to_its_cards, open_real,
                                        close_real),
        cmocka_unit_test_setup_teardown(a_vendors_file_is_imported_once, open_real, close_real),
        cmocka_unit_test_setup_teardown(a_file_of_cards_is_a_target, open_real, close_real),
        cmocka_unit_test_setup_teardown(the_server_sorts_by_each_field_that_is_completed, open_real,
                                        close_real),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
