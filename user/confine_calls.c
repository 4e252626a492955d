// SPDX-License-Identifier: BSD-2-Clause
/*
 * confine_calls.c - seccomp; see confine.h.
 *
 * One row for each system call a confined thread may make. What is added to
 * the recorder adds its calls here, with what they are for.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "confine.h"

enum limit {
	ANY,
	NOT_EXECUTABLE, /* memory that is never code: third argument */
	THREADS_ONLY,	/* clone(2) of a thread of this process: first */
	SELF_ONLY,	/* first argument is this process */
	NAMES_ONLY,	/* prctl(2) that names a thread */
	OWN_CWD_ONLY,	/* unshare(2) of the working directory */
	DETACH_ONLY,	/* ioctl(2) that switches a perf event off */
	TCP_ONLY,	/* setsockopt(2) of a TCP connection's: level */
};

static const struct call {
	int nr;
	enum limit limit;
} calls[] = {
	/* descriptors that are open */
	{SCMP_SYS(read), ANY},
	{SCMP_SYS(write), ANY},
	{SCMP_SYS(readv), ANY},
	{SCMP_SYS(writev), ANY},
	{SCMP_SYS(pread64), ANY},
	{SCMP_SYS(pwrite64), ANY},
	{SCMP_SYS(lseek), ANY},
	{SCMP_SYS(close), ANY},
	{SCMP_SYS(fstat), ANY},
	{SCMP_SYS(fcntl), ANY},
	{SCMP_SYS(ioctl), DETACH_ONLY},
	/* the archive: segments made, written, sealed, listed, retired */
	{SCMP_SYS(openat), ANY},
	{SCMP_SYS(openat2), ANY},
	{SCMP_SYS(newfstatat), ANY},
	{SCMP_SYS(getdents64), ANY},
	{SCMP_SYS(fchdir), ANY},
	{SCMP_SYS(mkdirat), ANY},
	{SCMP_SYS(unshare), OWN_CWD_ONLY},
	{SCMP_SYS(fchmod), ANY},
	{SCMP_SYS(fallocate), ANY},
	{SCMP_SYS(ftruncate), ANY},
	{SCMP_SYS(fsync), ANY},
	{SCMP_SYS(fdatasync), ANY},
	{SCMP_SYS(renameat), ANY},
	{SCMP_SYS(renameat2), ANY},
	{SCMP_SYS(unlinkat), ANY},
	/* who asks: weir status, weir snapshot */
	{SCMP_SYS(accept4), ANY},
	{SCMP_SYS(getsockopt), ANY},
	{SCMP_SYS(recvfrom), ANY},
	{SCMP_SYS(sendto), ANY},
	/* and who fetches metrics: libmicrohttpd */
	{SCMP_SYS(sendmsg), ANY},
	{SCMP_SYS(setsockopt), TCP_ONLY},
	{SCMP_SYS(shutdown), ANY},
	/* waiting, and waking others */
	{SCMP_SYS(poll), ANY},
	{SCMP_SYS(ppoll), ANY},
	{SCMP_SYS(epoll_wait), ANY},
	{SCMP_SYS(epoll_pwait), ANY},
	{SCMP_SYS(epoll_ctl), ANY},
	{SCMP_SYS(futex), ANY},
	{SCMP_SYS(nanosleep), ANY},
	{SCMP_SYS(clock_nanosleep), ANY},
	{SCMP_SYS(sched_yield), ANY},
	{SCMP_SYS(membarrier), ANY},
	{SCMP_SYS(restart_syscall), ANY},
	{SCMP_SYS(wait4), ANY},
	{SCMP_SYS(waitid), ANY},
	/* time, and who and where we are */
	{SCMP_SYS(clock_gettime), ANY},
	{SCMP_SYS(gettimeofday), ANY},
	{SCMP_SYS(time), ANY},
	{SCMP_SYS(getcpu), ANY},
	{SCMP_SYS(getpid), ANY},
	{SCMP_SYS(gettid), ANY},
	{SCMP_SYS(getuid), ANY},
	{SCMP_SYS(geteuid), ANY},
	{SCMP_SYS(uname), ANY},
	{SCMP_SYS(sysinfo), ANY},
	{SCMP_SYS(getrusage), ANY},
	{SCMP_SYS(prlimit64), ANY},
	{SCMP_SYS(getrandom), ANY},
	{SCMP_SYS(sched_getaffinity), ANY},
	/* memory */
	{SCMP_SYS(brk), ANY},
	{SCMP_SYS(mmap), NOT_EXECUTABLE},
	{SCMP_SYS(mprotect), NOT_EXECUTABLE},
	{SCMP_SYS(mremap), ANY},
	{SCMP_SYS(munmap), ANY},
	{SCMP_SYS(madvise), ANY},
	/* threads */
	{SCMP_SYS(clone), THREADS_ONLY},
	{SCMP_SYS(set_robust_list), ANY},
	{SCMP_SYS(rseq), ANY},
	{SCMP_SYS(prctl), NAMES_ONLY},
	{SCMP_SYS(exit), ANY},
	{SCMP_SYS(exit_group), ANY},
	/* signals; to oneself, a second SIGINT */
	{SCMP_SYS(rt_sigaction), ANY},
	{SCMP_SYS(rt_sigprocmask), ANY},
	{SCMP_SYS(rt_sigreturn), ANY},
	{SCMP_SYS(tgkill), SELF_ONLY},
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

static struct scmp_arg_cmp argument(enum limit limit)
{
	switch (limit) {
	case NOT_EXECUTABLE:
		return SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	case THREADS_ONLY:
		return SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	case SELF_ONLY:
		return SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0);
	case NAMES_ONLY:
		return SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0);
	case OWN_CWD_ONLY:
		return SCMP_A0(SCMP_CMP_EQ, CLONE_FS, 0);
	case TCP_ONLY:
		return SCMP_A1(SCMP_CMP_EQ, IPPROTO_TCP, 0);
	case DETACH_ONLY:
	case ANY:
		break;
	}
	return SCMP_A1(SCMP_CMP_EQ, PERF_EVENT_IOC_DISABLE, 0);
}

static int allow_call(scmp_filter_ctx filter, const struct call *c)
{
	struct scmp_arg_cmp arg = argument(c->limit);

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, c->nr,
				      c->limit == ANY ? 0 : 1, &arg);
}

/*
 * The flags of clone3(2) are in memory, which a filter cannot look at. Said to
 * be missing, libc takes clone(2).
 */
static int refuse_clone3(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
				SCMP_SYS(clone3), 0);
}

bool confine_has_calls(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

static int allow_recording(void *filter, const void *arg)
{
	int err = refuse_clone3(filter);
	size_t i;

	(void)arg;
	for (i = 0; i < CALLS && !err; i++)
		err = allow_call(filter, &calls[i]);
	return err;
}

int confine_calls_to(int (*allow)(void *filter, const void *arg),
		     const void *arg)
{
	scmp_filter_ctx filter;
	int err;

	if (!confine_has_calls())
		return 0;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	err = allow(filter, arg);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

int confine_calls(void)
{
	return confine_calls_to(allow_recording, NULL);
}
