// SPDX-License-Identifier: BSD-2-Clause
/* Which sources there are and what they are set to. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "rodata.h"
#include "source_internal.h"
#include "units.h"

bool source_is(const struct source *src, const char *name)
{
	return !strcmp(src->bytes->name, name);
}

void source_fail(struct source *src, const char *fmt, ...)
{
	va_list args;

	src->on = false;
	if (src->why[0])
		return; /* the first reason is the cause */
	va_start(args, fmt);
	vsnprintf(src->why, sizeof(src->why), fmt, args);
	va_end(args);
}

static int on_libbpf(enum libbpf_print_level level, const char *fmt,
		     va_list args) __attribute__((format(printf, 2, 0)));

/* libbpf's own words are for whoever debugs; a level below what it thinks. */
static int on_libbpf(enum libbpf_print_level level, const char *fmt,
		     va_list args)
{
	if (level != LIBBPF_DEBUG)
		log_vdebug(fmt, args);
	return 0;
}

static struct source *find_source(const struct sources *s, const char *name,
				  size_t len)
{
	const struct source *src;

	for (src = s->list; src < s->list + s->count; src++) {
		if (strlen(src->bytes->name) == len &&
		    !memcmp(src->bytes->name, name, len))
			return (struct source *)src;
	}
	return NULL;
}

/* ---- settings --------------------------------------------------------------
 */

/* A number with or without a unit of time or size. */
static int parse_number(const char *text, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 0);
	if (*text >= '0' && *text <= '9' && !*end && !errno)
		return 0;
	if (!parse_duration_ns(text, ret))
		return 0;
	return parse_size(text, ret);
}

static const struct schema_enum *syscall_names(const struct sources *s)
{
	const struct schema_kind *k = schema_kind_by_name(s->schema,
							  "syscall_done");
	const struct schema_field *f = k ? schema_field(k, "name") : NULL;

	return f ? f->names : NULL;
}

enum call_mode { CALL_NEVER, CALL_ALWAYS, CALL_SLOW }; /* syscall.bpf.c */

/*
 * Calls kept by name, the others when they are slow. Numbers of no call that
 * is known are rare, and would be a way round: kept.
 */
static void default_calls(uint8_t *mode, size_t count)
{
	memset(mode, CALL_ALWAYS, count);
#define KEEP(nr, name, sig, class)                                             \
	if ((nr) < count)                                                      \
		mode[nr] = (class) ? CALL_ALWAYS : CALL_SLOW;
	WEIR_SYSCALLS(KEEP)
#undef KEEP
}

static int set_call(const struct sources *s, uint8_t *mode, size_t count,
		    const char *name, size_t len)
{
	int64_t nr;

	if (len == 3 && !memcmp(name, "all", 3)) {
		memset(mode, CALL_ALWAYS, count);
		return 0;
	}
	if (len == 7 && !memcmp(name, "default", 7)) {
		default_calls(mode, count);
		return 0;
	}
	if (!syscall_names(s) || enum_value(syscall_names(s), name, len, &nr) ||
	    (uint64_t)nr >= count)
		return -EINVAL;
	mode[nr] = CALL_ALWAYS;
	return 0;
}

/* syscall.calls=all|none|default|NAME,… */
static int set_calls(const struct sources *s, struct source *src,
		     const char *list, char *why, size_t why_len)
{
	size_t count, len;
	uint8_t *mode = rodata_find(src->obj, "syscall_mode", &count);

	if (!mode)
		return -ENOENT;
	memset(mode, CALL_SLOW, count);
	if (!strcmp(list, "none"))
		return 0;
	for (; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		if (set_call(s, mode, count, list, len)) {
			snprintf(why, why_len,
				 "no syscall is called '%.*s' (see 'weir list "
				 "fields syscall_done'; or all, none, default)",
				 (int)len, list);
			return -EINVAL;
		}
	}
	return 0;
}

static int set_one(const struct sources *s, struct source *src,
		   const char *name, const char *value, char *why,
		   size_t why_len)
{
	const char *source = src->bytes->name;
	char full[128];
	size_t size;
	uint64_t n;

	if (source_is(src, "syscall") && !strcmp(name, "calls"))
		return set_calls(s, src, value, why, why_len);
	snprintf(full, sizeof(full), "%s_%s", source, name);
	if (!rodata_find(src->obj, full, &size))
		snprintf(why, why_len,
			 "source '%s' has no setting '%s' (weir(1), SETTINGS)",
			 source, name);
	else if (parse_number(value, &n))
		snprintf(why, why_len,
			 "%s.%s: '%s' is no number, time or size (write 1, "
			 "10ms, 64K)",
			 source, name, value);
	else if (rodata_set(src->obj, full, n))
		snprintf(why, why_len, "%s.%s: %s is too large", source, name,
			 value);
	else
		return 0;
	return -EINVAL;
}

