// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_capture.c - one recording of the live host; see cmd_capture.h.
 *
 * Signals are blocked in all threads and read from a descriptor, so that
 * nothing is interrupted. The first SIGINT, SIGTERM or SIGHUP ends the
 * recording; a later one ends weir at once. SIGHUP to one that has no terminal
 * begins a new segment instead.
 */
#include "cmd_capture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "cmd_record.h"
#include "progress.h"

#define POLL_NS	  (200 * NS_PER_MS)
#define STATUS_NS NS_PER_S /* between two status lines */
/* So long the command may take to follow a signal and still be recorded. */
#define LINGER_NS (400 * NS_PER_MS)
/* timeout(1) signals a process and then its group: that is one request. */
#define SAME_REQUEST_NS (300 * NS_PER_MS)

const struct opt opts_capture[] = {
	{
		.letter = 'p',
		.name = "pid",
		.type = OPT_LIST,
		.arg = "PID,...",
		.offset = offsetof(struct capture_args, trees),
		.help = "only these processes, what they have started and "
			"what they will",
	},
	{
		.name = "cgroup",
		.type = OPT_EACH,
		.complete = OPT_FILE,
		.arg = "PATH",
		.offset = offsetof(struct capture_args, cgroups),
		.help = "only processes in this cgroup (v2) and below: "
			"system.slice/nginx.service",
	},
	{
		.name = "for",
		.type = OPT_DURATION,
		.arg = "TIME",
		.offset = offsetof(struct capture_args, for_ns),
		.help = "end after TIME: 10s, 5m, 2h",
	},
	{
		.name = "set",
		.type = OPT_EACH,
		.arg = "SOURCE.NAME=VALUE",
		.offset = offsetof(struct capture_args, settings),
		.help = "change how a source captures: syscall.slower=1ms, "
			"syscall.calls=openat,connect (weir(1), SETTINGS)",
	},
	{
		.name = "buffer",
		.type = OPT_SIZE,
		.arg = "SIZE",
		.offset = offsetof(struct capture_args, ring_bytes),
		.help = "size of each source's buffer in the kernel (4M; sched "
			"8M, task 1M); syscall has half as much again, 128K "
			"to 2M for each CPU",
	},
	{
		.name = "main-ring",
		.type = OPT_SIZE,
		.arg = "SIZE",
		.offset = offsetof(struct capture_args, main_bytes),
		.help = "size of the ring that joins them (4M)",
	},
	{
		.name = "user",
		.type = OPT_STRING,
		.arg = "NAME",
		.offset = offsetof(struct capture_args, user),
		.help = "who to be once events flow (who called sudo, else "
			"nobody); root: give up nothing",
	},
	{
		.name = "explain",
		.type = OPT_FLAG,
		.offset = offsetof(struct capture_args, explain),
		.help = "tell which part of -f the kernel decides, and end",
	},
	{
		.letter = 'q',
		.name = "quiet",
		.type = OPT_FLAG,
		.offset = offsetof(struct capture_args, quiet),
		.help = "say nothing but errors and losses",
	},
	{0},
};

/* ---- opening ------------------------------------------------------------- */

static int measure(void *arg, bool on)
{
	return errand_measure(arg, on);
}

/* The command, also when it is only explained what would be recorded of it. */
static uint32_t follow_of(const struct capture *c)
{
	return c->command && c->args->explain ? (uint32_t)getpid()
					      : (uint32_t)c->child.pid;
}

static struct recorder_options options_of(const struct capture *c,
					  struct source_setting *settings)
{
	const struct capture_args *a = c->args;
	const struct query_args *q = &a->query;
	size_t i;

	for (i = 0; i < a->settings.count; i++)
		settings[i].text = a->settings.items[i];
	return (struct recorder_options){
		.sources =
			{
				.names = (const char *const *)q->sources.items,
				.name_count = q->sources.count,
				.settings = settings,
				.setting_count = a->settings.count,
				.follow = follow_of(c),
				.scope = &c->scope,
				.ring_bytes = a->ring_bytes,
				.errand = (uint32_t)errand_pid(c->errand),
				.pin = c->pinning.pin.fd < 0 ? NULL
							     : &c->pinning.pin,
				.measure = c->errand ? measure : NULL,
				.measure_arg = c->errand,
			},
		.kinds = (const char *const *)q->kinds.items,
		.kind_count = q->kinds.count,
		.filter = q->filter,
		.main_bytes = a->main_bytes,
	};
}

#define SETTINGS_MAX 64

