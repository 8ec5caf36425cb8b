// Event sinks without a network: which addresses are taken, and when a sink is asked again.
#include "ota-server/core/sink_health.h"
#include "ota-server/service/sink_url.h"
#include "tests/lib/cmocka_all.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

// --- URLs ----------------------------------------------------------------------------------------

static enum sink_fault fault_of(const char *text)
{
    struct sink_url url;
    return sink_url_read(bytes_of_text(text), &url);
}

static void urls_of_customers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *rest;
        uint16_t port;
        bool is_literal;
    } good[] = {
        {"https://events.example.com/hook", "events.example.com", "/hook", 443, false},
        {"https://events.example.com", "events.example.com", "", 443, false},
        {"HTTPS://Events.Example.COM:8443/a?b=c&d=%2F", "Events.Example.COM", "/a?b=c&d=%2F", 8443,
         false},
        {"https://events.example.com?x=1", "events.example.com", "?x=1", 443, false},
        {"https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/", 443, false},
        {"https://1and1.example/", "1and1.example", "/", 443, false},
        {"https://8.8.8.8/", "8.8.8.8", "/", 443, true},
        {"https://[2001:4860:4860::8888]:65535/", "2001:4860:4860::8888", "/", 65535, true},
        {"https://h:1/", "h", "/", 1, false},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct sink_url url;
        assert_int_equal(sink_url_read(bytes_of_text(good[i].text), &url), SINK_OK);
        assert_true(bytes_equal(url.host, bytes_of_text(good[i].host)));
        assert_true(bytes_equal(url.rest, bytes_of_text(good[i].rest)));
        assert_int_equal(url.port, good[i].port);
        assert_int_equal(url.is_literal, good[i].is_literal);
    }
}

