// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_doctor.c - `weir doctor`: can this host be recorded, and if not, why.
 *
 * The sources are not asked but tried: loaded, attached, and taken out again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/utsname.h>

#include "cmd.h"
#include "cmd_pin.h"
#include "confine.h"
#include "json.h"
#include "kernel.h"
#include "source.h"
#include "table.h"

#define OLDEST_KERNEL KERNEL_VERSION_OF(5, 10)

enum verdict {
	VERDICT_OK,
	VERDICT_NOTE, /* works, with less */
	VERDICT_BAD,
};

static const char *const verdicts[] = {"ok", "note", "BAD"};

struct finding {
	enum verdict verdict;
	char detail[200];
	const char *remedy; /* or "" */
};

/* First line of a small file. */
static bool read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(line, (int)size, f);

	if (f)
		fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* ---- checks -------------------------------------------------------------- */

static void check_kernel(const struct kernel *k, struct finding *f)
{
	struct utsname u;

	uname(&u);
	snprintf(f->detail, sizeof(f->detail), "%.100s %.40s, %u CPUs",
		 k->release, u.machine, k->cpus);
	if (k->version >= OLDEST_KERNEL)
		return;
	f->verdict = VERDICT_BAD;
	f->remedy = "weir needs Linux 5.10 or later";
}

static void check_btf(const struct kernel *k, struct finding *f)
{
	snprintf(f->detail, sizeof(f->detail), "/sys/kernel/btf/vmlinux %s",
		 k->btf ? "is there" : "cannot be read");
	if (k->btf)
		return;
	f->verdict = VERDICT_BAD;
	f->remedy = "a kernel with CONFIG_DEBUG_INFO_BTF=y is needed";
}

static void check_tracefs(const struct kernel *k, struct finding *f)
{
	snprintf(f->detail, sizeof(f->detail), "%s",
		 k->tracefs ? "mounted" : "not mounted, or not readable");
	if (k->tracefs)
		return;
	f->verdict = k->preemptible_tp ? VERDICT_NOTE : VERDICT_OK;
	f->remedy = k->preemptible_tp
			    ? "without it events are missed, and counted: "
			      "mount -t tracefs tracefs /sys/kernel/tracing"
			    : "not needed before Linux 7.0";
}

static void check_pids(const struct kernel *k, struct finding *f)
{
	snprintf(f->detail, sizeof(f->detail), "%s",
		 k->inner_pids ? "in a pid namespace of its own"
			       : "the kernel's own numbers");
	if (!k->inner_pids)
		return;
	f->verdict = VERDICT_BAD;
	f->remedy = "run weir in the host's (docker run --pid=host)";
}

static bool can(cap_value_t cap)
{
	cap_t caps = cap_get_proc();
	cap_flag_value_t set = CAP_CLEAR;

	if (caps && cap_get_flag(caps, cap, CAP_EFFECTIVE, &set))
		set = CAP_CLEAR;
	cap_free(caps);
	return set == CAP_SET;
}

/* Linux 5.8 took CAP_BPF and CAP_PERFMON out of CAP_SYS_ADMIN. */
static bool can_capture(void)
{
	return can(CAP_SYS_ADMIN) || (can(CAP_BPF) && can(CAP_PERFMON));
}

static void check_privileges(const struct kernel *k, struct finding *f)
{
	snprintf(f->detail, sizeof(f->detail), "CAP_BPF %s, CAP_PERFMON %s",
		 can(CAP_SYS_ADMIN) || can(CAP_BPF) ? "yes" : "no",
		 can(CAP_SYS_ADMIN) || can(CAP_PERFMON) ? "yes" : "no");
	if (can_capture() && !k->inner_user)
		return;
	f->verdict = VERDICT_BAD;
	f->remedy = k->inner_user
			    ? "not for BPF, in a user namespace; run it outside"
			    : "try sudo; reading archives needs no privileges";
}

/* What would do in place of root, from a kernel on or before one. */
static const struct need {
	const char *cap, *what;
	unsigned from, before;
} needs[] = {
	{"CAP_BPF", "to load", 0, 0},
	{"CAP_PERFMON", "to attach", 0, 0},
	{"CAP_SYS_RESOURCE", "for memory", 0, KERNEL_VERSION_OF(5, 11)},
	{"CAP_DAC_READ_SEARCH", "for tracefs", KERNEL_VERSION_OF(7, 0), 0},
	{"CAP_SYS_ADMIN", "to measure the cost; without it weir does not", 0,
	 0},
};

