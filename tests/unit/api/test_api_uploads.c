// Files of cards as targets: what they may look like, whose they are, and what campaigns and moves
// make of them.
#include "common/base/text.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/api_upload.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

#define UPLOADS API_BASE "/uploads"
#define OTHER 77
#define CARDS 3

static struct lab lab;
static struct answer a;
static struct record record;
static uint64_t cards[CARDS];
static char upload[API_ID_SIZE], path[256];
static const char *const iccids[CARDS] = {"89999000000000000015", "89999000000000000023",
                                          "89999000000000000031"};

static int open_all(void **state)
{
    static const char *const imsis[][2] = {{"999700000000011", "999700000000012"},
                                           {"999700000000021", "999700000000022"},
                                           {"999700000000031", "999700000000032"}};
    (void)state;
    lab_open(&lab, "all", true);
    for (size_t i = 0; i < CARDS; i++)
        cards[i] = lab_card_of(&lab, iccids[i], imsis[i][0], imsis[i][1], &record);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    lab_close(&lab);
    return 0;
}

static void ask_as(const char *token, const char *method, const char *target, const char *body)
{
    static unsigned number;
    char key[32];
    (void)snprintf(key, sizeof(key), "key-%05u", ++number);
    lab.now.utc.ms += 1000;
    lab.now.instant.ms += 1000;
    lab_ask(&lab,
            &(struct ask){.method = method,
                          .target = target,
                          .body = body,
                          .type = strncmp(target, UPLOADS, strlen(UPLOADS)) == 0 && body != NULL
                                      ? "text/csv"
                                      : NULL,
                          .authorization = token,
                          .key = strcmp(method, "POST") == 0 ? key : NULL},
            &a);
}

static void expect(unsigned status, const char *text)
{
    if (a.status != status || strstr(a.body, text) == NULL)
        fail_msg("%s %s: %u instead of %u with %s: %s", a.asked.method, a.asked.target, a.status,
                 status, text, a.body);
}

static void send(const char *text)
{
    ask_as(NULL, "POST", UPLOADS, text);
    if (a.status == 201)
        api_id_write(upload, "upl", lab_id(&a, "upl"));
}

static const char *at(const char *id)
{
    (void)snprintf(path, sizeof(path), UPLOADS "/%s", id);
    return path;
}

static void cards_stand_in_the_column_that_the_first_line_names(void **state)
{
    static const char *const good[] = {
        "89999000000000000015\n89999000000000000023\n",
        "8999900000000000001\r\n\r\n8999900000000000002", // without their check digits
        "iccid\n89999000000000000015\n89999000000000000023\n",
        ("\xEF\xBB\xBF\"site\";\"iccid\"\n\"a\"; \"89999000000000000015\" "
         "\nb;89999000000000000023\n"),
        "89999000000000000015,first\n89999000000000000015,again\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        send(good[i]);
        expect(201, "\"lines\":2,\"expiresAt\":\"");
        assert_non_null(strstr(a.headers, "Location: https://api.example.com"));
    }
    char text[128];
    char id[API_ID_SIZE];
    api_id_write(id, "crd", cards[2]);
    (void)snprintf(text, sizeof(text), "cardId\n%s\n", id);
    send(text);
    expect(201, "\"lines\":1,");
    ask_as(NULL, "GET", at(upload), NULL);
    expect(200, "\"lines\":1,");
    ask_as(NULL, "GET", UPLOADS "?perPage=2", NULL);
    expect(200, "\"totalCount\":6");
}

static void a_line_whose_card_is_not_there_is_told_by_its_number(void **state)
{
    (void)state;
    send("iccid\n89999000000000000015\n8999900000000099999\n");
    expect(404, "No such card: line 3");
    assert_null(strstr(a.body, "89999"));
    send("site,iccid\nonly\n");
    expect(404, "line 2");
    send("\n\n");
    expect(400, "There is no card in the file");
    send("iccid\n");
    expect(400, "There is no card in the file");
    char text[1100];
    memset(text, '8', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    send(text);
    expect(400, "It may have 1020 octets: line 1");
    ask_as(NULL, "POST", UPLOADS "?dryRun=true", "89999000000000000015\n");
    expect(200, "\"dryRun\":true");
    ask_as(NULL, "GET", UPLOADS, NULL);
    expect(200, "\"items\":[]");
}

static void an_upload_is_its_owners(void **state)
{
    char token[LAB_TOKEN_SIZE];
    (void)state;
    send("89999000000000000015\n");
    expect(201, "\"lines\":1,");
    lab_client(&lab, "campaigns:read,campaigns:write,operations:audit", OTHER, token);
    ask_as(token, "GET", at(upload), NULL);
    expect(404, "NOT_FOUND");
    ask_as(token, "DELETE", at(upload), NULL);
    expect(404, "NOT_FOUND");
    ask_as(token, "POST", UPLOADS, "89999000000000000015\n"); // a card of somebody else
    expect(404, "line 1");
    char body[256];
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"target\":"
                   "{\"uploadId\":\"%s\"},\"rate\":{\"perSecond\":1}}",
                   upload);
    ask_as(token, "POST", API_BASE "/campaigns", body);
    expect(404, "\"field\":\"target.uploadId\"");
    const uint64_t group = lab_grant(&lab, OTHER, GRANT_BIT(GRANT_CARD_READ));
    lab_place(&lab, cards[0], OTHER, group);
    ask_as(token, "POST", UPLOADS, "89999000000000000015\n");
    expect(201, "\"lines\":1,");
    api_id_write(upload, "upl", lab_id(&a, "upl"));
    ask_as(NULL, "GET", at(upload), NULL); // the operator's people see everybody's
    expect(200, "\"lines\":1,");
}

