#include "tests/unit/api/api_lab.h"

#include "common/base/text.h"
#include "common/wire/ident.h"
#include "ota-server/service/api_exchange.h"
#include "ota-server/service/api_json.h"
#include "ota-server/service/api_text.h"
#include "ota-server/service/bootstrap_job.h"
#include "ota-server/service/campaign_run.h"
#include "ota-server/service/job.h"
#include "ota-server/service/meter.h"
#include "ota-server/service/trail_name.h"
#include "profiles/vendor/shell/digest_host.h"
#include "tests/unit/server/faulty_disk.h"
#include "tests/unit/server/faulty_statement.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct server_crypto crypto;
static struct secret_key client_key;
static struct prng chance;
static struct policy policy;

static bool fill(void *context, uint8_t *to, size_t len)
{
    (void)context;
    for (size_t i = 0; i < len; i++)
        to[i] = (uint8_t)prng_next(&chance);
    return true;
}

static void fill_octets(void *to, size_t len)
{
    assert_true(fill(NULL, to, len));
}

static void no_send(void *context, const struct message *message)
{
    (void)context;
    (void)message;
}

static struct secret_key key_of(uint8_t value)
{
    uint8_t octets[32];
    memset(octets, value, sizeof(octets));
    return secret_key_of(bytes_of(octets, sizeof(octets)));
}

static struct secret_key short_key_of(uint8_t value)
{
    struct secret_key key = key_of(value);
    key.len = 16;
    return key;
}

void lab_keep_exchange(const struct ask *ask, const struct answer *a)
{
    static char line[sizeof(a->body) * 2 + (1 << 20)];
    const char *path = getenv("OTARIA_EXCHANGES");
    if (path == NULL)
        return;
    const char *type = strstr(a->headers, "Content-Type: ");
    struct writer w = writer_of(line, sizeof(line));
    struct json_writer j = json_writer_of(&w);
    json_begin_object(&j);
    api_put_text(&j, "method", ask->method);
    api_put_text(&j, "target", ask->target);
    api_put_number(&j, "status", a->status);
    json_put_key(&j, "type");
    json_put_text(&j, type != NULL ? api_until(bytes_of_text(type + 14), '\n') : bytes_of("", 0));
    api_put_text(&j, "answer", a->body);
    api_put_text(&j, "requestType", ask->type != NULL ? ask->type : "application/json");
    api_put_text(&j, "request", ask->body != NULL ? ask->body : "");
    if (a->faults > 0)
        api_put_number(&j, "faults", a->faults);
    json_end_object(&j);
    text_put(&w, "\n");
    assert_true(json_done(&j));
    static bool is_begun;
    FILE *file = fopen(path, is_begun ? "a" : "w");
    is_begun = true;
    assert_non_null(file);
    assert_int_equal(fwrite(line, 1, w.len, file), w.len);
    assert_int_equal(fclose(file), 0);
}

static void take_answer(void *context, const struct api_answer *given)
{
    struct answer *a = context;
    a->status = given->status;
    a->count++;
    assert_true(given->headers.len < sizeof(a->headers) && given->body.len < sizeof(a->body));
    struct writer w = writer_of(a->headers, sizeof(a->headers));
    writer_copy(&w, given->headers);
    text_put(&w, "Content-Type: ");
    text_put(&w, given->type != NULL ? given->type : "");
    text_put(&w, "\n");
    text_end(&w);
    size_t len = given->body.len;
    bytes_copy(a->body, given->body);
    if (given->rest != NULL) {
        long more = 1;
        while (more > 0) { // in pieces of an odd size
            if (given->rest->stream != NULL && len + 1009 >= sizeof(a->body))
                break; // the test reads on
            assert_true(len + 1009 < sizeof(a->body));
            more = api_more(given->rest, (uint8_t *)a->body + len, 1009);
            len += more > 0 ? (size_t)more : 0;
        }
        a->is_cut = more < 0;
        assert_true(more == 0 || given->rest->stream != NULL || a->asked.is_trial);
    }
    a->body[len] = '\0';
    if (!a->asked.is_trial)
        lab_keep_exchange(&a->asked, a);
}

static struct bytes text_or_empty(const char *text)
{
    return text != NULL ? bytes_of_text(text) : bytes_of(NULL, 0);
}