// What gets a careless server to talk to its own network, each by its way.
static const struct {
    const char *text;
    enum sink_fault fault;
} hostile[] = {
    // other schemes
    {"http://events.example.com/", SINK_NOT_HTTPS},
    {"ftp://events.example.com/", SINK_NOT_HTTPS},
    {"file:///etc/passwd", SINK_NOT_HTTPS},
    {"gopher://127.0.0.1:6379/_x", SINK_NOT_HTTPS},
    {"javascript:alert(1)", SINK_NOT_HTTPS},
    {"https:/events.example.com/", SINK_NOT_HTTPS},
    {"https:events.example.com", SINK_NOT_HTTPS},
    {"//events.example.com/", SINK_NOT_HTTPS},
    {" https://events.example.com/", SINK_NOT_HTTPS},
    {"\thttps://events.example.com/", SINK_NOT_HTTPS},
    {"https\\://events.example.com/", SINK_NOT_HTTPS},
    {"", SINK_NOT_HTTPS},
    {"https:", SINK_NOT_HTTPS},
    // no host
    {"https://", SINK_WRONG_HOST},
    {"https:///hook", SINK_WRONG_HOST},
    {"https://?x", SINK_WRONG_HOST},
    {"https://:443/", SINK_WRONG_HOST},
    {"https://./", SINK_WRONG_HOST},
    {"https://../", SINK_WRONG_HOST},
    // users, which hide the host
    {"https://events.example.com@127.0.0.1/", SINK_HAS_USER},
    {"https://user:secret@events.example.com/", SINK_HAS_USER},
    {"https://@events.example.com/", SINK_HAS_USER},
    {"https://127.0.0.1:443@events.example.com/", SINK_HAS_USER},
    {"https://events.example.com:443@127.0.0.1/", SINK_HAS_USER},
    {"https://[::1]@events.example.com/", SINK_HAS_USER},
    // fragments
    {"https://events.example.com/#x", SINK_HAS_FRAGMENT},
    {"https://events.example.com#@127.0.0.1/", SINK_HAS_FRAGMENT},
    {"https://127.0.0.1#events.example.com/", SINK_HAS_FRAGMENT},
    // octets that readers treat differently
    {"https://events.example.com\\@127.0.0.1/", SINK_WRONG_OCTET},
    {"https://127.0.0.1\\events.example.com/", SINK_WRONG_OCTET},
    {"https://events.example.com/a b", SINK_WRONG_OCTET},
    {"https://events.example.com/\r\nHost: 127.0.0.1", SINK_WRONG_OCTET},
    {"https://events.example.com\n/", SINK_WRONG_OCTET},
    {"https://events.example.com\t/", SINK_WRONG_OCTET},
    {"https://events.exa\x01mple.com/", SINK_WRONG_OCTET},
    {"https://events.example.com/\x7F", SINK_WRONG_OCTET},
    {"https://ex\xC3\xA4mple.com/", SINK_WRONG_OCTET},
    {"https://\xE2\x91\xA0\xE2\x91\xA1\xE2\x91\xA6.0.0.1/", SINK_WRONG_OCTET}, // circled digits
    {"https://127\xE3\x80\x82"
     "0.0.1/",
     SINK_WRONG_OCTET}, // ideographic stop
    {"https://events.example.com/%", SINK_WRONG_OCTET},
    {"https://events.example.com/%2", SINK_WRONG_OCTET},
    {"https://events.example.com/%zz", SINK_WRONG_OCTET},
    {"https://events.example.com/<x>", SINK_WRONG_OCTET},
    {"https://events.example.com/\"", SINK_WRONG_OCTET},
    {"https://events.example.com/{a}", SINK_WRONG_OCTET},
    {"https://events.example.com/a|b", SINK_WRONG_OCTET},
    {"https://events.example.com/^", SINK_WRONG_OCTET},
    {"https://events.example.com/`", SINK_WRONG_OCTET},
    // percent-encoded hosts
    {"https://%31%32%37.0.0.1/", SINK_WRONG_HOST},
    {"https://127.0.0.1%2F.example.com/", SINK_WRONG_HOST},
    {"https://localhost%00.example.com/", SINK_WRONG_HOST},
    {"https://127.0.0.1%23.example.com/", SINK_WRONG_HOST},
    // addresses in other forms
    {"https://2130706433/", SINK_WRONG_HOST},
    {"https://0x7f000001/", SINK_WRONG_HOST},
    {"https://0X7F.0.0.1/", SINK_WRONG_HOST},
    {"https://017700000001/", SINK_WRONG_HOST},
    {"https://0177.0.0.1/", SINK_WRONG_HOST},
    {"https://127.0.0.01/", SINK_WRONG_HOST},
    {"https://127.1/", SINK_WRONG_HOST},
    {"https://127.0.1/", SINK_WRONG_HOST},
    {"https://127.0.0.1./", SINK_WRONG_HOST},
    {"https://127.0.0.0x1/", SINK_WRONG_HOST},
    {"https://127.0.0.256/", SINK_WRONG_HOST},
    {"https://256.0.0.1/", SINK_WRONG_HOST},
    {"https://127.0.0.1.2/", SINK_WRONG_HOST},
    {"https://127..0.1/", SINK_WRONG_HOST},
    {"https://0/", SINK_WRONG_HOST},
    {"https://example.0x7f/", SINK_WRONG_HOST},
    {"https://example.com.1/", SINK_WRONG_HOST},
    // names
    {"https://events.example.com./", SINK_WRONG_HOST},
    {"https://localhost./", SINK_WRONG_HOST},
    {"https://.example.com/", SINK_WRONG_HOST},
    {"https://events..example.com/", SINK_WRONG_HOST},
    {"https://-a.example.com/", SINK_WRONG_HOST},
    {"https://a-.example.com/", SINK_WRONG_HOST},
    {"https://a_b.example.com/", SINK_WRONG_HOST},
    {"https://*.example.com/", SINK_WRONG_HOST},
    {"https://a,b.example.com/", SINK_WRONG_HOST},
    {"https://a!b.example.com/", SINK_WRONG_HOST},
    // brackets
    {"https://[::1", SINK_WRONG_HOST},
    {"https://[]/", SINK_WRONG_HOST},
    {"https://[127.0.0.1]/", SINK_WRONG_HOST},
    {"https://[fe80::1%25eth0]/", SINK_WRONG_HOST},
    {"https://[v1.x]/", SINK_WRONG_HOST},
    {"https://[::1]x/", SINK_WRONG_PORT},
    {"https://::1/", SINK_WRONG_HOST},
    {"https://x[::1]/", SINK_WRONG_HOST},
    // ports
    {"https://events.example.com:/", SINK_WRONG_PORT},
    {"https://events.example.com:0/", SINK_WRONG_PORT},
    {"https://events.example.com:0443/", SINK_WRONG_PORT},
    {"https://events.example.com:65536/", SINK_WRONG_PORT},
    {"https://events.example.com:99999/", SINK_WRONG_PORT},
    {"https://events.example.com:443443/", SINK_WRONG_PORT},
    {"https://events.example.com:-1/", SINK_WRONG_PORT},
    {"https://events.example.com:+443/", SINK_WRONG_PORT},
    {"https://events.example.com:44x/", SINK_WRONG_PORT},
    {"https://events.example.com:443:443/", SINK_WRONG_PORT},
};