static int open_recorder(struct capture *c)
{
	struct source_setting settings[SETTINGS_MAX];
	struct recorder_options o;
	struct recorder_error err;
	int rc;

	if (c->args->settings.count > SETTINGS_MAX)
		return usage("too many --set (at most %d)", SETTINGS_MAX);
	o = options_of(c, settings);
	rc = record_budget(c->args->budget, &o.budget);
	if (rc)
		return rc;
	rc = recorder_open(&c->recorder, &o, &err);
	if (!rc) {
		recorder_render(c->recorder)->utc = c->args->query.utc;
		return EXIT_OK;
	}
	if (err.filter.what[0])
		return usage_filter(c->args->query.filter, &err.filter);
	if (rc == -EINVAL && err.what[0])
		return usage("%s", err.what);
	return fail("%s", err.what[0] ? err.what : strerror(-rc));
}

int capture_open(struct capture *c, const struct capture_args *args,
		 char **command)
{
	int rc;

	memset(c, 0, sizeof(*c));
	c->args = args;
	c->command = command;
	c->begun_ns = clock_now();
	c->signal_fd = c->child.pidfd = c->child.go_fd = -1;
	c->child.exec_fd = c->notify.fd = -1;
	c->pinning.pin = PIN_NONE;
	c->shows_status = !args->quiet && progress_can(STDERR_FILENO);
	signal(SIGCHLD, SIG_DFL); /* or its end could not be waited for */
	rc = rights_open(c);
	if (!rc)
		rc = scope_open(c);
	if (!rc)
		rc = service_open(c);
	return rc ? rc : open_recorder(c);
}

/* ---- signals ------------------------------------------------------------- */

static uint64_t stopping_since; /* the stop flag */

static void on_late_signal(int sig)
{
	if (clock_now() - stopping_since < SAME_REQUEST_NS)
		return;
	signal(sig, SIG_DFL);
	raise(sig);
}

static void stop_signals(sigset_t *set)
{
	struct sigaction sa;

	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	if (!sigaction(SIGHUP, NULL, &sa) && sa.sa_handler != SIG_IGN)
		sigaddset(set, SIGHUP); /* else: nohup */
}

static bool has_window(const struct capture *c)
{
	return c->control && recorder_flight_of(c->recorder);
}

static int watch_signals(struct capture *c)
{
	sigset_t set;

	stop_signals(&set);
	if (has_window(c))
		sigaddset(&set, SIGUSR1);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a full disk, as any */
	sigprocmask(SIG_BLOCK, &set, NULL);
	c->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return c->signal_fd < 0 ? -errno : 0;
}