struct api_exchange *lab_start(struct lab *lab, const struct ask *ask, struct answer *answer)
{
    const struct bytes target = bytes_of_text(ask->target);
    const struct bytes path = api_until(target, '?');
    const char *type = ask->type != NULL ? ask->type : "application/json";
    const bool is_anonymous = ask->authorization != NULL && ask->authorization[0] == '\0';
    struct api_request request = {
        .method = bytes_of_text(ask->method),
        .path = path,
        .query = bytes_slice(target, path.len + 1, target.len),
        .authorization =
            bytes_of_text(ask->authorization != NULL ? ask->authorization : lab->token),
        .content_type = ask->body != NULL ? bytes_of_text(type) : bytes_of(NULL, 0),
        .accept = text_or_empty(ask->accept),
        .correlator = text_or_empty(ask->correlator),
        .idempotency_key = text_or_empty(ask->key),
        .if_match = text_or_empty(ask->if_match),
        .authorization_count = ask->is_twice  ? 2
                               : is_anonymous ? 0
                                              : 1,
        .correlator_count = ask->correlator != NULL ? 1 : 0,
        .body = text_or_empty(ask->body),
        .is_too_large = ask->is_too_large,
        .cookie = text_or_empty(ask->cookie),
        .origin = text_or_empty(ask->origin),
        .referer = text_or_empty(ask->referer),
        .csrf_token = text_or_empty(ask->csrf_token),
        .last_event_id = text_or_empty(ask->last_event_id),
        .peer = ask->peer != NULL ? ask->peer : "192.0.2.1",
        .is_in_clear = ask->is_in_clear,
        .has_certificate = ask->certificate_sha256 != NULL,
        .certificate_is_believed = !ask->is_doubted,
        .certificate_issuer = text_or_empty(ask->issuer),
        .certificate_subject = text_or_empty(ask->subject),
        .is_watcher = ask->peer != NULL && strncmp(ask->peer, "127.", 4) == 0,
    };
    if (ask->certificate_sha256 != NULL)
        memcpy(request.certificate_sha256, ask->certificate_sha256,
               sizeof(request.certificate_sha256));
    struct api_exchange *x = api_exchange_open();
    assert_non_null(x);
    *answer = (struct answer){.asked = *ask};
    api_handle(lab->api, x, &request, lab->now, take_answer, answer);
    return x;
}

enum turn_status lab_try_turn(struct lab *lab)
{
    lab->now.utc.ms += 20;
    lab->now.instant.ms += 20;
    // As api_step() does, which would step imports too.
    jobs_step(lab->api->jobs);
    meter_step(lab->api->meter);
    return turn_run(lab->turn, lab->now.utc);
}

void lab_turn(struct lab *lab)
{
    assert_int_equal(lab_try_turn(lab), TURN_OK);
}

void lab_forget(struct api_exchange *x)
{
    api_exchange_close(x);
}

void lab_ask(struct lab *lab, const struct ask *ask, struct answer *answer)
{
    static struct answer dry;
    const bool is_tried = lab_dry_run(lab, ask, &dry);
    lab_crash_everywhere(lab, ask);
    struct api_exchange *x = lab_start(lab, ask, answer);
    for (unsigned i = 0; i < 40 && answer->count == 0; i++) {
        lab_hash(lab);
        lab_turn(lab);
    }
    assert_int_equal(answer->count, 1);
    if (is_tried)
        lab_dry_compare(&dry, answer);
    lab_turn(lab);
    lab_forget(x);
}

// A token over the API itself.
static void take_token(struct lab *lab, const struct client_credentials *credentials,
                       char token[LAB_TOKEN_SIZE])
{
    char body[8192];
    struct writer w = writer_of(body, sizeof(body));
    struct answer a;
    text_put(&w, "grant_type=client_credentials&client_id=");
    text_put(&w, credentials->app_key);
    text_put(&w, "&client_secret=");
    text_put(&w, credentials->app_secret);
    text_put(&w, "&scope=");
    struct auth_client client;
    assert_int_equal(
        auth_client_by_key(lab->store, NULL, bytes_of_text(credentials->app_key), &client),
        STORE_OK);
    for (unsigned i = 0; i < client.scope_count; i++) {
        text_put(&w, i == 0 ? "" : "+");
        auth_scope_put(&w, client.scopes[i]);
    }
    lab_ask(lab,
            &(struct ask){.method = "POST",
                          .target = "/oauth2/token",
                          .authorization = "",
                          .type = "application/x-www-form-urlencoded",
                          .body = text_end(&w)},
            &a);
    assert_int_equal(a.status, 200);
    const char *at = strstr(a.body, "\"access_token\":\"");
    assert_non_null(at);
    w = writer_of(token, LAB_TOKEN_SIZE);
    text_put(&w, "Bearer ");
    writer_copy(&w, bytes_of(at + strlen("\"access_token\":\""), 43));
    text_end(&w);
}