static void urls_of_the_hostile_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        const enum sink_fault fault = fault_of(hostile[i].text);
        if (fault != hostile[i].fault)
            fail_msg("%s: %d", hostile[i].text, fault);
        assert_int_not_equal(sink_fault_text(fault)[0], '\0');
    }
}

static void a_url_has_at_most_2048_octets_and_a_label_63(void **state)
{
    (void)state;
    char text[2100] = "https://events.example.com/";
    memset(text + strlen(text), 'a', SINK_URL_MAX - strlen(text));
    assert_int_equal(strlen(text), SINK_URL_MAX);
    assert_int_equal(fault_of(text), SINK_OK);
    text[SINK_URL_MAX] = 'a';
    assert_int_equal(fault_of(text), SINK_TOO_LONG);
    char name[400] = "https://";
    memset(name + 8, 'a', 63);
    assert_int_equal(fault_of(name), SINK_OK);
    name[8 + 63] = 'a';
    assert_int_equal(fault_of(name), SINK_WRONG_HOST);
    for (size_t i = 0; i < 4; i++) { // 253: 63 + 63 + 63 + 61 and three dots
        memset(name + 8 + i * 64, 'a', 63);
        name[8 + i * 64 + 63] = '.';
    }
    name[8 + 253] = '\0';
    assert_int_equal(fault_of(name), SINK_OK);
    name[8 + 253] = 'a';
    name[8 + 254] = '\0';
    assert_int_equal(fault_of(name), SINK_WRONG_HOST);
}

static bool is_below(const char *text, const char *prefix)
{
    return sink_url_is_below(bytes_of_text(text), bytes_of_text(prefix));
}

static void prefixes_are_compared_in_whole_segments(void **state)
{
    (void)state;
    assert_true(is_below("https://h.example/a", "https://h.example/a"));
    assert_true(is_below("https://h.example/a/b?c", "https://h.example/a"));
    assert_true(is_below("https://H.example:443/a/b", "https://h.example/a/"));
    assert_true(is_below("https://h.example/a?c", "https://h.example/a"));
    assert_true(is_below("https://h.example/anything", "https://h.example"));
    assert_false(is_below("https://h.example/ab", "https://h.example/a"));
    assert_false(is_below("https://h.example/A", "https://h.example/a"));
    assert_false(is_below("https://h.example:8443/a", "https://h.example/a"));
    assert_false(is_below("https://h.example.evil.example/a", "https://h.example"));
    assert_false(is_below("https://x.h.example/a", "https://h.example/a"));
    assert_false(is_below("https://h.example/a/../b", "https://h.example/a"));
    assert_false(is_below("https://h.example/a/%2e%2E/b", "https://h.example/a"));
    assert_false(is_below("https://h.example/a/.%2e/b", "https://h.example/a"));
    assert_false(is_below("https://h.example/a/./b", "https://h.example/a"));
    assert_false(is_below("http://h.example/a", "https://h.example/a"));
}

