// Addresses, networks, and clients behind gateways. Addresses are those for documentation
// [RFC 5737, 3849].
#include "tests/lib/cmocka_all.h"

#include "common/host/ip.h"

#include <netinet/in.h>
#include <sys/socket.h>

static const char *again(const char *text)
{
    static char out[IP_TEXT_SIZE];
    struct ip ip;
    if (!ip_read(bytes_of_text(text), &ip))
        return "none";
    ip_format(&ip, out);
    return out;
}

static void an_address_is_read_with_and_without_its_port(void **state)
{
    (void)state;
    assert_string_equal(again("192.0.2.1"), "192.0.2.1");
    assert_string_equal(again("192.0.2.1:443"), "192.0.2.1");
    assert_string_equal(again("2001:db8::1"), "[2001:db8::1]");
    assert_string_equal(again("[2001:DB8::1]:443"), "[2001:db8::1]");
    assert_string_equal(again("::ffff:192.0.2.1"), "192.0.2.1");
    static const char *const wrong[] = {
        "",           "unknown",     "192.0.2",     "192.0.2.256",
        "_hidden",    "2001:db8::g", "[2001:db8::", "1:2:3:4:5:6:7:8:9",
        "127.0.0.1 ", "192.0.2.1:",  "192.0.2.1:x", "192.0.2.1:65536",
        "[::1]x",     "[::1]:",      "[::1]:443 ",  "192.0.2.1:000443"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_string_equal(again(wrong[i]), "none");
    struct ip ip;
    assert_false(ip_read(bytes_of("192.0.2.1\0x", 11), &ip));
}

static bool is_in(const char *address, const char *network)
{
    struct ip ip;
    struct ip_network n;
    assert_true(ip_read(bytes_of_text(address), &ip));
    assert_true(ip_network_read(network, &n));
    return ip_is_in(&ip, &n, 1);
}

static void a_network_has_its_prefix(void **state)
{
    (void)state;
    struct ip_network n;
    assert_true(is_in("192.0.2.255", "192.0.2.0/24"));
    assert_false(is_in("192.0.3.0", "192.0.2.0/24"));
    assert_true(is_in("192.0.2.127", "192.0.2.0/25"));
    assert_false(is_in("192.0.2.128", "192.0.2.0/25"));
    assert_true(is_in("192.0.2.1", "192.0.2.1"));
    assert_false(is_in("192.0.2.2", "192.0.2.1/32"));
    assert_true(is_in("2001:db8:ffff::1", "2001:db8::/32"));
    assert_false(is_in("2001:db9::1", "2001:db8::/32"));
    assert_true(is_in("203.0.113.9", "0.0.0.0/0"));
    assert_false(is_in("2001:db8::1", "0.0.0.0/0"));
    static const char *const wrong[] = {"192.0.2.1/24", "192.0.2.0/33", "2001:db8::/129",
                                        "192.0.2.0/",   "here/8",       "192.0.2.0/-1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(ip_network_read(wrong[i], &n));
}

static const char *behind(const char *list)
{
    static char out[IP_TEXT_SIZE];
    struct ip_network trusted[2];
    struct ip client;
    assert_true(ip_network_read("198.51.100.0/24", &trusted[0]));
    assert_true(ip_network_read("127.0.0.1", &trusted[1]));
    if (!ip_behind(bytes_of_text(list), trusted, 2, &client))
        return "none";
    ip_format(&client, out);
    return out;
}

static void a_client_is_the_last_that_no_proxy_is(void **state)
{
    (void)state;
    assert_string_equal(behind("203.0.113.9"), "203.0.113.9");
    // What the client claims stands in front of what the proxy saw.
    assert_string_equal(behind("127.0.0.1, 203.0.113.9"), "203.0.113.9");
    assert_string_equal(behind("192.0.2.1,203.0.113.9 ,198.51.100.7"), "203.0.113.9");
    assert_string_equal(behind("198.51.100.7"), "198.51.100.7");
    assert_string_equal(behind("lies, 203.0.113.9"), "203.0.113.9");
    assert_string_equal(behind("203.0.113.9, unknown"), "none");
    assert_string_equal(behind("203.0.113.9, , 198.51.100.7"), "none");
    assert_string_equal(behind(""), "none");
}

static void an_address_of_a_socket_is_what_it_says_it_is(void **state)
{
    (void)state;
    char text[IP_TEXT_SIZE];
    struct ip ip;
    const struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr = {htonl(0xC0000201)}};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct sockaddr other = {.sa_family = AF_UNIX};
    assert_true(ip_of_socket((const struct sockaddr *)&four, &ip));
    ip_format(&ip, text);
    assert_string_equal(text, "192.0.2.1");
    assert_true(ip_is_v4(&ip));
    assert_true(ip_of_socket((const struct sockaddr *)&six, &ip));
    ip_format(&ip, text);
    assert_string_equal(text, "[::1]");
    assert_false(ip_is_v4(&ip));
    // ::ffff:192.0.2.1, which some system might connect to over IPv4
    const uint8_t mapped[16] = {[10] = 0xFF, [11] = 0xFF, [12] = 192, [14] = 2, [15] = 1};
    memcpy(&six.sin6_addr, mapped, sizeof mapped);
    assert_false(ip_of_socket((const struct sockaddr *)&six, &ip));
    assert_false(ip_of_socket(&other, &ip));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_with_and_without_its_port),
        cmocka_unit_test(a_network_has_its_prefix),
        cmocka_unit_test(an_address_of_a_socket_is_what_it_says_it_is),
        cmocka_unit_test(a_client_is_the_last_that_no_proxy_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