void lab_client(struct lab *lab, const char *scopes, uint64_t tenant, char token[LAB_TOKEN_SIZE])
{
    struct client_credentials credentials;
    const struct client_new client = {
        .name = "other", .scopes = scopes, .tenant = tenant, .now = lab->now.utc, .fill = fill};
    assert_int_equal(client_add(lab->store, &client_key, &client, &credentials), CLIENT_OK);
    take_token(lab, &credentials, token);
}

void lab_user(struct lab *lab, const char *username, enum user_role role, uint64_t tenant,
              struct door *door)
{
    char secret[AUTH_TOKEN_SIZE];
    uint8_t entropy[64];
    struct auth_user user = {
        .id = turn_id(lab->turn, lab->now.utc), .tenant = tenant, .role = role, .hash = "none"};
    struct auth_session session = {.id = turn_id(lab->turn, lab->now.utc),
                                   .user = user.id,
                                   .tenant = tenant,
                                   .created_at = lab->now.utc,
                                   .ends_at = utc_after(lab->now.utc, SESSION_LIFE_MS)};
    fill_octets(entropy, sizeof(entropy));
    auth_secret_make(secret, entropy);
    auth_secret_make(session.csrf, entropy + 32);
    (void)snprintf(user.username, sizeof(user.username), "%s", username);
    (void)snprintf(door->cookie, sizeof(door->cookie), "__Host-session=%s", secret);
    (void)snprintf(door->csrf, sizeof(door->csrf), "%s", session.csrf);
    assert_int_equal(store_begin(lab->store), STORE_OK);
    assert_int_equal(auth_user_put(lab->store, &user, lab->now.utc), STORE_OK);
    assert_int_equal(auth_session_put(lab->store, &session, secret, lab->now.utc), STORE_OK);
    assert_int_equal(store_commit(lab->store), STORE_OK);
}

void lab_ask_as(struct lab *lab, const struct door *door, const char *method, const char *target,
                const char *body, struct answer *answer)
{
    lab_ask(lab,
            &(struct ask){.method = method,
                          .target = target,
                          .body = body,
                          .authorization = "",
                          .cookie = door->cookie,
                          .csrf_token = door->csrf,
                          .origin = LAB_ORIGIN},
            answer);
}

static void open_store(struct lab *lab, const struct server_crypto *c, bool is_reader,
                       struct store **store)
{
    const struct store_options options = {.path = lab->path[0] != '\0' ? lab->path : ":memory:",
                                          .is_reader = is_reader,
                                          .ota_master = key_of(1),
                                          .network_master = key_of(2),
                                          .pseudonym_key = key_of(3),
                                          .name_object = trail_name,
                                          .crypto = &c->store};
    assert_int_equal(store_open(&options, store), STORE_OK);
}

static void open_turn(struct lab *lab)
{
    open_store(lab, &crypto, false, &lab->store);
    lab->reader = lab->store;
    if (lab->path[0] != '\0') // as in a server
        open_store(lab, &crypto, true, &lab->reader);
    lab->campaigns = campaign_runner_open(lab->store, crypto.store.cipher);
    assert_non_null(lab->campaigns);
    const struct turn_options options = {.follow = bootstrap_follow,
                                         .plan = bootstrap_plan,
                                         .campaign = campaign_run,
                                         .campaign_context = lab->campaigns,
                                         .store = lab->store,
                                         .policy = &policy,
                                         .cipher = crypto.store.cipher,
                                         .send = no_send};
    lab->turn = turn_open(&options);
    assert_non_null(lab->turn);
}

static void open_jobs(struct lab *lab)
{
    assert_true(server_crypto_open(&lab->import_crypto));
    assert_true(vendor_scratch_open(&lab->import_scratch, NULL));
    open_store(lab, &lab->import_crypto, true, &lab->import_reader);
    const struct import_jobs_options options = {.turn = lab->turn,
                                                .reader = lab->import_reader,
                                                .crypto = &lab->import_crypto.store,
                                                .digest = &vendor_digest_host,
                                                .scratch = &lab->import_scratch,
                                                .key = &client_key,
                                                .folder =
                                                    lab->folder[0] != '\0' ? lab->folder : NULL,
                                                .is_lab = true};
    lab->imports = import_jobs_open(&options);
    assert_non_null(lab->imports);
}

