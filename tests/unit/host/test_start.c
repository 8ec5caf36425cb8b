#include "tests/lib/cmocka_all.h"

#include "common/host/config.h"
#include "common/host/datadir.h"
#include "common/host/ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[64]; // a new folder for this test
    char inside[96];
};

static int make_folder(void **state)
{
    static struct folder f;
    f = (struct folder){"/tmp/otaria-start-XXXXXX", ""};
    if (!mkdtemp(f.path))
        return -1;
    (void)snprintf(f.inside, sizeof f.inside, "%s/data", f.path);
    *state = &f;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *f = *state;
    char lock[128];
    (void)snprintf(lock, sizeof lock, "%s/lock", f->inside);
    (void)unlink(lock);
    (void)unlink(f->inside);
    (void)rmdir(f->inside);
    return rmdir(f->path);
}

static void a_data_folder_is_made_closed_to_others_and_serves_one_process(void **state)
{
    struct folder *f = *state;
    int first;
    int second;
    assert_int_equal(datadir_open(f->inside, &first), DATADIR_OK);
    struct stat about;
    assert_int_equal(stat(f->inside, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0700);
    assert_int_equal(datadir_open(f->inside, &second), DATADIR_LOCKED);
    (void)close(first);
    assert_int_equal(datadir_open(f->inside, &second), DATADIR_OK);
    (void)close(second);
}

static void a_data_folder_that_others_can_enter_is_refused(void **state)
{
    struct folder *f = *state;
    int fd;
    assert_int_equal(mkdir(f->inside, 0700), 0);
    assert_int_equal(chmod(f->inside, 0750), 0);
    assert_int_equal(datadir_open(f->inside, &fd), DATADIR_NOT_OURS);
}

static void a_data_folder_without_a_parent_is_refused(void **state)
{
    (void)state;
    int fd;
    assert_int_equal(datadir_open("/proc/no/such/folder", &fd), DATADIR_CANNOT_MAKE);
}

static void readiness_is_one_line_of_json(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const struct ready_item items[] = {{"smpp", "127.0.0.1:1"}, {"http", "[::1]:2"}};
    assert_true(ready_say(ends[1], "smsc-sim", items, 2));
    char expected[256];
    char text[256] = "";
    int len = snprintf(expected, sizeof expected,
                       "{\"event\":\"ready\",\"program\":\"smsc-sim\",\"pid\":%d,"
                       "\"smpp\":\"127.0.0.1:1\",\"http\":\"[::1]:2\"}\n",
                       (int)getpid());
    assert_int_equal(read(ends[0], text, sizeof text - 1), len);
    assert_string_equal(text, expected);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static cfg_t *read_config(struct folder *f, const char *text, char error[CONFIG_ERROR_SIZE])
{
    FILE *file = fopen(f->inside, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    cfg_opt_t smpp[] = {CFG_INT("window", 10, CFGF_NONE), CFG_END()};
    cfg_opt_t options[] = {CFG_STR("listen", "127.0.0.1:0", CFGF_NONE),
                           CFG_SEC("smpp", smpp, CFGF_NONE), CFG_END()};
    return config_read(options, f->inside, error);
}

static void a_configuration_gives_its_values_and_defaults(void **state)
{
    char error[CONFIG_ERROR_SIZE];
    cfg_t *config = read_config(*state, "smpp {\n  window = 20\n}\n", error);
    assert_non_null(config);
    assert_int_equal(cfg_getint(config, "smpp|window"), 20);
    assert_string_equal(cfg_getstr(config, "listen"), "127.0.0.1:0");
    (void)cfg_free(config);
}

static void a_wrong_configuration_is_reported_with_file_and_line(void **state)
{
    struct folder *f = *state;
    char error[CONFIG_ERROR_SIZE];
    char expected[CONFIG_ERROR_SIZE];
    (void)snprintf(expected, sizeof expected, "%s:2: ", f->inside);
    assert_null(read_config(f, "smpp {\n  windwo = 20\n}\n", error));
    assert_memory_equal(error, expected, strlen(expected));
    assert_non_null(strstr(error, "windwo"));
    assert_null(read_config(f, "smpp {\n  window = many\n}\n", error));
    assert_memory_equal(error, expected, strlen(expected));
    cfg_opt_t none[] = {CFG_END()};
    assert_null(config_read(none, "/nonexistent/otaria.conf", error));
    assert_string_equal(error, "/nonexistent/otaria.conf: No such file or directory");
}

static void a_secret_file_that_others_can_read_is_noticed(void **state)
{
    struct folder *f = *state;
    char error[CONFIG_ERROR_SIZE];
    (void)cfg_free(read_config(f, "", error));
    assert_int_equal(chmod(f->inside, 0640), 0);
    assert_false(config_is_private(f->inside));
    assert_int_equal(chmod(f->inside, 0600), 0);
    assert_true(config_is_private(f->inside));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_data_folder_is_made_closed_to_others_and_serves_one_process),
        IN_A_FOLDER(a_data_folder_that_others_can_enter_is_refused),
        cmocka_unit_test(a_data_folder_without_a_parent_is_refused),
        cmocka_unit_test(readiness_is_one_line_of_json),
        IN_A_FOLDER(a_configuration_gives_its_values_and_defaults),
        IN_A_FOLDER(a_wrong_configuration_is_reported_with_file_and_line),
        IN_A_FOLDER(a_secret_file_that_others_can_read_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