/* "source.name=value": is it for @src, and how long are its parts? */
static bool setting_for(const struct source *src, const char *text,
			const char **ret_name)
{
	size_t len = strlen(src->bytes->name);

	*ret_name = text + len + 1;
	return !strncmp(text, src->bytes->name, len) && text[len] == '.';
}

int source_apply(struct sources *s, struct source *src, char *why,
		 size_t why_len)
{
	const char *name, *value;
	char key[64];
	size_t i, count;
	uint8_t *mode = rodata_find(src->obj, "syscall_mode", &count);
	int err = 0;

	if (mode) {
		default_calls(mode, count);
		rodata_set(src->obj, "syscall_slower", 10000000);
	}
	for (i = 0; i < s->o.setting_count && !err; i++) {
		if (!setting_for(src, s->o.settings[i].text, &name))
			continue;
		value = strchr(name, '=');
		snprintf(key, sizeof(key), "%.*s",
			 value ? (int)(value - name) : 0, name);
		err = set_one(s, src, key, value ? value + 1 : "", why,
			      why_len);
	}
	return err;
}

/* ---- opening ---------------------------------------------------------------
 */

struct bpf_object *source_object(const struct sources *s,
				 const struct source *src, const void *data,
				 uint64_t size)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts,
		    .object_name = src->bytes->name);

	/* For a BTF that is named libbpf does not search that of modules, nor
	 * fail where it may not. */
	opts.btf_custom_path = source_btf_path(s);
	return bpf_object__open_mem(data, size, &opts);
}

static int open_object(struct sources *s, struct source *src, char *why,
		       size_t why_len)
{
	const char *reason = "";
	int err;

	src->obj = source_object(s, src, src->bytes->data, src->bytes->size);
	if (!src->obj) {
		snprintf(why, why_len, "source '%s' cannot be opened: %s",
			 src->bytes->name, strerror(errno));
		return -errno;
	}
	src->has_programs = bpf_object__next_program(src->obj, NULL) != NULL;
	src->by_default = rodata_get(src->obj, "weir_by_default", 1);
	src->value = (unsigned)rodata_get(src->obj, "weir_value", 0);
	err = schema_add_btf(s->schema, src->bytes->name,
			     bpf_object__btf(src->obj), s->kernel_btf, &reason);
	if (err) {
		snprintf(why, why_len, "source '%s': bad schema: %s",
			 src->bytes->name, reason);
		return err;
	}
	return source_plain_open(src);
}

static int open_all(struct sources *s, char *why, size_t why_len)
{
	const struct embedded *e;
	struct source *src;
	int err;

	for (e = weir_embedded; e->name; e++) {
		if (s->count == SOURCES_MAX) {
			snprintf(why, why_len, "more than %d sources",
				 SOURCES_MAX);
			return -E2BIG;
		}
		src = &s->list[s->count++];
		src->bytes = e;
		src->cpu_rings_fd = -1;
		err = open_object(s, src, why, why_len);
		if (err)
			return err;
	}
	return 0;
}

static void unknown_source(const struct sources *s, const char *name,
			   size_t name_len, char *why, size_t why_len)
{
	unsigned i;
	int n;

	n = snprintf(why, why_len,
		     "no source is called '%.*s'; there are:", (int)name_len,
		     name);
	for (i = 0; i < s->count && n > 0 && (size_t)n < why_len; i++)
		n += snprintf(why + n, why_len - (size_t)n, " %s",
			      s->list[i].bytes->name);
}

static int choose(struct sources *s, char *why, size_t why_len)
{
	struct source *src;
	const char *name;
	size_t i;

	for (i = 0; i < s->count; i++) {
		src = &s->list[i];
		src->wanted = !s->o.name_count ? src->by_default
					       : source_is(src, SOURCE_TASK);
	}
	for (i = 0; i < s->o.name_count; i++) {
		name = s->o.names[i];
		src = find_source(s, name, strlen(name));
		if (!src) {
			unknown_source(s, name, strlen(name), why, why_len);
			return -EINVAL;
		}
		src->wanted = true;
	}
	for (i = 0; i < s->count; i++)
		s->list[i].asked_for = s->list[i].wanted;
	return 0;
}

/* Every setting must be for some source, and every value make sense. */
static int check_settings(struct sources *s, char *why, size_t why_len)
{
	const char *text;
	size_t i;
	unsigned j;
	int err;

	for (i = 0; i < s->o.setting_count; i++) {
		text = s->o.settings[i].text;
		if (!strchr(text, '=') || !strchr(text, '.')) {
			snprintf(why, why_len, "'%s' is not SOURCE.NAME=VALUE",
				 text);
			return -EINVAL;
		}
		if (!find_source(s, text, strcspn(text, "."))) {
			unknown_source(s, text, strcspn(text, "."), why,
				       why_len);
			return -EINVAL;
		}
	}
	for (j = 0; j < s->count; j++) {
		err = source_apply(s, &s->list[j], why, why_len);
		if (err)
			return err;
	}
	return 0;
}

