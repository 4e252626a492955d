// SPDX-License-Identifier: BSD-2-Clause
/*
 * confine_test.c - what a confined process cannot do, tried from inside, and
 * what it still can. Each runs in a process of its own, for there is no way
 * back. As root the whole of it; else but what needs no root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../user/confine.h"
#include "../../user/errand.h"
#include "../../user/privileged.h"

static const struct pin no_pin = PIN_NONE;
static const struct errand_options nothing = {-1, &no_pin, -1, NULL};

static char dir[64];
static struct confine_user user;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/weir-confine.XXXXXX");
	if (!mkdtemp(dir) || confine_user(CONFINE_NOBODY, &user))
		return -1;
	return geteuid() ? 0 : chown(dir, user.uid, user.gid);
}

static int teardown(void **state)
{
	char command[128];
	static const char *const names[] = {"a", "b"};
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		snprintf(command, sizeof(command), "%s/%s", dir, names[i]);
		unlink(command);
	}
	return rmdir(dir);
}

static int confine_to_dir(int fd)
{
	struct confine c = {
		.user = geteuid() ? NULL : &user,
		.dirs = &fd,
		.dir_count = 1,
	};

	return confine(&c);
}

/* Confine a child and have it do @fn; it says in which line it failed. */
static void confined(int (*fn)(int dirfd))
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
	pid_t pid = fork();

	if (!pid) {
		alarm(20);
		_exit(confine_to_dir(fd) ? 255 : fn(fd));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		print_error("the child: status %#x, line %d of %d\n", status,
			    WEXITSTATUS(status) + 100, __LINE__);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The line, less 100, is the exit status: 1..254. */
#define check(condition)                                                       \
	do {                                                                   \
		if (!(condition))                                              \
			return __LINE__ - 100;                                 \
	} while (0)
#define refused(call) check((call) < 0 && (errno == EPERM || errno == EACCES))

/* ---- what it cannot do --------------------------------------------------- */

static int no_foreign_files(int dirfd)
{
	(void)dirfd;
	refused(open("/etc/shadow", O_RDONLY));
	refused(open("/proc/1/environ", O_RDONLY));
	if (confine_files_abi()) {
		refused(open("/etc/passwd", O_RDONLY));
		refused(open("/tmp/weir-confine-other", O_RDWR | O_CREAT,
			     0600));
		refused(open("/dev/null", O_RDWR));
	}
	return 0;
}

static int no_processes(int dirfd)
{
	char *const words[] = {(char *)"true", NULL};

	(void)dirfd;
	refused(fork());
	refused(vfork());
	refused(execv("/bin/true", words));
	refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	refused(kill(getppid(), 0));
	refused(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
	/* nobody's: the filter's no, and not that of a user's rights */
	refused(ptrace(PTRACE_ATTACH, INT_MAX, NULL, NULL));
	refused(kill(INT_MAX, 0));
	refused(syscall(SYS_tgkill, INT_MAX, INT_MAX, 0));
	refused(syscall(SYS_process_vm_readv, INT_MAX, NULL, 0, NULL, 0, 0));
	return 0;
}

static int no_privileges(int dirfd)
{
	union bpf_attr attr = {0};

	(void)dirfd;
	refused(setuid(0));
	refused(syscall(SYS_setresuid, 0, 0, 0));
	refused(syscall(SYS_setgroups, 0, NULL));
	refused(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)));
	refused(syscall(SYS_bpf, BPF_ENABLE_STATS, &attr, sizeof(attr)));
	refused(syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
	refused(syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
	refused(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	/* what takes no right, but for the filter */
	refused(setuid(geteuid()));
	refused(syscall(SYS_setresuid, -1, -1, -1));
	refused(unshare(CLONE_FILES));
	refused(unshare(CLONE_FS | CLONE_FILES));
	refused(ioctl(STDIN_FILENO, TIOCSTI, "x"));
	return 0;
}

static int no_network(int dirfd)
{
	int one = 1;

	refused(setsockopt(dirfd, SOL_SOCKET, SO_DEBUG, &one, sizeof(one)));
	refused(socket(AF_INET, SOCK_STREAM, 0));
	refused(socket(AF_UNIX, SOCK_STREAM, 0));
	refused(socket(AF_NETLINK, SOCK_RAW, 0));
	return 0;
}

static int no_code(int dirfd)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)dirfd;
	check(p != MAP_FAILED);
	refused(mprotect(p, 4096, PROT_READ | PROT_EXEC));
	check(mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	return 0;
}

static void a_confined_process_reads_no_foreign_file(void **state)
{
	(void)state;
	confined(no_foreign_files);
}

static void a_confined_process_starts_and_touches_no_process(void **state)
{
	(void)state;
	confined(no_processes);
}

static void a_confined_process_gets_no_privilege_back(void **state)
{
	(void)state;
	confined(no_privileges);
}

static void a_confined_process_has_no_network(void **state)
{
	(void)state;
	confined(no_network);
}

static void a_confined_process_runs_no_new_code(void **state)
{
	(void)state;
	confined(no_code);
}

/* ---- what it can --------------------------------------------------------- */

static int files_of_its_own(int dirfd)
{
	int fd = openat(dirfd, "a", O_RDWR | O_CREAT | O_EXCL, 0600);
	struct stat st;
	DIR *d;

	check(fd >= 0);
	check(write(fd, "abc", 3) == 3);
	check(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 8192));
	check(!ftruncate(fd, 2));
	check(!fdatasync(fd));
	check(!fstat(fd, &st) && st.st_size == 2 && st.st_uid == geteuid());
	check(!renameat2(dirfd, "a", dirfd, "b", RENAME_NOREPLACE));
	check(!fchdir(dirfd));
	d = opendir(".");
	check(d && readdir(d));
	closedir(d);
	check(open("b", O_RDONLY) >= 0);
	check(!unlinkat(dirfd, "b", 0));
	return 0;
}

static int facts_of_this_host(int dirfd)
{
	(void)dirfd;
	check(open("/proc/self/statm", O_RDONLY) >= 0);
	check(open("/proc/sys/kernel/random/boot_id", O_RDONLY) >= 0);
	check(open("/sys/devices/system/cpu/possible", O_RDONLY) >= 0);
	return 0;
}

static void *in_thread(void *arg)
{
	*(int *)arg = socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM;
	return NULL;
}

static int threads_of_its_own(int dirfd)
{
	int was_refused = 0;
	pthread_t t;

	(void)dirfd;
	check(!pthread_create(&t, NULL, in_thread, &was_refused));
	check(!pthread_join(t, NULL));
	check(was_refused);
	check(malloc(64 << 20));
	return 0;
}

static int itself_to_kill(int dirfd)
{
	(void)dirfd;
	signal(SIGUSR1, SIG_IGN);
	check(!raise(SIGUSR1));
	return 0;
}

static void a_confined_process_works_in_its_directory(void **state)
{
	(void)state;
	confined(files_of_its_own);
}

static void a_confined_process_reads_what_it_measures(void **state)
{
	(void)state;
	confined(facts_of_this_host);
}

static void threads_of_a_confined_one_are_confined(void **state)
{
	(void)state;
	confined(threads_of_its_own);
}

static void a_confined_process_may_end_itself(void **state)
{
	(void)state;
	confined(itself_to_kill);
}

/* ---- a thread that is not ------------------------------------------------ */

static int open_hosts(void *arg)
{
	(void)arg;
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static int rights_of_another(void)
{
	struct privileged *p;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (privileged_open(&p) || confine_to_dir(fd))
		return 1;
	if (privileged_call(p, open_hosts, NULL) < 0)
		return 2;
	privileged_close(p);
	if (confine_files_abi() && open_hosts(NULL) >= 0)
		return 3;
	return privileged_call(NULL, open_hosts, NULL) >= 0;
}

static void a_thread_from_before_keeps_its_rights_until_it_ends(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		alarm(20);
		_exit(rights_of_another());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (confine_files_abi())
		assert_int_equal(status, 0);
}

/* ---- errands ------------------------------------------------------------- */

static int start_sleeper(pid_t *ret)
{
	*ret = fork();
	if (!*ret) {
		pause();
		_exit(0);
	}
	return (int)syscall(SYS_pidfd_open, *ret, 0);
}

static void an_errand_signals_the_command_and_nobody_else(void **state)
{
	struct errand *e;
	pid_t pid;
	int pidfd = start_sleeper(&pid), status;

	(void)state;
	assert_true(pidfd >= 0);
	assert_int_equal(
		errand_start(
			&e, &(struct errand_options){pidfd, &no_pin, -1, NULL}),
		0);
	assert_true(errand_pid(e) > 0);
	assert_int_equal(errand_signal(e, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGTERM);
	assert_int_equal(errand_signal(e, SIGTERM), -ESRCH);
	errand_done(e);
	close(pidfd);
	assert_int_equal(errand_start(&e, &nothing), 0);
	assert_int_equal(errand_signal(e, SIGTERM), -EPERM);
	errand_done(e);
}

static void an_errand_clears_what_is_empty(void **state)
{
	char at[] = "/tmp/weir-test-XXXXXX", path[64];
	struct errand_options o = {-1, &no_pin, -1, "made"};
	struct errand *e;

	(void)state;
	assert_non_null(mkdtemp(at));
	o.at = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(o.at, "made", 0700), 0);
	assert_int_equal(mkdirat(o.at, "made/below", 0700), 0);
	assert_int_equal(errand_start(&e, &o), 0);
	assert_int_equal(errand_clear(e), -ENOTEMPTY);
	assert_int_equal(unlinkat(o.at, "made/below", AT_REMOVEDIR), 0);
	assert_int_equal(errand_clear(e), 0);
	snprintf(path, sizeof(path), "%s/made", at);
	assert_int_equal(access(path, F_OK), -1);
	errand_done(e);
	close(o.at);
	assert_int_equal(rmdir(at), 0);
}

static int stats_on(void)
{
	FILE *f = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");

	if (f)
		fclose(f);
	return f != NULL;
}

static void an_errand_measures_for_who_may_not(void **state)
{
	struct errand *e;

	(void)state;
	if (geteuid() || !stats_on())
		skip();
	assert_int_equal(errand_start(&e, &nothing), 0);
	assert_int_equal(errand_measure(e, true), 0);
	assert_int_equal(errand_measure(e, true), 0);
	assert_int_equal(errand_measure(e, false), 0);
	errand_done(e);
}

static void an_errand_ends_with_who_it_serves(void **state)
{
	struct errand *e;
	int ends[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (!pid) {
		if (errand_start(&e, &nothing))
			_exit(1);
		(void)!write(ends[1], "x", 1);
		pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close(ends[1]); /* the errand has closed its own */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

/* ---- who ----------------------------------------------------------------- */

static void users_are_found_by_name_and_number(void **state)
{
	struct confine_user u;

	(void)state;
	assert_int_equal(confine_user("root", &u), 0);
	assert_int_equal(u.uid, 0);
	assert_int_equal(confine_user("4242", &u), 0);
	assert_int_equal(u.uid, 4242);
	assert_int_equal(confine_user("nobody", &u), 0);
	assert_int_not_equal(u.uid, 0);
	assert_int_equal(confine_user("no such user", &u), -ENOENT);
	assert_int_equal(confine_user("", &u), -ENOENT);
	assert_int_equal(confine_user("-1", &u), -ENOENT);
	assert_int_equal(confine_user("4294967295", &u), -ENOENT);
}

static void who_called_sudo_is_believed_by_root_alone(void **state)
{
	struct confine_user u;

	(void)state;
	setenv("SUDO_UID", "1234", 1);
	setenv("SUDO_GID", "99", 1);
	assert_int_equal(confine_caller(&u), !geteuid());
	if (!geteuid()) {
		assert_int_equal(u.uid, 1234);
		assert_int_equal(u.gid, 99);
	}
	setenv("SUDO_UID", "0", 1);
	assert_false(confine_caller(&u));
	setenv("SUDO_UID", "12x", 1);
	assert_false(confine_caller(&u));
	unsetenv("SUDO_UID");
	assert_false(confine_caller(&u));
}

#define in_dir(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_dir(a_confined_process_reads_no_foreign_file),
		in_dir(a_confined_process_starts_and_touches_no_process),
		in_dir(a_confined_process_gets_no_privilege_back),
		in_dir(a_confined_process_has_no_network),
		in_dir(a_confined_process_runs_no_new_code),
		in_dir(a_confined_process_works_in_its_directory),
		in_dir(a_confined_process_reads_what_it_measures),
		in_dir(threads_of_a_confined_one_are_confined),
		in_dir(a_confined_process_may_end_itself),
		in_dir(a_thread_from_before_keeps_its_rights_until_it_ends),
		cmocka_unit_test(an_errand_signals_the_command_and_nobody_else),
		cmocka_unit_test(an_errand_clears_what_is_empty),
		cmocka_unit_test(an_errand_measures_for_who_may_not),
		cmocka_unit_test(an_errand_ends_with_who_it_serves),
		cmocka_unit_test(users_are_found_by_name_and_number),
		cmocka_unit_test(who_called_sudo_is_believed_by_root_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