static void open_checks(struct lab *lab)
{
    struct trail_checks_options options = {.turn = lab->turn};
    for (unsigned i = 0; i < TRAIL_CHECK_THREADS; i++) {
        assert_true(server_crypto_open(&lab->check_crypto[i]));
        open_store(lab, &lab->check_crypto[i], true, &lab->check_readers[i]);
        options.readers[i] = lab->check_readers[i];
    }
    lab->checks = trail_checks_open(&options);
    assert_non_null(lab->checks);
    assert_int_equal(trail_checks_recover(lab->checks, lab->store), STORE_OK);
}

static void close_checks(struct lab *lab)
{
    if (lab->checks == NULL)
        return;
    trail_checks_close(lab->checks);
    lab->checks = NULL;
    for (unsigned i = 0; i < TRAIL_CHECK_THREADS; i++) {
        store_close(lab->check_readers[i]);
        server_crypto_close(&lab->check_crypto[i]);
    }
}

// The page as it stands in the source tree; documents that say little.
static const struct api_file *read_pages(void)
{
    static char texts[3][32768];
    static const char *const files[] = {"ota-server/web/viewer.html", "ota-server/web/viewer.js",
                                        "ota-server/web/viewer.css"};
    static const struct api_file pages[] = {
        {"/docs/", "text/html", texts[0]},
        {"/docs/viewer.js", "text/javascript", texts[1]},
        {"/docs/viewer.css", "text/css", texts[2]},
        {"/docs/connectivity-management.json", "application/json",
         "{\"servers\":[{\"url\":\"/\"}],\"x\":{\"openIdConnectUrl\":\"/.well-known/x\"}}"},
        {"/docs/esim-profile-management.json", "application/json", "{}"},
        {NULL, NULL, NULL}};
    for (size_t i = 0; i < 3; i++) {
        FILE *file = fopen(files[i], "rb");
        assert_non_null(file);
        texts[i][fread(texts[i], 1, sizeof(texts[i]) - 1, file)] = '\0';
        assert_int_equal(fclose(file), 0);
    }
    return pages;
}

static void open_api(struct lab *lab)
{
    if (lab->folder[0] != '\0') {
        open_jobs(lab);
        open_checks(lab);
    }
    static const char *const routes[] = {"main", "south", NULL};
    const struct api_options options = {.reader = lab->reader,
                                        .routes = routes,
                                        .turn = lab->turn,
                                        .public_url = "https://api.example.com",
                                        .version = "1",
                                        .openapi = "openapi: 3.0.3\n",
                                        .openapi_esim =
                                            "openapi: 3.0.3 of the other\nservers: [{url: /}]\n",
                                        .pages = read_pages(),
                                        .client_key = client_key,
                                        .single_person = lab->is_single_person,
                                        .has_basic = lab->has_basic,
                                        .factor_roles = lab->factor_roles,
                                        .fetch_keys = lab->fetch_keys,
                                        .cipher = crypto.store.cipher,
                                        .wake = lab->wake,
                                        .campaigns = lab->campaigns,
                                        .imports = lab->imports,
                                        .trail_checks = lab->checks,
                                        .fill = fill};
    lab->api = api_open(&options);
    assert_non_null(lab->api);
}

static void install_faults(void)
{
    static bool is_done;
    if (is_done)
        return;
    is_done = true;
    faulty_disk_install();
    faulty_statement_install();
}

static void open_all(struct lab *lab, const char *scopes, bool single_person)
{
    install_faults();
    lab->now = (struct api_now){.utc = {1784894400000}, .instant = {1000000}};
    lab->is_single_person = single_person;
    prng_init(&chance, 1, "lab", 0);
    assert_true(server_crypto_open(&crypto));
    crypto.store.random = fill_octets;
    client_key = key_of(4);
    lab->client_key = client_key;
    policy_default(&policy);
    open_turn(lab);
    const struct client_new client = {
        .name = "lab", .scopes = scopes, .tenant = LAB_TENANT, .now = lab->now.utc, .fill = fill};
    assert_int_equal(client_add(lab->store, &client_key, &client, &lab->credentials), CLIENT_OK);
    open_api(lab);
    take_token(lab, &lab->credentials, lab->token);
}

