// What ota-server is told: its command line, and a configuration file for the rest. What stands on
// the command line wins.
#pragma once

#include "common/host/ip.h"
#include "common/host/log.h"
#include "ota-server/service/outbox.h"

#define SERVER_SETTINGS_ERROR_SIZE 400
#define SERVER_TEXT_SIZE 128
#define SERVER_PASSWORD_SIZE 9 // [SMPP 3.4 §4.1.1]: 8 characters and a zero
#define SERVER_PATH_SIZE 4096
#define SERVER_NUMBERS_SIZE 1024

// Files in PEM; "": none.
struct server_tls {
    char certificate_file[SERVER_PATH_SIZE];
    char key_file[SERVER_PATH_SIZE];
    char ca_file[SERVER_PATH_SIZE]; // whom to trust
};

struct server_smsc {
    char name[SERVER_TEXT_SIZE];
    char address[SERVER_TEXT_SIZE]; // HOST:PORT
    char centre[SERVER_TEXT_SIZE];  // whose message ids it brings; the address unless told
    char system_id[SMPP_SYSTEM_ID_SIZE];
    char password[SERVER_PASSWORD_SIZE];
    char password_file[SERVER_PATH_SIZE]; // which it is from; "": none
    char system_type[13];
    char address_range[41];
    enum smpp_bind_type bind;
    uint32_t window;
    uint32_t enquire_s; // silence until enquire_link
    uint32_t rate;      // submit_sm per second
    uint8_t weight;     // see struct outbox_link
    uint8_t route;      // index into server_settings.routes
    bool has_tls;
    char tls_name[SERVER_TEXT_SIZE]; // whom to meet; "": the address's host
    struct server_tls tls;
};

struct server_route {
    char name[SERVER_TEXT_SIZE];
    char numbers[SERVER_NUMBERS_SIZE]; // see struct outbox_route
    uint8_t backup;                    // index; its own: none
};

#define SERVER_NETWORKS_MAX 16
struct server_networks {
    struct ip_network at[SERVER_NETWORKS_MAX];
    unsigned count;
};

#define SERVER_FOLDERS_MAX 16
// A folder in which vendors' files arrive.
struct server_folder {
    char name[SERVER_TEXT_SIZE];
    char path[SERVER_PATH_SIZE];
    char vendor[SERVER_TEXT_SIZE]; // whose vendor profile reads them
    uint64_t tenant;
    uint64_t pool; // of files of subscriptions, or 0
    bool is_partial;
    unsigned settle_s; // nothing changed a file for so long: it is whole
    bool keeps_clear;  // what was imported stays there, as it came
};

#define SERVER_SINK_PORTS_MAX 16
// Where events are sent.
struct server_sinks {
    uint16_t ports[SERVER_SINK_PORTS_MAX]; // besides 443
    unsigned port_count;
    struct server_networks allowed;     // although not everybody reaches them
    char ca_file[SERVER_PATH_SIZE];     // whom to trust; "": as the system does
    char name_server[SERVER_TEXT_SIZE]; // ADDRESS:PORT; "": those of the system
    char user[SERVER_TEXT_SIZE];        // that makes the requests; "": the server's
};

struct server_settings {
    // Of the command line; NULL: not given.
    const char *data;
    const char *config;
    const char *listen_asked;
    const char *smsc_asked;
    const char *system_id_asked;
    const char *password_file;
    const char *address_asked;
    const char *key_file_asked;
    const char *public_url_asked;
    const char *log_form_asked;
    const char *log_level_asked;
    double speed; // how much faster than real time the server's clock runs; 1 outside laboratories
    bool single_person;
    bool is_confined; // by a filter of system calls [confine.h]
    bool has_basic;
    unsigned factor_roles;              // (1 << enum user_role) of those that need a second factor
    char leaked_file[SERVER_PATH_SIZE]; // of passwords that nobody may have; "": none
    bool is_clear;
    struct server_networks proxies, metrics_from;
    bool proxy_certificates; // proxies tell of clients' certificates
    // What came of both.
    char listen[SERVER_TEXT_SIZE];
    char plain_listen[SERVER_TEXT_SIZE];           // in the clear, beside one with TLS; "": none
    unsigned connections, connections_per_address; // of HTTP, at once
    char public_url[SERVER_TEXT_SIZE];             // "": as it listens
    char smdp_host[SERVER_TEXT_SIZE]; // that activation codes name; "": that of the public URL
    struct server_tls tls;            // of the listener; no certificate: plain HTTP
    char key_file[SERVER_PATH_SIZE];
    char address[OUTBOX_ADDRESS_SIZE];
    uint8_t audit_percent; // see struct outbox_options
    uint64_t audit_gap_us; // see struct turn_options
    struct server_smsc smscs[OUTBOX_LINKS_MAX];
    unsigned smsc_count;
    struct server_route routes[OUTBOX_ROUTES_MAX]; // the first one is "main"
    unsigned route_count;
    struct outbox_plmns plmns;
    struct server_folder folders[SERVER_FOLDERS_MAX];
    unsigned folder_count;
    enum log_form log_form;
    enum log_level log_level;
    struct policy policy;
    struct server_sinks sinks;
    unsigned trail_months; // after which a month of the trail is removed; 0: never
    bool is_memory_locked; // not the file's: all of it,
    bool are_keys_locked;  // or what has keys
    // After which they go; 0: never.
    unsigned operation_months, campaign_months, alarm_months, location_months, message_days;
    unsigned retired_key_days;                // after which a retired card's keys are erased
    char trail_archive[SERVER_PATH_SIZE];     // folder that it is written to before; "": none
    char checkpoint_folder[SERVER_PATH_SIZE]; // of the file of checkpoints; "": that of the data
};

// Completes `s` from its configuration file and defaults. False, with a reason that names file and
// line where there is one.
bool server_settings_read(struct server_settings *s,
                          char error[SERVER_SETTINGS_ERROR_SIZE]) MUST_USE;
// The password in a file that nobody else may read; false, with a reason.
bool server_password_read(const char *path, char password[SERVER_PASSWORD_SIZE],
                          char error[SERVER_SETTINGS_ERROR_SIZE]) MUST_USE;
// "DIR/name"; false when it is too long.
bool server_path(const struct server_settings *s, const char *name,
                 char path[SERVER_PATH_SIZE]) MUST_USE;
// The file of checkpoints.
bool server_checkpoints(const struct server_settings *s, char path[SERVER_PATH_SIZE]) MUST_USE;