/* A ring buffer has 2 GiB at most, and there may be one shard alone. */
static int check_ring_bytes(const struct sources *s, char *why, size_t why_len)
{
	if (s->o.ring_bytes <= RING_BYTES_MAX)
		return 0;
	snprintf(why, why_len, "--buffer can have 2G at most");
	return -EINVAL;
}

int sources_open(struct sources **ret, const struct sources_options *opts,
		 char *why, size_t why_len)
{
	struct sources *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	snprintf(why, why_len, "out of memory");
	if (!s)
		return -ENOMEM;
	libbpf_set_print(on_libbpf);
	s->o = *opts;
	s->stats_fd = s->own_fd = -1;
	kernel_probe(&s->kernel);
	err = check_ring_bytes(s, why, why_len);
	if (!err)
		err = source_btf_open(s);
	if (!err)
		err = schema_new(&s->schema);
	if (!err)
		err = open_all(s, why, why_len);
	if (!err)
		err = choose(s, why, why_len);
	if (!err)
		err = check_settings(s, why, why_len);
	if (err)
		goto out;
	s->rows = calloc((size_t)s->count * (s->kernel.cpus + 1),
			 sizeof(*s->rows));
	if (!s->rows) {
		err = -ENOMEM;
		goto out;
	}
	*why = '\0';
	*ret = s;
	return 0;
out:
	sources_free(s);
	return err;
}

/* ---- questions --------------------------------------------------------------
 */

const struct schema *sources_schema(const struct sources *s)
{
	return s->schema;
}

uint64_t sources_setting(const struct sources *s, const char *source,
			 const char *name)
{
	struct source *src = find_source(s, source, strlen(source));
	char full[128];

	snprintf(full, sizeof(full), "%s_%s", source, name);
	return src && src->obj ? rodata_get(src->obj, full, 0) : 0;
}

bool sources_wants(const struct sources *s, const struct schema_kind *k)
{
	return !s->unwanted[k->number];
}

unsigned sources_count(const struct sources *s)
{
	return s->count;
}

unsigned sources_index(const struct sources *s, const char *name)
{
	unsigned i;

	for (i = 0; i < s->count; i++)
		if (source_is(&s->list[i], name))
			return i;
	return 0;
}

unsigned sources_cpus(const struct sources *s)
{
	return s->kernel.cpus;
}

static const char *help_of(const struct sources *s, const char *name)
{
	const struct schema_source *src = schema_source_by_name(s->schema,
								name);

	return src ? src->help : "";
}

static const char *paths_of(const struct sources *s, const struct source *src)
{
	size_t size;

	if (!src->on || !src->obj || s->kernel.confidential ||
	    !rodata_find(src->obj, "weir_word_type", &size))
		return NULL;
	return source_btf_word_type(s) ? "loads" : "helper";
}

void sources_info(const struct sources *s, unsigned i, struct source_info *ret)
{
	const struct source *src = &s->list[i];
	unsigned j;

	*ret = (struct source_info){
		.name = src->bytes->name,
		.help = help_of(s, src->bytes->name),
		.wanted = src->wanted,
		.on = src->on,
		.by_default = src->by_default,
		.value = src->value,
		.why = src->why,
		.cut = src->cut,
		.rings = src->ring_count,
		.ring_bytes = src->ring_bytes * src->ring_count +
			      src->cpu_ring_bytes * src->cpu_ring_count,
		.paths = paths_of(s, src),
	};
	for (j = 0; j < src->program_count; j++)
		ret->programs += src->programs[j].link &&
				 !source_is_iter(&src->programs[j]);
}

unsigned source_rings(const struct source *src)
{
	return src->ring_count + src->cpu_ring_count;
}

struct kring_place source_ring_at(const struct source *src, unsigned i)
{
	if (i < src->ring_count)
		return kring_of_map(src->ring_fds[i], src->ring_bytes);
	return kring_of_cpu(src->cpu_rings_fd, src->cpu_ring_bytes,
			    i - src->ring_count);
}

unsigned sources_ring_count(const struct sources *s)
{
	unsigned i, n = 0;

	for (i = 0; i < s->count; i++)
		n += source_rings(&s->list[i]);
	return n;
}

struct source_ring sources_ring(const struct sources *s, unsigned i)
{
	const struct source *src = s->list;

	while (i >= source_rings(src))
		i -= source_rings(src++);
	return (struct source_ring){
		.at = source_ring_at(src, i),
		.source = (unsigned)(src - s->list),
		.keep = source_is(src, SOURCE_TASK),
	};
}