static void check_least(const struct kernel *k, struct finding *f)
{
	const struct need *n = needs;
	size_t len = 0;

	for (; n < needs + sizeof(needs) / sizeof(needs[0]); n++) {
		if (k->version < n->from ||
		    (n->before && k->version >= n->before))
			continue;
		len += (size_t)snprintf(f->detail + len,
					sizeof(f->detail) - len, "%s%s (%s)",
					len ? ", " : "", n->cap, n->what);
	}
}

static void check_files(const struct kernel *k, struct finding *f)
{
	int abi = confine_files_abi();

	(void)k;
	snprintf(f->detail, sizeof(f->detail), abi ? "version %d" : "no", abi);
	if (abi)
		return;
	f->verdict = VERDICT_NOTE;
	f->remedy = "while it records, files are kept from weir by its user "
		    "alone (Linux 5.13, lsm=landlock)";
}

static void check_calls(const struct kernel *k, struct finding *f)
{
	bool yes = confine_has_calls();

	(void)k;
	snprintf(f->detail, sizeof(f->detail), "%s", yes ? "yes" : "no");
	if (yes)
		return;
	f->verdict = VERDICT_NOTE;
	f->remedy = "while it records, weir may make any system call "
		    "(CONFIG_SECCOMP_FILTER)";
}

static void check_lockdown(const struct kernel *k, struct finding *f)
{
	char line[100] = "not built in";

	read_line("/sys/kernel/security/lockdown", line, sizeof(line));
	snprintf(f->detail, sizeof(f->detail), "%s", line);
	if (!k->confidential)
		return;
	f->verdict = VERDICT_NOTE;
	f->remedy = "strings (paths, arguments) cannot be captured";
}

static void check_jit(const struct kernel *k, struct finding *f)
{
	char line[100] = "";

	(void)k;
	if (!read_line("/proc/sys/net/core/bpf_jit_enable", line, sizeof(line)))
		strcpy(line, "1"); /* CONFIG_BPF_JIT_ALWAYS_ON, or not root */
	snprintf(f->detail, sizeof(f->detail), "%s",
		 line[0] == '0' ? "off" : "on");
	if (line[0] != '0')
		return;
	f->verdict = VERDICT_NOTE;
	f->remedy = "recording costs more: sysctl net.core.bpf_jit_enable=1";
}

static void check_stats(const struct kernel *k, struct finding *f)
{
	char line[100] = "0";

	(void)k;
	read_line("/proc/sys/kernel/bpf_stats_enabled", line, sizeof(line));
	snprintf(f->detail, sizeof(f->detail), "%s",
		 line[0] == '0' ? "off: weir samples them for its own cost"
				: "on: every BPF program of the host pays");
	if (line[0] == '0')
		return;
	f->verdict = VERDICT_NOTE;
	f->remedy = "unless wanted: sysctl kernel.bpf_stats_enabled=0";
}

static const struct check {
	const char *name;
	void (*find)(const struct kernel *k, struct finding *ret);
} checks[] = {
	{"kernel", check_kernel},	  {"BTF", check_btf},
	{"tracefs", check_tracefs},	  {"processes", check_pids},
	{"privileges", check_privileges}, {"instead of root", check_least},
	{"Landlock", check_files},	  {"seccomp", check_calls},
	{"lockdown", check_lockdown},	  {"JIT", check_jit},
	{"BPF statistics", check_stats},
};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

/* ---- the report ---------------------------------------------------------- */

struct report {
	struct buf out;
	struct json json;
	struct table table;
	bool is_json, bad;
};

static void put_finding(struct report *r, const char *name,
			const struct finding *f)
{
	if (f->verdict == VERDICT_BAD)
		r->bad = true;
	if (!r->is_json) {
		table_cell(&r->table, "%s", name);
		table_cell(&r->table, "%s", verdicts[f->verdict]);
		table_cell(&r->table, "%s%s%s", f->detail,
			   f->remedy[0] ? "; " : "", f->remedy);
		return;
	}
	json_begin(&r->json, '{');
	json_member_str(&r->json, "check", name);
	json_member_str(&r->json, "verdict", verdicts[f->verdict]);
	json_member_str(&r->json, "detail", f->detail);
	json_member_str(&r->json, "remedy", f->remedy);
	json_end(&r->json, '}');
}

