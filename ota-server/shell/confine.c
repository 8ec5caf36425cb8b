#include "ota-server/shell/confine.h"

#include "common/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Its search for leaks traces the process.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_TRACE
#endif
#endif

// What neither does once it has begun. A call that is not named here is left to the kernel.
static const uint32_t BOTH_DENIED[] = {
#ifdef __x86_64__ // newer systems have only the one that names a folder
    SYS_mknod,
#endif
    SYS_mknodat,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_io_uring_setup,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_getfd,
    SYS_mount,
    SYS_umount2,
    SYS_chroot,
    SYS_pivot_root,
    SYS_unshare,
    SYS_setns,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_mq_open,
    SYS_shmget,
    SYS_msgget,
    SYS_semget,
    SYS_listen,
};

// What who makes requests never does besides, and what would reach the server's files and memory:
// it may be the same user.
static const uint32_t WORKER_DENIED[] = {
#ifdef __x86_64__ // likewise
    SYS_open,
    SYS_creat,
    SYS_fork,
    SYS_vfork,
    SYS_unlink,
    SYS_rename,
    SYS_link,
    SYS_symlink,
    SYS_mkdir,
    SYS_rmdir,
    SYS_chmod,
    SYS_chown,
#endif
    SYS_openat,
    SYS_openat2,
    SYS_clone,
    SYS_clone3,
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_prlimit64,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mkdirat,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_truncate,
    SYS_socketpair,
};

// What the server never does besides: reach into other processes, change the system or what it sees
// of it, or use those parts of the kernel that weaknesses were found in most often. It starts its
// worker anew, which inherits this: what that needs is not here.
static const uint32_t SERVER_DENIED[] = {
#ifdef __x86_64__
    SYS_iopl,
    SYS_ioperm,
    SYS_uselib,
    SYS__sysctl,
#endif
#ifndef UNDER_TRACE
    SYS_ptrace,
#endif
    SYS_process_madvise,
    SYS_kcmp,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_fanotify_init,
    SYS_open_tree,
    SYS_move_mount,
    SYS_fsopen,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_personality,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_quotactl,
    SYS_syslog,
    SYS_vhangup,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_memfd_create,
};

// Of these families a process may open sockets; those that end with 0 are fewer.
#define FAMILIES_MAX 4
static const uint32_t WORKER_FAMILIES[FAMILIES_MAX] = {AF_INET, AF_INET6};
static const uint32_t SERVER_FAMILIES[FAMILIES_MAX] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))
#define DENIED_MAX 96
#define FIELD(name) (uint32_t) offsetof(struct seccomp_data, name)
#define LOAD(name) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(name)))
#define END(action) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action))
// Goes on behind the next one unless the value is `value`.
#define IF(value) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1))
#define IF_NOT(value) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0))
#define IF_FROM(value) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, 0, 1))
#define REFUSED (SECCOMP_RET_ERRNO | EPERM)

#ifdef __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif
#define FOREIGN_CALLS 0x40000000u // those of x32, under other numbers

struct filter {
    struct sock_filter steps[2 * (DENIED_MAX + FAMILIES_MAX) + 16];
    unsigned short count;
};

static void add(struct filter *f, struct sock_filter step)
{
    f->steps[f->count++] = step;
}

// What is refused says EPERM: a library that tries something goes on without it.
static void deny(struct filter *f, const uint32_t *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add(f, IF(calls[i]));
        add(f, END(REFUSED));
    }
}

static bool confine(const uint32_t *calls, size_t count, const uint32_t *families)
{
    struct filter f = {.count = 0};
    check(COUNT_OF(BOTH_DENIED) + count <= DENIED_MAX);
    add(&f, LOAD(arch));
    add(&f, IF_NOT(ARCHITECTURE));
    add(&f, END(SECCOMP_RET_KILL_PROCESS));
    add(&f, LOAD(nr));
    add(&f, IF_FROM(FOREIGN_CALLS));
    add(&f, END(SECCOMP_RET_KILL_PROCESS));
    deny(&f, BOTH_DENIED, COUNT_OF(BOTH_DENIED));
    deny(&f, calls, count);
    add(&f, IF_NOT(SYS_socket));
    add(&f, END(SECCOMP_RET_ALLOW));
    add(&f, LOAD(args[0]));
    for (size_t i = 0; i < FAMILIES_MAX && families[i] != 0; i++) {
        add(&f, IF(families[i]));
        add(&f, END(SECCOMP_RET_ALLOW));
    }
    add(&f, END(REFUSED));
    const struct sock_fprog program = {.len = f.count, .filter = f.steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
}

bool confine_worker(void)
{
    return confine(WORKER_DENIED, COUNT_OF(WORKER_DENIED), WORKER_FAMILIES);
}

bool confine_server(void)
{
    return confine(SERVER_DENIED, COUNT_OF(SERVER_DENIED), SERVER_FAMILIES);
}

// --- files -----------------------------------------------------------------------------------

#define RENAMES_FROM 2 // of the kernel's interface: files may be renamed into other folders
#define CUTS_FROM 3
#define CUTS (1ull << 14) // LANDLOCK_ACCESS_FS_TRUNCATE, which Debian 12 has no name for
#define CHANGES                                                                                    \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

static bool allow(int rules, const char *path, uint64_t changes)
{
    const int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return true; // whoever needs it says so
    const struct landlock_path_beneath_attr below = {.allowed_access = changes, .parent_fd = fd};
    const bool is_added =
        syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0;
    return close(fd) == 0 && is_added;
}

bool confine_writes(const char *const *folders, size_t count)
{
    const long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < RENAMES_FROM)
        return true;
    const uint64_t cuts = version >= CUTS_FROM ? CUTS : 0;
    const struct landlock_ruleset_attr all = {.handled_access_fs = CHANGES | cuts};
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
    // What its worker is started with reads and writes nothing.
    bool is_done = rules >= 0 && allow(rules, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE | cuts);
    for (size_t i = 0; i < count && is_done; i++)
        is_done = allow(rules, folders[i], CHANGES | cuts);
    is_done = is_done && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
              syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    if (rules >= 0)
        (void)close(rules);
    return is_done;
}