// --- addresses -----------------------------------------------------------------------------------

static bool is_public(const char *text)
{
    uint8_t at[16] = {0};
    if (strchr(text, ':') != NULL) {
        assert_int_equal(inet_pton(AF_INET6, text, at), 1);
        return sink_address_is_public(at, false);
    }
    at[10] = at[11] = 0xFF;
    assert_int_equal(inet_pton(AF_INET, text, at + 12), 1);
    return sink_address_is_public(at, true);
}

static const char *const others[] = { // [RFC 6890], first and last of each
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.0",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.255",
    "192.0.2.0",
    "192.0.2.255",
    "192.88.99.1",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.0",
    "198.51.100.255",
    "203.0.113.0",
    "203.0.113.255",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
    "100.100.100.200",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::8.8.8.8",
    "64:ff9b::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    "2002:7f00:1::",
    "2002:808:808::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff::1",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "3fff::1",
    "3ffe::1",
    "4000::1",
    "1fff::1"};
static const char *const everybodys[] = {
    "1.0.0.0",        "8.8.8.8",         "9.255.255.255", "11.0.0.0",        "100.63.255.255",
    "100.128.0.0",    "126.255.255.255", "128.0.0.0",     "169.253.255.255", "169.255.0.0",
    "172.15.255.255", "172.32.0.0",      "192.0.1.0",     "192.0.3.0",       "192.167.255.255",
    "192.169.0.0",    "198.17.255.255",  "198.20.0.0",    "223.255.255.255", "2001:4860:4860::8888",
    "2a00:1450::1",   "2001:200::1",     "2003::1",       "2600::1",         "2001:db9::1"};

static void addresses_that_nobody_else_reaches_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (is_public(others[i]))
            fail_msg("%s", others[i]);
    }
    for (size_t i = 0; i < sizeof(everybodys) / sizeof(everybodys[0]); i++) {
        if (!is_public(everybodys[i]))
            fail_msg("%s", everybodys[i]);
    }
}

// --- health --------------------------------------------------------------------------------------

static struct sink_health health;
static struct sink_attempt attempt;

static int begin(void **state)
{
    (void)state;
    health = (struct sink_health){0};
    attempt = (struct sink_attempt){.result = SINK_AGAIN,
                                    .retry_after_s = -1,
                                    .give_up_at = {1000000 + SINK_GIVE_UP_MS},
                                    .now = {1000000}};
    return 0;
}

static enum sink_fate judge(enum sink_result result)
{
    attempt.result = result;
    return sink_judge(&health, &attempt);
}

static void answers_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum sink_result result;
    } rows[] = {{0, SINK_AGAIN},          {199, SINK_REFUSED},   {200, SINK_DELIVERED},
                {204, SINK_DELIVERED},    {299, SINK_DELIVERED}, {300, SINK_REFUSED},
                {302, SINK_REFUSED},      {307, SINK_REFUSED},   {400, SINK_REFUSED},
                {401, SINK_UNAUTHORISED}, {403, SINK_REFUSED},   {404, SINK_REFUSED},
                {408, SINK_AGAIN},        {410, SINK_GONE},      {413, SINK_REFUSED},
                {425, SINK_AGAIN},        {429, SINK_AGAIN},     {499, SINK_REFUSED},
                {500, SINK_AGAIN},        {503, SINK_AGAIN},     {599, SINK_AGAIN}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(sink_result_of(rows[i].status), rows[i].result);
}