static void run_checks(struct report *r)
{
	struct finding f;
	struct kernel k;
	size_t i;

	kernel_probe(&k);
	for (i = 0; i < CHECKS; i++) {
		f = (struct finding){.remedy = ""};
		checks[i].find(&k, &f);
		put_finding(r, checks[i].name, &f);
	}
}

static void put_source(struct report *r, const struct source_info *info)
{
	const char *state = info->on ? info->why[0] ? "in part" : "on" : "OFF";

	if (!info->on)
		r->bad |= info->by_default;
	if (!r->is_json) {
		table_cell(&r->table, "%s", info->name);
		table_cell(&r->table, "%s", state);
		table_cell(&r->table, "%u programs%s%s%s%s", info->programs,
			   info->paths ? ", paths by " : "",
			   info->paths ? info->paths : "",
			   info->why[0] ? "; " : "", info->why);
		return;
	}
	json_begin(&r->json, '{');
	json_member_str(&r->json, "source", info->name);
	json_member_bool(&r->json, "on", info->on);
	json_member_bool(&r->json, "default", info->by_default);
	json_member_u64(&r->json, "programs", info->programs);
	json_member_str(&r->json, "paths", info->paths);
	json_member_str(&r->json, "why", info->why);
	json_end(&r->json, '}');
}

static void put_sources(struct report *r, const struct sources *s)
{
	struct source_info info;
	unsigned i;

	for (i = 0; i < sources_count(s); i++) {
		sources_info(s, i, &info);
		if (strcmp(info.name, SOURCE_REPO))
			put_source(r, &info);
	}
}

/* Load and attach each, look what became of it, take it out again. */
static int try_sources(struct report *r)
{
	const char *names[SOURCES_MAX];
	struct sources_options o = {.names = names};
	const struct embedded *e;
	struct sources *s;
	char why[512] = "";
	int err;

	for (e = weir_embedded; e->name && o.name_count < SOURCES_MAX; e++)
		names[o.name_count++] = e->name;
	err = sources_open(&s, &o, why, sizeof(why));
	if (err)
		return fail("%s", why[0] ? why : strerror(-err));
	if (!sources_load(s) && !sources_attach(s))
		err = 0; /* and if not: each one says why */
	put_sources(r, s);
	sources_detach(s);
	sources_free(s);
	return EXIT_OK;
}

static void begin_list(struct report *r, const char *name)
{
	if (!r->is_json)
		return;
	json_key(&r->json, name);
	json_begin(&r->json, '[');
}

static void end_list(struct report *r)
{
	if (r->is_json)
		json_end(&r->json, ']');
	else
		table_print(&r->table, &r->out);
}

/* Return: EXIT_OK, with the report in @r->out; else the exit code. */
static int make_report(struct report *r)
{
	int rc;

	if (r->is_json) {
		json_begin(&r->json, '{');
		json_member_str(&r->json, "version", WEIR_VERSION);
	}
	begin_list(r, "checks");
	run_checks(r);
	end_list(r);
	if (!r->is_json)
		buf_putc(&r->out, '\n');
	begin_list(r, "sources");
	rc = try_sources(r);
	end_list(r);
	if (r->is_json) {
		json_end(&r->json, '}');
		json_line(&r->json);
	}
	return rc;
}

static int doctor(const void *arg, const struct opt_words *words)
{
	const struct query_args *args = arg;
	struct report r = {.table.align = "lll", .is_json = args->json};
	int rc;

	(void)words;
	r.json.b = &r.out;
	rc = make_report(&r);
	if (rc == EXIT_OK)
		rc = put_stdout(&r.out);
	buf_done(&r.out);
	pins_say();
	return rc == EXIT_OK && r.bad ? EXIT_FAILED : rc;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.synopsis = "",
	.help = "tell what this host lets weir record, and what is missing",
	.about = "Every source is loaded, attached and taken out again. Exit "
		 "status 1 when\n"
		 "something is missing that recording by default needs.\n",
	.opts = {opts_json},
	.args_size = sizeof(struct query_args),
	.run = doctor,
};
