#include "ota-server/shell/egress.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

// What who makes requests never does once it has begun, and what would reach the server's files and
// memory: it may be the same user. A call that is not named here is left to the kernel.
static const uint32_t DENIED[] = {
#ifdef __x86_64__ // newer systems have only those that name a folder
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
    SYS_mknod,
    SYS_chmod,
    SYS_chown,
#endif
    SYS_openat,
    SYS_openat2,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_io_uring_setup,
    SYS_clone,
    SYS_clone3,
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_prlimit64,
    SYS_unlinkat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_fchmodat,
    SYS_fchownat,
    SYS_truncate,
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
    SYS_socketpair,
    SYS_listen,
};

#define DENIED_COUNT (sizeof DENIED / sizeof DENIED[0])
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

bool egress_confine(void)
{
    struct sock_filter steps[2 * DENIED_COUNT + 16];
    unsigned short count = 0;
    steps[count++] = LOAD(arch);
    steps[count++] = IF_NOT(ARCHITECTURE);
    steps[count++] = END(SECCOMP_RET_KILL_PROCESS);
    steps[count++] = LOAD(nr);
    steps[count++] = IF_FROM(FOREIGN_CALLS);
    steps[count++] = END(SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < DENIED_COUNT; i++) {
        steps[count++] = IF(DENIED[i]);
        steps[count++] = END(REFUSED);
    }
    steps[count++] = IF_NOT(SYS_socket);
    steps[count++] = END(SECCOMP_RET_ALLOW);
    steps[count++] = LOAD(args[0]); // of the Internet, and no other
    steps[count++] = IF(AF_INET);
    steps[count++] = END(SECCOMP_RET_ALLOW);
    steps[count++] = IF(AF_INET6);
    steps[count++] = END(SECCOMP_RET_ALLOW);
    steps[count++] = END(REFUSED);
    const struct sock_fprog program = {.len = count, .filter = steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