static void a_campaign_takes_the_cards_of_an_upload(void **state)
{
    char body[256];
    char campaign[API_ID_SIZE];
    char where[128];
    (void)state;
    send("89999000000000000015\n89999000000000000031\n89999000000000000015\n");
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"target\":"
                   "{\"uploadId\":\"%s\"},\"rate\":{\"perSecond\":1}}",
                   upload);
    ask_as(NULL, "POST", API_BASE "/campaigns", body);
    expect(201, upload);
    api_id_write(campaign, "cmp", lab_id(&a, "cmp"));
    (void)snprintf(where, sizeof(where), API_BASE "/campaigns/%s/check", campaign);
    for (unsigned i = 0; i < 2; i++) { // checked anew, the same
        ask_as(NULL, "POST", where, "{}");
        expect(200, "\"targeted\":2,\"eligible\":2");
    }
    lab_ask(&lab, &(struct ask){.method = "DELETE", .target = at(upload), .if_match = "\"9\""}, &a);
    expect(412, "FAILED_PRECONDITION");
    ask_as(NULL, "DELETE", path, NULL);
    expect(204, "");
    ask_as(NULL, "POST", where, "{}");
    expect(409, "upload");
    ask_as(NULL, "GET", at(upload), NULL);
    expect(404, "NOT_FOUND");
}

// So many of the cards; the third comes last.
static const char *lines(unsigned count)
{
    static char text[6 * UPLOAD_PART_CARDS * 21];
    struct writer w = writer_of(text, sizeof(text));
    for (unsigned i = 0; i < count; i++) {
        text_put(&w, iccids[i + 1 == count ? 2 : i % 2]);
        text_put(&w, "\n");
    }
    return text_end(&w);
}

#define LINES (UPLOAD_PART_CARDS + 70) // more than one part, and more than one step of a part

static char moved[128];

static void move_all(void)
{
    char body[256];
    char group[API_ID_SIZE];
    char id[API_ID_SIZE];
    send(lines(LINES));
    expect(201, "\"lines\":2118,");
    ask_as(NULL, "POST", API_BASE "/card-groups", "{\"name\":\"to\"}");
    api_id_write(group, "grp", lab_id(&a, "grp"));
    (void)snprintf(body, sizeof(body), "{\"target\":{\"uploadId\":\"%s\"},\"groupId\":\"%s\"}",
                   upload, group);
    ask_as(NULL, "POST", API_BASE "/cards/moves?dryRun=true", body);
    expect(200, "\"targeted\":2118,");
    ask_as(NULL, "POST", API_BASE "/cards/moves", body);
    expect(202, "RUNNING");
    api_id_write(id, "mov", lab_id(&a, "mov"));
    (void)snprintf(moved, sizeof(moved), API_BASE "/cards/moves/%s", id);
}

static void a_move_takes_the_cards_of_an_upload(void **state)
{
    uint64_t found = 0;
    (void)state;
    move_all();
    lab_run_jobs(&lab);
    ask_as(NULL, "GET", moved, NULL);
    expect(200, "\"status\":\"ENDED\"");
    expect(200,
           "\"visited\":2118,\"moved\":3,\"skipped\":[{\"reason\":\"UNCHANGED\",\"count\":2115}]");
    for (size_t i = 0; i < CARDS; i++) {
        assert_int_equal(store_card_group(lab.store, cards[i], &found), STORE_OK);
        assert_true(found != 0);
    }
}

static void a_move_whose_upload_goes_away_fails(void **state)
{
    (void)state;
    move_all();
    ask_as(NULL, "DELETE", at(upload), NULL);
    expect(204, "");
    for (unsigned i = 0; i < 6; i++) {
        lab.now.utc.ms += 1000;
        api_tick(lab.api, lab.now);
        lab_run_jobs(&lab);
    }
    ask_as(NULL, "GET", moved, NULL);
    expect(200, "\"status\":\"FAILED\"");
}

