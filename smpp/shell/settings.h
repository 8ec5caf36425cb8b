// What smsc-sim is told: its command line and its configuration file.
#pragma once

#include "smpp/core/smsc.h"

#define SETTINGS_ERROR_SIZE 400
#define SETTINGS_PATH_SIZE 1024

struct settings {
    const char *listen;
    const char *tls_listen; // NULL: plain connections only
    const char *control;    // NULL: no control interface
    const char *config_path;
    const char *pcap_path;
    uint64_t seed;
    double speed; // how much faster than real time the messages' clock runs
    uint32_t queue_max;
    uint32_t link_max;
    uint32_t window;
    struct smsc_account accounts[SMSC_ACCOUNTS_MAX];
    size_t account_count;
    struct smsc_route routes[SMSC_ROUTES_MAX];
    size_t route_count;
    struct smsc_rule rules[SMSC_RULES_MAX];
    size_t rule_count;
    uint32_t validity_s;
    uint32_t retry_first_ms;
    uint32_t retry_max_ms;
    bool text_receipts_only;
    bool hex_in_answers, hex_in_receipts;
    char tls_certificate_file[SETTINGS_PATH_SIZE];
    char tls_key_file[SETTINGS_PATH_SIZE];
    char tls_ca_file[SETTINGS_PATH_SIZE]; // "": asks ESMEs for no certificate
};

// Reads the file named in `s->config_path` into `s`. False, with a reason that names file and line.
bool settings_read(struct settings *s, char error[SETTINGS_ERROR_SIZE]) MUST_USE;