// 1 s, 5 s, 30 s, 2 min, 10 min, 1 h, and then each hour, from four to six fifths.
static void a_failing_sink_is_asked_ever_less_often(void **state)
{
    (void)state;
    static const int64_t steps[] = {1000, 5000, 30000, 120000, 600000, 3600000, 3600000, 3600000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const struct sink_health before = health;
        attempt.chance = 0;
        assert_int_equal(judge(SINK_AGAIN), SINK_FATE_WAITS);
        assert_int_equal(health.retry_at.ms - attempt.now.ms, steps[i] * 4 / 5);
        health = before;
        attempt.chance = 255;
        assert_int_equal(judge(SINK_AGAIN), SINK_FATE_WAITS);
        assert_int_equal(health.retry_at.ms - attempt.now.ms, steps[i] * 6 / 5);
        assert_false(sink_may_send(&health, attempt.now));
        assert_false(sink_may_send(&health, utc_after(health.retry_at, -1)));
        assert_true(sink_may_send(&health, health.retry_at));
        attempt.now = health.retry_at;
    }
}

static void what_fails_together_counts_once(void **state)
{
    (void)state;
    (void)judge(SINK_AGAIN);
    const struct utc retry_at = health.retry_at;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(judge(SINK_AGAIN), SINK_FATE_WAITS);
    assert_int_equal(health.failures, 1);
    assert_int_equal(health.retry_at.ms, retry_at.ms);
    attempt.retry_after_s = 60; // what the sink says itself counts
    (void)judge(SINK_AGAIN);
    assert_int_equal(health.retry_at.ms, attempt.now.ms + 60000);
    attempt.retry_after_s = -1;
    attempt.now.ms += 60000;
    (void)judge(SINK_AGAIN); // the next attempt
    assert_int_equal(health.failures, 3);
}

static void five_failures_in_a_row_degrade_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        (void)judge(i % 2 == 0 ? SINK_AGAIN : SINK_REFUSED);
    assert_int_equal(health.state, SINK_STATE_OK);
    (void)judge(SINK_AGAIN);
    assert_int_equal(health.state, SINK_DEGRADED);
    assert_int_equal(judge(SINK_DELIVERED), SINK_FATE_DONE);
    assert_int_equal(health.state, SINK_STATE_OK);
    assert_int_equal(health.failures, 0);
    assert_true(sink_may_send(&health, attempt.now));
}

static void a_day_of_failures_suspends_it_and_it_is_asked_each_hour(void **state)
{
    (void)state;
    (void)judge(SINK_AGAIN);
    attempt.now.ms += SINK_GIVE_UP_MS - 1;
    attempt.give_up_at.ms = INT64_MAX;
    health.failures = 30;
    (void)judge(SINK_AGAIN);
    assert_int_equal(health.state, SINK_DEGRADED);
    attempt.now.ms += 1;
    health.retry_at = attempt.now;
    assert_int_equal(judge(SINK_AGAIN), SINK_FATE_WAITS);
    assert_int_equal(health.state, SINK_SUSPENDED);
    assert_int_equal(health.why, SINK_WHY_FAILING);
    assert_in_range(health.retry_at.ms - attempt.now.ms, 3600000 * 4 / 5, 3600000 * 6 / 5);
    assert_int_equal(judge(SINK_DELIVERED), SINK_FATE_DONE);
    assert_int_equal(health.state, SINK_STATE_OK);
}

static void an_event_is_tried_for_a_day(void **state)
{
    (void)state;
    attempt.now.ms = attempt.give_up_at.ms - 1;
    assert_int_equal(judge(SINK_AGAIN), SINK_FATE_WAITS);
    attempt.now.ms += 1;
    assert_int_equal(judge(SINK_AGAIN), SINK_FATE_DEAD);
}