static void a_check_whose_upload_goes_away_is_refused(void **state)
{
    static struct answer check;
    char body[256];
    char campaign[API_ID_SIZE];
    char where[128];
    (void)state;
    lab.has_refusals_only = true;
    send(lines(LINES));
    (void)snprintf(body, sizeof(body),
                   "{\"name\":\"x\",\"operation\":{\"type\":\"audit\"},\"target\":"
                   "{\"uploadId\":\"%s\"},\"rate\":{\"perSecond\":1}}",
                   upload);
    ask_as(NULL, "POST", API_BASE "/campaigns", body);
    api_id_write(campaign, "cmp", lab_id(&a, "cmp"));
    (void)snprintf(where, sizeof(where), API_BASE "/campaigns/%s/check", campaign);
    struct api_exchange *x = lab_start(
        &lab, &(struct ask){.method = "POST", .target = where, .body = "{}", .key = "check-001"},
        &check);
    lab_turn(&lab);
    assert_int_equal(check.count, 0);
    ask_as(NULL, "DELETE", at(upload), NULL);
    expect(204, "");
    for (unsigned i = 0; i < 20 && check.count == 0; i++)
        lab_turn(&lab);
    assert_int_equal(check.status, 409);
    assert_non_null(strstr(check.body, "upload"));
    lab_forget(x);
}

static uint64_t count_of(const char *kind)
{
    uint64_t count = 0;
    const struct store_page page = {.limit = 0};
    const struct document_filter filter = {.kind = kind, .state = -1};
    assert_int_equal(store_documents(lab.store, &filter, &page, NULL, NULL, &count), STORE_OK);
    return count;
}

static struct api_exchange *begin_sending(const char *text, struct answer *answer)
{
    lab.has_refusals_only = true;
    return lab_start(&lab,
                     &(struct ask){.method = "POST",
                                   .target = UPLOADS,
                                   .body = text,
                                   .type = "text/csv",
                                   .key = "first-001"},
                     answer);
}

static void an_enterprise_sends_one_file_at_a_time(void **state)
{
    static struct answer first;
    char token[LAB_TOKEN_SIZE];
    (void)state;
    lab_place(&lab, cards[0], OTHER, lab_grant(&lab, OTHER, GRANT_BIT(GRANT_CARD_READ)));
    lab_client(&lab, "campaigns:write", OTHER, token);
    struct api_exchange *x = begin_sending(lines(LINES), &first);
    ask_as(NULL, "POST", UPLOADS, "89999000000000000015\n");
    expect(503, "UNAVAILABLE");
    ask_as(token, "POST", UPLOADS, "89999000000000000015\n");
    expect(201, "\"lines\":1,");
    for (unsigned i = 0; i < 40 && first.count == 0; i++)
        lab_turn(&lab);
    assert_int_equal(first.status, 201);
    lab_forget(x);
    ask_as(NULL, "POST", UPLOADS, "89999000000000000015\n");
    expect(201, "\"lines\":1,");
}

static void parts_come_before_their_upload_and_go_after_it(void **state)
{
    enum { PARTS = 6, A_TURN = 4 };
    static struct answer first;
    (void)state;
    struct api_exchange *x = begin_sending(lines((PARTS - 1) * UPLOAD_PART_CARDS + 1), &first);
    for (uint64_t before = 0; first.count == 0;) {
        lab_turn(&lab);
        const uint64_t parts = count_of(UPLOAD_PART_KIND);
        assert_in_range(parts - before, 0, A_TURN);
        if (before < PARTS)
            assert_int_equal(count_of(UPLOAD_KIND), 0);
        before = parts;
    }
    assert_int_equal(first.status, 201);
    assert_int_equal(count_of(UPLOAD_PART_KIND), PARTS);
    api_id_write(upload, "upl", lab_id(&first, "upl"));
    lab_forget(x);
    ask_as(NULL, "DELETE", at(upload), NULL);
    expect(204, "");
    assert_int_equal(count_of(UPLOAD_KIND), 0);
    assert_int_equal(count_of(UPLOAD_PART_KIND), PARTS);
    lab.now.utc.ms += 1000;
    api_tick(lab.api, lab.now);
    lab_turn(&lab);
    assert_int_equal(count_of(UPLOAD_PART_KIND) + count_of(UPLOAD_GONE_KIND), 0);
}

static void pass_days(int64_t days)
{
    lab.now.utc.ms += days * 24 * 60 * 60 * 1000;
    lab.now.instant.ms += (uint64_t)days * 24 * 60 * 60 * 1000;
    api_tick(lab.api, lab.now);
    lab_turn(&lab);
}

static void uploads_are_few_and_end_by_themselves(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        send("89999000000000000015\n");
        expect(201, "\"lines\":1,");
    }
    send("89999000000000000015\n");
    expect(409, "50 uploads are kept");
    pass_days(7);
    assert_int_equal(count_of(UPLOAD_KIND), 0);
    assert_int_equal(count_of(UPLOAD_PART_KIND), 50);
    pass_days(1);
    assert_int_equal(count_of(UPLOAD_PART_KIND), 0);
    send("89999000000000000015\n");
    expect(401, ""); // the token ended too
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cards_stand_in_the_column_that_the_first_line_names),
        TEST(a_line_whose_card_is_not_there_is_told_by_its_number),
        TEST(an_upload_is_its_owners),
        TEST(a_campaign_takes_the_cards_of_an_upload),
        TEST(a_move_takes_the_cards_of_an_upload),
        TEST(a_move_whose_upload_goes_away_fails),
        TEST(a_check_whose_upload_goes_away_is_refused),
        TEST(an_enterprise_sends_one_file_at_a_time),
        TEST(parts_come_before_their_upload_and_go_after_it),
        TEST(uploads_are_few_and_end_by_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