/* From now on a signal ends weir at once. */
static void arm_signals(void)
{
	struct sigaction sa = {.sa_handler = on_late_signal};
	sigset_t set;

	stopping_since = clock_now();
	stop_signals(&set);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (sigismember(&set, SIGHUP))
		sigaction(SIGHUP, &sa, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void pass_signal(struct capture *c)
{
	if (c->errand)
		errand_signal(c->errand, c->signal);
	else
		kill(c->child.pid, c->signal);
}

static void take_snapshot(struct capture *c, const struct signalfd_siginfo *by)
{
	char why[64];
	int err;

	snprintf(why, sizeof(why), "SIGUSR1 from uid %u, pid %u", by->ssi_uid,
		 by->ssi_pid);
	err = control_snapshot(c->control, why);
	if (err)
		say("SIGUSR1: no snapshot: %s", strerror(-err));
}

/*
 * Take a signal, if one came. From a terminal the command got it as well;
 * what was sent to weir alone is passed on.
 */
static bool take_signal(struct capture *c)
{
	struct signalfd_siginfo info;

	if (read(c->signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo == SIGUSR1) {
		take_snapshot(c, &info);
		return false;
	}
	if (info.ssi_signo == SIGHUP && c->rotates) {
		recorder_rotate(c->recorder);
		return false;
	}
	c->signal = (int)info.ssi_signo;
	if (c->child.pid && !c->child.ended && info.ssi_code != SI_KERNEL)
		pass_signal(c);
	arm_signals();
	return true;
}

/* ---- running ------------------------------------------------------------- */

static int release(struct capture *c)
{
	int err = child_release(&c->child);

	if (!err || err == -EPIPE) /* killed meanwhile: it has a status */
		return EXIT_OK;
	say("cannot execute '%s': %s", c->command[0], strerror(-err));
	return err == -ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* Of many CPUs there are more rings than the usual limit; COMMAND keeps it. */
static void raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

int capture_load(struct capture *c, const int *dirs, size_t dir_count)
{
	struct recorder_error err = {0};
	int rc;

	raise_file_limit();
	rc = watch_signals(c);
	if (rc)
		return fail("signalfd: %s", strerror(-rc));
	rc = recorder_load(c->recorder, &err);
	if (rc)
		return fail("%s", err.what[0] ? err.what : strerror(-rc));
	return c->confines ? rights_give_up(c, dirs, dir_count) : EXIT_OK;
}

struct attaching {
	struct recorder *recorder;
	struct pinning *pinning;
	struct recorder_error err;
};

static int attach(void *arg)
{
	struct attaching *a = arg;
	int err = recorder_attach(a->recorder, &a->err);

	if (err)
		return err;
	err = pinning_pin(a->pinning, a->recorder);
	if (err)
		snprintf(a->err.what, sizeof(a->err.what), "pin '%s': %s",
			 a->pinning->pin.name, strerror(-err));
	return err;
}

int capture_start(struct capture *c, const char *into)
{
	struct attaching a = {.recorder = c->recorder, .pinning = &c->pinning};
	int rc = recorder_start(c->recorder, &a.err);

	if (!rc)
		rc = privileged_call(c->privileged, attach, &a);
	if (rc)
		return fail("%s", a.err.what[0] ? a.err.what : strerror(-rc));
	c->started_ns = clock_now();
	capture_say_sources(c, into);
	rc = c->command ? release(c) : EXIT_OK;
	if (rc)
		return rc;
	privileged_close(c->privileged);
	c->privileged = NULL;
	notify_say(&c->notify, "READY=1\nSTATUS=capturing%s", into);
	return EXIT_OK;
}

static int sink_error(struct capture *c)
{
	struct recorder_status s;

	recorder_status(c->recorder, &s);
	return s.sink_error;
}

/* When the recording is to end at the latest; 0: not yet known. */
static uint64_t deadline(const struct capture *c)
{
	uint64_t end = c->args->for_ns ? c->started_ns + c->args->for_ns : 0;

	if (c->signal && (!end || stopping_since + LINGER_NS < end))
		end = stopping_since + LINGER_NS;
	return end;
}

static bool is_over(struct capture *c)
{
	uint64_t end;

	if (take_signal(c) && !c->command)
		return true;
	if (c->command && child_wait(&c->child, false))
		return true;
	if (c->ends_on_error && sink_error(c))
		return true;
	end = deadline(c);
	return end && clock_now() >= end;
}

static unsigned poll_control(const struct capture *c, struct pollfd *fds)
{
	int fd[CONTROL_FDS_MAX];
	unsigned i, n = c->control ? control_fds(c->control, fd) : 0;

	for (i = 0; i < n; i++)
		fds[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
	return n;
}

/* Until something happens, or it is time to look again. */
static void wait_a_while(const struct capture *c)
{
	struct pollfd fds[2 + CONTROL_FDS_MAX] = {
		{.fd = c->signal_fd, .events = POLLIN},
		{.fd = c->child.pidfd, .events = POLLIN},
	};
	unsigned n = 2 + poll_control(c, fds + 2);
	uint64_t ns = POLL_NS, end = deadline(c), now = clock_now();

	if (end && end - now < ns)
		ns = end > now ? end - now : 0;
	poll(fds, n, (int)((ns + NS_PER_MS - 1) / NS_PER_MS));
	if (c->control)
		control_run(c->control);
}

void capture_run(struct capture *c)
{
	uint64_t shown = c->started_ns, now;

	recorder_status(c->recorder, &c->last);
	while (!is_over(c)) {
		wait_a_while(c);
		now = clock_now();
		service_tell(c, now);
		if (!c->shows_status || now - shown < STATUS_NS)
			continue;
		capture_show_status(c, now, now - shown);
		shown = now;
	}
	capture_clear_status(c);
}

/* ---- the end ------------------------------------------------------------- */

static void say_cut(const struct capture *c)
{
	const struct sources *all = recorder_sources(c->recorder);
	struct source_info info;
	unsigned i;

	for (i = 0; i < sources_count(all); i++) {
		sources_info(all, i, &info);
		if (info.cut)
			say("source '%s': %s: not all that was unfinished at "
			    "the end is told",
			    info.name, info.why);
	}
}

int capture_stop(struct capture *c)
{
	int err;

	c->stopped_ns = clock_now();
	notify_say(&c->notify, "STOPPING=1");
	recorder_halt(c->recorder); /* or who comes next would go on */
	pinning_stop(&c->pinning, c->errand);
	err = recorder_stop(c->recorder);
	say_cut(c);
	return err;
}

int capture_exit(struct capture *c, int rc)
{
	struct pollfd fds[] = {
		{.fd = c->signal_fd, .events = POLLIN},
		{.fd = c->child.pidfd, .events = POLLIN},
	};

	if (!c->command)
		return rc;
	if (!child_wait(&c->child, false))
		say("recording ended; waiting for '%s' (pid %d) to end",
		    c->command[0], (int)c->child.pid);
	while (!child_wait(&c->child, false)) {
		poll(fds, 2, -1);
		take_signal(c);
	}
	return child_exit_code(&c->child);
}

void capture_end(struct capture *c)
{
	recorder_free(c->recorder);
	c->recorder = NULL;
}

void capture_close(struct capture *c)
{
	capture_end(c);
	privileged_close(c->privileged);
	child_done(&c->child);
	rights_clear(c);
	errand_done(c->errand);
	pinning_done(&c->pinning);
	notify_done(&c->notify);
	buf_done(&c->asked);
	if (c->signal_fd >= 0)
		close(c->signal_fd);
}
