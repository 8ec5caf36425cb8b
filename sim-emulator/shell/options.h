// The command lines of sim-emulator's commands, with their help.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_SMSC_MAX 8
#define OPTIONS_CASES_MAX 16
#define OPTIONS_PROFILE_MAX 40
#define OPTIONS_READERS_MAX 16 // that pcscd takes

struct options {
    const char *cards;          // vendor output file, or NULL
    const char *pool;           // vendor pool file, or NULL
    const char *vendor_profile; // JSON
    const char *transport_keys;
    uint32_t count; // generated cards, when there is no file
    const char *batch;
    const char *smsc[OPTIONS_SMSC_MAX];
    unsigned smsc_count;
    const char *system_id;
    const char *password_file;
    const char *address_range; // NULL: the common beginning of all numbers
    const char *server_number; // where cards send their messages
    const char *product;       // of the cards, NULL: the standard one
    const char *scenario;
    double speed; // of the clock
    const char *control;
    const char *data;
    uint64_t seed;
    uint32_t spread_ms; // over which the devices are switched on
    bool reports;       // delivery reports go back as messages
    bool is_talkative;
    const char *vpcd; // NULL: the usual one, unless `listen` is given
    const char *listen;
    bool has_devices;
    uint8_t profile[OPTIONS_PROFILE_MAX]; // all that a terminal at a reader may claim
    uint8_t profile_len;                  // 0: whatever it claims
    const char *gsmtap;                   // traces; NULL: none
    const char *pcapng;
    const char *trace;
    const char *tcp; // of conform: where the card is; all NULL: a card of our own
    const char *pcsc;
    const char *card_keys; // what is known of it, instead of the cards of the options
    const char *junit;
    const char *html;
    const char *compare;
    bool is_list;
    const char *command; // of shell
    const char *script;
    const char *cases[OPTIONS_CASES_MAX]; // beginnings of names; none: all
    unsigned case_count;
};

// Each ends the program for --help, --version and wrong use.
void options_read_fleet(struct options *options, int argc, char **argv);
void options_read_conform(struct options *options, int argc, char **argv);
void options_read_shell(struct options *options, int argc, char **argv);
void options_read_reader(struct options *options, int argc, char **argv);