void lab_open(struct lab *lab, const char *scopes, bool single_person)
{
    *lab = (struct lab){.tenant = LAB_TENANT};
    open_all(lab, scopes, single_person);
}

void lab_open_imports(struct lab *lab, const char *scopes, bool single_person)
{
    *lab = (struct lab){.tenant = LAB_TENANT, .folder = "/tmp/otaria-lab-XXXXXX"};
    assert_non_null(mkdtemp(lab->folder));
    (void)snprintf(lab->path, sizeof(lab->path), "%s/registry.db", lab->folder);
    open_all(lab, scopes, single_person);
}

static void close_api(struct lab *lab)
{
    api_close(lab->api);
    close_checks(lab);
    import_jobs_close(lab->imports);
    store_close(lab->import_reader);
    if (lab->imports != NULL)
        server_crypto_close(&lab->import_crypto);
    vendor_scratch_close(&lab->import_scratch);
    lab->imports = NULL;
    lab->import_reader = NULL;
}

void lab_reopen_api(struct lab *lab)
{
    close_api(lab);
    open_api(lab);
}

static void close_parts(struct lab *lab)
{
    close_api(lab);
    turn_close(lab->turn);
    campaign_runner_close(lab->campaigns);
    if (lab->reader != lab->store)
        store_close(lab->reader);
    store_close(lab->store);
}

void lab_crash(struct lab *lab)
{
    close_parts(lab);
    open_turn(lab);
    assert_int_equal(import_recover(lab->store, lab->turn, lab->now.utc), STORE_OK);
    open_api(lab);
}

void lab_twin(struct lab *of, const char *path, struct lab *twin)
{
    *twin = *of;
    twin->chance = chance;
    twin->imports = NULL;
    twin->import_reader = NULL;
    twin->checks = NULL;
    twin->wake = NULL;
    (void)snprintf(twin->path, sizeof(twin->path), "%s", path);
    open_turn(twin);
    assert_int_equal(turn_start(twin->turn, twin->now.utc), TURN_OK);
    assert_int_equal(import_recover(twin->store, twin->turn, twin->now.utc), STORE_OK);
    open_api(twin);
}

void lab_twin_close(struct lab *twin)
{
    close_parts(twin);
    chance = twin->chance; // as if it had never been
}

static void remove_file(const char *path, const char *end)
{
    char name[128];
    (void)snprintf(name, sizeof(name), "%s%s", path, end);
    (void)unlink(name);
}

unsigned lab_kept_files(const struct lab *lab, bool are_removed)
{
    unsigned count = 0;
    DIR *dir = opendir(lab->folder);
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strstr(e->d_name, ".body") == NULL)
            continue;
        count++;
        if (are_removed)
            assert_int_equal(unlinkat(dirfd(dir), e->d_name, 0), 0);
    }
    assert_int_equal(closedir(dir), 0);
    return count;
}

void lab_close(struct lab *lab)
{
    close_parts(lab);
    server_crypto_close(&crypto);
    if (lab->folder[0] == '\0')
        return;
    remove_file(lab->path, "");
    remove_file(lab->path, "-wal");
    remove_file(lab->path, "-shm");
    remove_file(lab->path, ".writer");
    (void)lab_kept_files(lab, true);
    assert_int_equal(rmdir(lab->folder), 0);
}

static void set_slot(struct record *r, unsigned index, const char *imsi, uint64_t subscription)
{
    struct mirror_slot *s = &r->slots[index];
    *s = (struct mirror_slot){.subscription = subscription};
    s->fact.slot = (uint8_t)(index + 1);
    s->fact.state = index == 0 ? SLOT_ENABLED : SLOT_DISABLED;
    s->fact.role = index == 0 ? ROLE_BOOTSTRAP : ROLE_OPERATIONAL;
    s->fact.is_fallback = index == 0;
    s->fact.is_proven = index == 0;
    s->fact.rank = (uint8_t)(index + 1);
    s->fact.template_number = 1;
    assert_true(imsi_write(imsi, s->fact.imsi));
    memcpy(s->number, index == 0 ? "999000000001" : "999000000002", 13);
}

static void put_subscription(struct lab *lab, struct subscription *s, const char *imsi)
{
    s->tenant = lab->tenant;
    s->created_at = lab->now.utc;
    s->changed_at = lab->now.utc;
    assert_true(imsi_write(imsi, s->plan.imsi));
    assert_int_equal(store_subscription_put(lab->store, s), STORE_OK);
}

