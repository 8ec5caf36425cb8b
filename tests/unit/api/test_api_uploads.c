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
        "\xEF\xBB\xBF\"site\";\"iccid\"\n\"a\"; \"89999000000000000015\" "
        "\nb;89999000000000000023\n",
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
    expect(400, "Too long: line 1");
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

// More than one part, and more than one step of a part.
static void a_move_takes_the_cards_of_an_upload(void **state)
{
    enum { LINES = UPLOAD_PART_CARDS + 70 };
    char *text = malloc(LINES * 21 + 1);
    char body[256];
    char group[API_ID_SIZE];
    uint64_t found = 0;
    (void)state;
    assert_non_null(text);
    struct writer w = writer_of(text, LINES * 21 + 1);
    for (unsigned i = 0; i < LINES; i++) {
        text_put(&w, iccids[i + 1 == LINES ? 2 : i % 2]);
        text_put(&w, "\n");
    }
    send(text_end(&w));
    expect(201, "\"lines\":2118,");
    free(text);
    ask_as(NULL, "POST", API_BASE "/card-groups", "{\"name\":\"to\"}");
    api_id_write(group, "grp", lab_id(&a, "grp"));
    (void)snprintf(body, sizeof(body), "{\"target\":{\"uploadId\":\"%s\"},\"groupId\":\"%s\"}",
                   upload, group);
    ask_as(NULL, "POST", API_BASE "/cards/moves?dryRun=true", body);
    expect(200, "\"targeted\":2118,");
    ask_as(NULL, "POST", API_BASE "/cards/moves", body);
    expect(202, "RUNNING");
    char moved[128];
    char id[API_ID_SIZE];
    api_id_write(id, "mov", lab_id(&a, "mov"));
    (void)snprintf(moved, sizeof(moved), API_BASE "/cards/moves/%s", id);
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

static void uploads_are_few_and_end_by_themselves(void **state)
{
    uint64_t left = 0;
    const struct store_page page = {.limit = 0};
    const struct document_filter filter = {.kind = UPLOAD_PART_KIND, .state = -1};
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        send("89999000000000000015\n");
        expect(201, "\"lines\":1,");
    }
    send("89999000000000000015\n");
    expect(409, "50 uploads are kept");
    lab.now.utc.ms += 7ll * 24 * 60 * 60 * 1000;
    lab.now.instant.ms += 7ull * 24 * 60 * 60 * 1000;
    api_tick(lab.api, lab.now);
    lab_turn(&lab);
    assert_int_equal(store_documents(lab.store, &filter, &page, NULL, NULL, &left), STORE_OK);
    assert_int_equal(left, 0);
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
        TEST(uploads_are_few_and_end_by_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
