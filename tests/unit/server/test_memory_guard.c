// What another program of the same user sees of a process that has keys.
#include "tests/lib/cmocka_all.h"

#include "common/host/process.h"
#include "ota-server/shell/memory_guard.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

enum seen { SEEN_NOT_TRIED, SEEN_ALLOWED, SEEN_REFUSED };

// A process that waits, dumpable as every program is at its start, or guarded.
static pid_t start_waiting(bool is_guarded)
{
    int ready[2];
    char octet = 0;
    if (pipe(ready) != 0)
        return -1;
    const pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        if (is_guarded && !process_hide())
            _exit(1);
        if (write(ready[1], "r", 1) == 1)
            (void)pause();
        _exit(0);
    }
    (void)close(ready[1]);
    const bool is_ready = read(ready[0], &octet, 1) == 1;
    (void)close(ready[0]);
    return is_ready ? pid : -1;
}

static bool opens(pid_t pid, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "rb");
    if (file != NULL)
        (void)fclose(file);
    return file != NULL;
}

// Without the capabilities of a superuser, which no guard is against.
static enum seen look_at(bool is_guarded)
{
    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
        return SEEN_NOT_TRIED;
    const pid_t pid = start_waiting(is_guarded);
    if (pid < 0)
        return SEEN_NOT_TRIED;
    const bool may_trace = ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0;
    const bool may_read = opens(pid, "mem") || opens(pid, "environ") || opens(pid, "maps");
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    if (may_trace != may_read)
        return SEEN_NOT_TRIED;
    return may_trace ? SEEN_ALLOWED : SEEN_REFUSED;
}

static enum seen seen_by_another(bool is_guarded)
{
    int status = 0;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit((int)look_at(is_guarded));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? (enum seen)WEXITSTATUS(status) : SEEN_NOT_TRIED;
}

static void nobody_of_the_same_user_reads_a_guarded_process(void **state)
{
    (void)state;
    if (seen_by_another(false) != SEEN_ALLOWED)
        skip(); // here nobody traces anything
    assert_int_equal(seen_by_another(true), SEEN_REFUSED);
}

static void a_guarded_process_writes_no_core(void **state)
{
    int status = 0;
    (void)state;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit core = {1, 1};
        const bool is_so = process_hide() && getrlimit(RLIMIT_CORE, &core) == 0 &&
                           core.rlim_cur == 0 && core.rlim_max == 0 &&
                           prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
        _exit(is_so ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static unsigned locked_kib(void)
{
    char line[128];
    unsigned kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmLck:", 6) == 0)
            kib = (unsigned)strtoul(line + 6, NULL, 10);
    }
    (void)fclose(file);
    return kib;
}

// Under a low limit all of it would mean refusals of memory later on.
static int lock_under_a_limit(void)
{
    static char keys[4096 * 4];
    const struct rlimit low = {65536, 65536};
    if (setrlimit(RLIMIT_MEMLOCK, &low) != 0 || (geteuid() == 0 && setuid(NOBODY) != 0))
        return 77;
    if (memory_guard_lock() || locked_kib() != 0)
        return 1;
    if (!memory_guard_keep(keys, sizeof keys) || locked_kib() < sizeof keys / 1024)
        return 2;
    void *more = malloc(64 << 20); // which the limit does not reach
    const bool is_given = more != NULL;
    free(more);
    return is_given ? 0 : 3;
}

static void under_a_low_limit_only_keys_are_locked(void **state)
{
    int status = 0;
    (void)state;
    if (IS_SANITIZED)
        skip(); // its run time locks nothing
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(lock_under_a_limit());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_of_the_same_user_reads_a_guarded_process),
        cmocka_unit_test(a_guarded_process_writes_no_core),
        cmocka_unit_test(under_a_low_limit_only_keys_are_locked),
    };
    return cmocka_run_group_tests_name("server_memory_guard", tests, NULL, NULL);
}