uint64_t lab_card(struct lab *lab, const char *iccid, struct record *record)
{
    return lab_card_of(lab, iccid, "001010000000001", "999700000000001", record);
}

uint64_t lab_card_of(struct lab *lab, const char *iccid, const char *bootstrap_imsi,
                     const char *operational_imsi, struct record *record)
{
    const uint64_t card = turn_id(lab->turn, lab->now.utc);
    record_init(record, card);
    record->tenant = lab->tenant;
    record->state = CARD_OPERATIONAL;
    record->level = 2;
    record->slot_limit = 8;
    record->created_at = lab->now.utc;
    record->slot_count = 2;
    assert_true(iccid_write(iccid, record->iccid));
    set_slot(record, 0, bootstrap_imsi, turn_id(lab->turn, lab->now.utc));
    set_slot(record, 1, operational_imsi, turn_id(lab->turn, lab->now.utc));
    assert_int_equal(store_begin(lab->store), STORE_OK);
    for (unsigned i = 0; i < 2; i++) {
        struct subscription s = {.id = record->slots[i].subscription,
                                 .card = card,
                                 .state = SUBSCRIPTION_ON_CARD,
                                 .slot = (uint8_t)(i + 1)};
        put_subscription(lab, &s, i == 0 ? bootstrap_imsi : operational_imsi);
    }
    struct card_new card_new = {.record = record, .at = lab->now.utc, .has_keys = true};
    card_new.keys = (struct card_keys){
        .version = 1, .tar = 0x534D01, .spi1 = 0x16, .spi2 = 0x39, .cmac_len = 8};
    card_new.keys.kic = short_key_of(5);
    card_new.keys.kid = short_key_of(6);
    card_new.keys.kik = short_key_of(7);
    assert_int_equal(store_card_add(lab->store, &card_new), STORE_OK);
    assert_int_equal(store_commit(lab->store), STORE_OK);
    return card;
}

uint64_t lab_subscription(struct lab *lab, uint64_t pool, const char *imsi)
{
    struct subscription s = {
        .id = turn_id(lab->turn, lab->now.utc), .pool = pool, .state = SUBSCRIPTION_FREE};
    s.plan.template_number = 1;
    s.has_keys = true;
    const struct network_keys keys = {.k = short_key_of(8), .op = short_key_of(9)};
    assert_int_equal(store_begin(lab->store), STORE_OK);
    put_subscription(lab, &s, imsi);
    assert_int_equal(store_network_keys_put(lab->store, s.plan.imsi, &keys), STORE_OK);
    assert_int_equal(store_commit(lab->store), STORE_OK);
    return s.id;
}

void lab_place(struct lab *lab, uint64_t card, uint64_t tenant, uint64_t group)
{
    struct record before, next;
    assert_int_equal(store_begin(lab->store), STORE_OK);
    assert_int_equal(store_card_load(lab->store, card, &before), STORE_OK);
    next = before;
    next.version++;
    next.tenant = tenant;
    next.group = group;
    assert_int_equal(store_card_save(lab->store, &before, &next), STORE_OK);
    assert_int_equal(store_commit(lab->store), STORE_OK);
}

uint64_t lab_grant(struct lab *lab, uint64_t enterprise, uint32_t grants)
{
    char name[PERMISSION_NAME_SIZE];
    const uint64_t group = turn_id(lab->turn, lab->now.utc);
    const struct document documents[] = {
        {.kind = "group", .id = group, .owner = enterprise, .body = bytes_of_text("{}")},
        {.kind = PERMISSION_KIND,
         .id = turn_id(lab->turn, lab->now.utc),
         .owner = enterprise,
         .parent = group,
         .name = permission_name(enterprise, group, name),
         .state = grants,
         .created_at = lab->now.utc,
         .changed_at = lab->now.utc,
         .body = bytes_of_text("{}")}};
    assert_int_equal(store_begin(lab->store), STORE_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(store_document_put(lab->store, &documents[i]), STORE_OK);
    assert_int_equal(store_commit(lab->store), STORE_OK);
    return group;
}

uint64_t lab_id(const struct answer *a, const char *prefix)
{
    char start[16];
    uint64_t id = 0;
    (void)snprintf(start, sizeof(start), "\"id\":\"%s_", prefix);
    const char *at = strstr(a->body, start);
    assert_non_null(at);
    assert_true(api_id_read(bytes_of(at + 6, strlen(prefix) + 27), prefix, &id));
    return id;
}
