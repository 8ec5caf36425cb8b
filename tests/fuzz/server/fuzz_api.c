// F13: requests to the whole API, over a real store, signed in. Each is answered once; never with a
// failure of ours; in clean JSON; and nothing of another tenant's card or of any key is in it.
//
// The input is a list of requests, separated by octets 1E: "METHOD TARGET", lines "Name: value", an
// empty line, the body. Octets 01 to 04 stand for ids that nobody guesses: own card, another
// tenant's card, own free subscription, own enabled one.
#include "common/base/check.h"
#include "common/host/json.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_text.h"
#include "tests/unit/api/api_lab.h"

#include <stdio.h>
#include <stdlib.h>

#define REQUESTS_MAX 6
#define PART_MAX 4096
#define OWN_TENANT 7
#define OTHER_TENANT 8
#define OTHER_ICCID "8988211999999999994"

static struct lab lab;
static char ids[4][API_ID_SIZE];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void open_world(void)
{
    struct record r;
    lab_open(&lab, "all", true);
    lab.tenant = OWN_TENANT; // the operator's people would see everything
    lab_client(&lab, "all", OWN_TENANT, lab.token);
    const uint64_t own = lab_card(&lab, "8988211000000000019", &r);
    api_id_write(ids[0], "crd", own);
    api_id_write(ids[3], "sub", r.slots[0].subscription);
    api_id_write(ids[2], "sub", lab_subscription(&lab, 0, "001010000000101"));
    record_init(&r, turn_id(lab.turn, lab.now.utc));
    r.tenant = OTHER_TENANT;
    r.state = CARD_OPERATIONAL;
    r.level = 2;
    check(iccid_write(OTHER_ICCID, r.iccid));
    api_id_write(ids[1], "crd", r.card);
    const struct card_new other = {.record = &r, .at = lab.now.utc};
    check(store_begin(lab.store) == STORE_OK && store_card_add(lab.store, &other) == STORE_OK &&
          store_commit(lab.store) == STORE_OK);
}

// A C string with the ids in place; what does not fit is cut.
static const char *text_of(struct bytes part, char out[PART_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < part.len && part.at[i] != 0 && len + API_ID_SIZE < PART_MAX; i++) {
        if (part.at[i] > 4)
            out[len++] = (char)part.at[i];
        else
            len += (size_t)snprintf(out + len, API_ID_SIZE, "%s", ids[part.at[i] - 1]);
    }
    out[len] = '\0';
    return out;
}

static bool take_line(struct bytes *rest, struct bytes *line)
{
    *line = api_until(*rest, '\n');
    *rest = bytes_slice(*rest, line->len + 1, rest->len);
    return line->len > 0;
}

// What the request says itself may come back: the name of a parameter that nobody knows.
static void judge(const struct answer *a, const char *target)
{
    static const char *const secrets[] = {OTHER_ICCID, "0505050505050505", "0606060606060606",
                                          "0808080808080808", "0909090909090909"};
    check(a->count == 1);
    check((a->status >= 200 && a->status < 300) || (a->status >= 400 && a->status < 500) ||
          a->status == 503); // imports need a database in a file
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        check(strstr(target, secrets[i]) != NULL ||
              (strstr(a->body, secrets[i]) == NULL && strstr(a->headers, secrets[i]) == NULL));
    check(strstr(a->body, lab.credentials.app_secret) == NULL);
    if (a->body[0] != '{')
        return;
    json_t *root;
    check(json_read(bytes_of_text(a->body), &root) == JSON_READ_OK);
    const json_t *code = json_object_get(root, "code");
    check(a->status < 400 || json_is_string(code) || json_object_get(root, "error") != NULL ||
          json_object_get(root, "checks") != NULL);
    json_decref(root);
}

static void ask_one(struct bytes request)
{
    static char parts[10][PART_MAX];
    static struct answer answer;
    static const char *const names[] = {"Content-Type",  "Accept",          "x-correlator",
                                        "Authorization", "Idempotency-Key", "If-Match"};
    struct ask ask = {0};
    const char **const values[] = {&ask.type,          &ask.accept, &ask.correlator,
                                   &ask.authorization, &ask.key,    &ask.if_match};
    struct bytes line;
    if (!take_line(&request, &line))
        return;
    ask.method = text_of(api_until(line, ' '), parts[0]);
    ask.target = text_of(bytes_slice(line, strlen(ask.method) + 1, line.len), parts[1]);
    while (take_line(&request, &line)) {
        const struct bytes name = api_until(line, ':');
        for (size_t i = 0; i < 6; i++)
            if (bytes_equal(name, bytes_of_text(names[i])))
                *values[i] =
                    text_of(api_trimmed(bytes_slice(line, name.len + 1, line.len)), parts[2 + i]);
    }
    if (request.len > 0)
        ask.body = text_of(request, parts[8]);
    lab_ask(&lab, &ask, &answer);
    judge(&answer, ask.target);
    // The other tenant's card exists no more than one that never was.
    check(strstr(ask.target, ids[1]) == NULL || strstr(ask.target, "/cards/crd_") == NULL ||
          answer.status >= 400);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes rest = bytes_of(data, len);
    open_world();
    for (unsigned i = 0; i < REQUESTS_MAX && rest.len > 0; i++) {
        const struct bytes request = api_until(rest, 0x1E);
        rest = bytes_slice(rest, request.len + 1, rest.len);
        ask_one(request);
    }
    lab_close(&lab);
    return 0;
}