static void an_event_that_is_refused_is_not_tried_again(void **state)
{
    (void)state;
    assert_int_equal(judge(SINK_REFUSED), SINK_FATE_DEAD);
    assert_int_equal(health.failures, 1);
    assert_true(sink_may_send(&health, attempt.now)); // the next one may be taken
}

static void a_sink_that_is_gone_is_not_asked(void **state)
{
    (void)state;
    assert_int_equal(judge(SINK_GONE), SINK_FATE_WAITS);
    assert_int_equal(health.state, SINK_SUSPENDED);
    assert_int_equal(health.why, SINK_WHY_GONE);
    assert_false(sink_may_send(&health, (struct utc){INT64_MAX}));
    assert_int_equal(sink_next(&health).ms, 0);
}

static void three_refused_credentials_in_a_row_suspend_it(void **state)
{
    (void)state;
    (void)judge(SINK_UNAUTHORISED);
    (void)judge(SINK_UNAUTHORISED);
    (void)judge(SINK_AGAIN);
    (void)judge(SINK_UNAUTHORISED);
    (void)judge(SINK_UNAUTHORISED);
    assert_int_not_equal(health.state, SINK_SUSPENDED);
    assert_int_equal(judge(SINK_UNAUTHORISED), SINK_FATE_WAITS);
    assert_int_equal(health.why, SINK_WHY_CREDENTIAL);
    assert_false(sink_may_send(&health, (struct utc){INT64_MAX}));
}

static void a_clock_that_went_back_holds_no_sink_up(void **state)
{
    (void)state;
    attempt.chance = 255;
    health.failures = 10;
    (void)judge(SINK_AGAIN);
    assert_int_equal(health.retry_at.ms - attempt.now.ms, 3600000 * 6 / 5); // the longest wait
    assert_false(sink_may_send(&health, attempt.now));
    assert_false(sink_may_send(&health, utc_after(health.retry_at, -7200000)));
    assert_true(sink_may_send(&health, utc_after(health.retry_at, -7200001)));
}

static void a_sink_says_itself_when_to_ask_again(void **state)
{
    (void)state;
    attempt.retry_after_s = 0;
    (void)judge(SINK_AGAIN);
    assert_int_equal(health.retry_at.ms, attempt.now.ms);
    attempt.retry_after_s = 3599;
    (void)judge(SINK_AGAIN);
    assert_int_equal(health.retry_at.ms - attempt.now.ms, 3599000);
    attempt.retry_after_s = INT64_MAX;
    (void)judge(SINK_AGAIN);
    assert_int_equal(health.retry_at.ms - attempt.now.ms, 3600000); // no later than that
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_customers_are_read),
        cmocka_unit_test(urls_of_the_hostile_are_refused),
        cmocka_unit_test(a_url_has_at_most_2048_octets_and_a_label_63),
        cmocka_unit_test(prefixes_are_compared_in_whole_segments),
        cmocka_unit_test(addresses_that_nobody_else_reaches_are_refused),
        cmocka_unit_test(answers_are_told_apart),
        cmocka_unit_test_setup(a_failing_sink_is_asked_ever_less_often, begin),
        cmocka_unit_test_setup(what_fails_together_counts_once, begin),
        cmocka_unit_test_setup(five_failures_in_a_row_degrade_it, begin),
        cmocka_unit_test_setup(a_day_of_failures_suspends_it_and_it_is_asked_each_hour, begin),
        cmocka_unit_test_setup(an_event_is_tried_for_a_day, begin),
        cmocka_unit_test_setup(an_event_that_is_refused_is_not_tried_again, begin),
        cmocka_unit_test_setup(a_sink_that_is_gone_is_not_asked, begin),
        cmocka_unit_test_setup(three_refused_credentials_in_a_row_suspend_it, begin),
        cmocka_unit_test_setup(a_clock_that_went_back_holds_no_sink_up, begin),
        cmocka_unit_test_setup(a_sink_says_itself_when_to_ask_again, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
