// SPDX-License-Identifier: BSD-2-Clause
/*
 * source_btf.c - what libbpf wants of the kernel's BTF, for a fraction of what
 * it takes to get it.
 *
 * Left alone it parses the kernel's 100,000 types anew for each object, and
 * searches all of them for each type that is relocated and each program that is
 * attached by BTF. Here they are gone over once. Objects are given a copy, in
 * memory, of those types alone that have a name that one of them uses (what
 * `bpftool gen min_core_btf` makes for kernels without BTF); programs are told
 * their ids. Where the copy cannot be made libbpf does as ever.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hash.h"
#include "source_internal.h"

/* Typedefs: tracepoints, and their arguments. */
#define PREFIX_TP "btf_trace_"
/* Functions: what an iterator is called with. */
#define PREFIX_ITER "bpf_iter_"

/* ---- names, and where the kernel has them -------------------------------- */

/* Names of types, or of what programs attach to, without what sets flavors
 * apart (task_struct___old). */
struct name {
	const char *text; /* borrowed; NULL: no name */
	size_t len;
	uint32_t id; /* the first that has it in the kernel; 0: none */
};

struct names {
	struct name *slots;
	size_t count, cap; /* cap: 2^n, at most half of it is used */
};

/* As bpf_core_essential_name_len() of libbpf: "___" before a suffix ends it. */
static size_t essential_len(const char *name)
{
	size_t n = strlen(name), i;

	for (i = n; i-- > 4;) {
		const char *s = name + i - 4;

		if (s[0] != '_' && !memcmp(s + 1, "___", 3) && s[4] != '_')
			return i - 3;
	}
	return n;
}

static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t h = len;
	size_t i;

	for (i = 0; i < len; i++)
		h = h * 31 + (unsigned char)text[i];
	return hash_u64(h);
}

/* Return: where it is, or would be. */
static struct name *find_name(const struct names *n, const char *text,
			      size_t len)
{
	size_t i = hash_of(text, len) & (n->cap - 1);

	while (n->slots[i].text &&
	       (n->slots[i].len != len || memcmp(n->slots[i].text, text, len)))
		i = (i + 1) & (n->cap - 1);
	return &n->slots[i];
}

static int grow_names(struct names *n)
{
	struct names more = {.cap = n->cap ? 2 * n->cap : 1024};
	size_t i;

	more.count = n->count;
	more.slots = calloc(more.cap, sizeof(*more.slots));
	if (!more.slots)
		return -ENOMEM;
	for (i = 0; i < n->cap; i++)
		if (n->slots[i].text)
			*find_name(&more, n->slots[i].text,
				   n->slots[i].len) = n->slots[i];
	free(n->slots);
	*n = more;
	return 0;
}

static int add_name(struct names *n, const char *text, size_t len, uint32_t id)
{
	struct name *at;

	if (2 * (n->count + 1) > n->cap && grow_names(n))
		return -ENOMEM;
	at = find_name(n, text, len);
	if (at->text)
		return 0;
	*at = (struct name){text, len, id};
	n->count++;
	return 0;
}

struct kernel_types {
	const struct btf *btf;
	struct names hooks; /* what programs attach to */
	int fd;		    /* the copy; -1 */
	uint32_t cast;	    /* bpf_rdonly_cast(); 0: it does not work */
	uint32_t word;	    /* struct pt_regs; the same */
	int handlers[3];    /* libbpf's, for the sections of programs */
	char path[64];	    /* of the copy */
};

static bool begins_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/*
 * For bpf/peek.bpf.h. On x86 struct pt_regs begins with the register r15
 * (arch/x86/include/asm/ptrace.h).
 */
static void find_cast(struct kernel_types *k, const struct btf_type *t,
		      uint32_t id)
{
	const char *name = btf__name_by_offset(k->btf, t->name_off);

	if (btf_is_struct(t) && !strcmp(name, "pt_regs"))
		k->word = id;
	else if (btf_is_func(t) && !strcmp(name, "bpf_rdonly_cast"))
		k->cast = id;
}

/* One pass over all there are. */
static int find_hooks(struct kernel_types *k)
{
	uint32_t i, n = btf__type_cnt(k->btf);
	const struct btf_type *t;
	const char *name;
	int err = 0;

	for (i = 1; i < n && !err; i++) {
		t = btf__type_by_id(k->btf, i);
		find_cast(k, t, i);
		if (!btf_is_typedef(t) && !btf_is_func(t))
			continue;
		name = btf__name_by_offset(k->btf, t->name_off);
		if (begins_with(name, btf_is_func(t) ? PREFIX_ITER : PREFIX_TP))
			err = add_name(&k->hooks, name, strlen(name), i);
	}
	return err;
}

static uint32_t find_hook(const struct kernel_types *k, const char *prefix,
			  const char *name)
{
	char full[128];
	int len = snprintf(full, sizeof(full), "%s%s", prefix, name);

	if (!k->hooks.cap || len < 0 || (size_t)len >= sizeof(full))
		return 0;
	return find_name(&k->hooks, full, (size_t)len)->id;
}

int source_tracepoint_args(const struct sources *s, const char *name)
{
	uint32_t id = s->types ? find_hook(s->types, PREFIX_TP, name) : 0;

	return id ? btf_tracepoint_args(s->kernel_btf, id) : -ENOENT;
}

/* ---- the copy ------------------------------------------------------------ */

struct copy {
	const struct btf *from;
	struct btf *to;
	uint32_t *ids;	 /* by id in @from: that in @to; 0: not copied */
	uint32_t *queue; /* of @from, their own references not copied yet */
	size_t first, last;
};

static int copy_type(struct copy *c, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(c->from, id);
	int new_id;

	if (!id || !t || c->ids[id])
		return 0;
	new_id = btf__add_type(c->to, c->from, t);
	if (new_id < 0)
		return new_id;
	c->ids[id] = (uint32_t)new_id;
	c->queue[c->last++] = id;
	return 0;
}

/*
 * What a type is made of. Not what it points to: whoever follows a pointer
 * names the type that it finds there.
 */
static int copy_parts(struct copy *c, const struct btf_type *t)
{
	uint16_t i;
	int err = 0;

	if (btf_is_composite(t))
		for (i = 0; i < btf_vlen(t) && !err; i++)
			err = copy_type(c, btf_members(t)[i].type);
	else if (btf_is_array(t))
		err = copy_type(c, btf_array(t)->type)
			      ?: copy_type(c, btf_array(t)->index_type);
	else if (btf_is_mod(t) || btf_is_typedef(t))
		err = copy_type(c, t->type);
	return err;
}

/* References are still those of the kernel's BTF. */
static void renumber(struct copy *c)
{
	uint32_t i, n = btf__type_cnt(c->to);
	uint16_t m;

	for (i = 1; i < n; i++) {
		struct btf_type *t;

		t = (struct btf_type *)btf__type_by_id(c->to, i);
		if (btf_is_composite(t)) {
			for (m = 0; m < btf_vlen(t); m++)
				btf_members(t)[m].type =
					c->ids[btf_members(t)[m].type];
		} else if (btf_is_array(t)) {
			btf_array(t)->type = c->ids[btf_array(t)->type];
			btf_array(t)->index_type =
				c->ids[btf_array(t)->index_type];
		} else if (btf_is_mod(t) || btf_is_typedef(t)) {
			t->type = c->ids[t->type];
		} else if (btf_is_ptr(t)) {
			t->type = 0;
		} else if (btf_is_func_proto(t)) {
			t->type = 0;
			for (m = 0; m < btf_vlen(t); m++)
				btf_params(t)[m].type = 0;
		}
	}
}

/* Can an object's type of this name and kind be relocated to it? */
static bool is_target(const struct btf_type *t)
{
	return t->name_off && (btf_is_composite(t) || btf_is_any_enum(t) ||
			       btf_is_typedef(t) || btf_is_fwd(t));
}

static int copy_named(struct copy *c, const struct names *wanted)
{
	uint32_t i, n = btf__type_cnt(c->from);
	const struct btf_type *t;
	const char *name;
	int err = 0;

	for (i = 1; i < n && !err; i++) {
		t = btf__type_by_id(c->from, i);
		if (!is_target(t))
			continue;
		name = btf__name_by_offset(c->from, t->name_off);
		if (find_name(wanted, name, essential_len(name))->text)
			err = copy_type(c, i);
	}
	while (c->first < c->last && !err)
		err = copy_parts(
			c, btf__type_by_id(c->from, c->queue[c->first++]));
	if (!err)
		renumber(c);
	return err;
}

static int copy_types(struct btf **ret, const struct btf *from,
		      const struct names *wanted)
{
	struct copy c = {.from = from, .to = btf__new_empty()};
	uint32_t n = btf__type_cnt(from);
	int err = -ENOMEM;

	c.ids = calloc(n, sizeof(*c.ids));
	c.queue = calloc(n, sizeof(*c.queue));
	if (c.to && c.ids && c.queue)
		err = copy_named(&c, wanted);
	free(c.ids);
	free(c.queue);
	if (err)
		btf__free(c.to);
	else
		*ret = c.to;
	return err;
}

static int add_names_of(struct names *n, const struct btf *btf)
{
	uint32_t i, count = btf__type_cnt(btf);
	const struct btf_type *t;
	const char *name;
	int err = 0;

	for (i = 1; i < count && !err; i++) {
		t = btf__type_by_id(btf, i);
		if (!is_target(t))
			continue;
		name = btf__name_by_offset(btf, t->name_off);
		err = add_name(n, name, essential_len(name), 0);
	}
	return err;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n < 0)
			return -errno;
	}
	return 0;
}

int source_btf_copy(struct btf **ret, const struct btf *from,
		    const struct btf *const *by, unsigned n)
{
	struct names wanted = {0};
	unsigned i;
	int err = grow_names(&wanted);

	for (i = 0; i < n && !err; i++)
		err = add_names_of(&wanted, by[i]);
	if (!err)
		err = copy_types(ret, from, &wanted);
	free(wanted.slots);
	return err;
}

int source_btf_fill(struct sources *s, struct source *const *list, unsigned n)
{
	const struct btf *by[SOURCES_MAX];
	struct btf *copy;
	const void *data;
	uint32_t len;
	unsigned i;
	int err;

	if (!s->types || s->types->fd < 0)
		return 0;
	for (i = 0; i < n; i++)
		by[i] = bpf_object__btf(list[i]->obj);
	err = source_btf_copy(&copy, s->types->btf, by, n);
	if (err)
		return err;
	data = btf__raw_data(copy, &len);
	err = data ? write_all(s->types->fd, data, len) : -ENOMEM;
	btf__free(copy);
	return err;
}

/* ---- libbpf -------------------------------------------------------------- */

static const struct {
	const char *section, *prefix;
	enum bpf_attach_type attach;
} hooks[] = {
	{"tp_btf/", PREFIX_TP, BPF_TRACE_RAW_TP},
	{"iter/", PREFIX_ITER, BPF_TRACE_ITER},
};

/*
 * Called for each program just before it is loaded. It is of type TRACING only
 * from here on: before, libbpf would take that as a reason to parse the
 * kernel's BTF.
 */
static int on_load(struct bpf_program *prog, struct bpf_prog_load_opts *opts,
		   long cookie)
{
	const struct kernel_types *k = (const struct kernel_types *)cookie;
	const char *section = bpf_program__section_name(prog);
	unsigned i = begins_with(section, hooks[0].section) ? 0 : 1;

	opts->attach_btf_id = find_hook(k, hooks[i].prefix,
					strchr(section, '/') + 1);
	if (!opts->attach_btf_id)
		return -ESRCH;
	return bpf_program__set_type(prog, BPF_PROG_TYPE_TRACING)
		       ?: source_peek_fill(prog, k->cast);
}

static int on_load_tp(struct bpf_program *prog, struct bpf_prog_load_opts *opts,
		      long cookie)
{
	(void)opts;
	return source_peek_fill(prog,
				((const struct kernel_types *)cookie)->cast);
}

/* "tp/CATEGORY/NAME": what libbpf does where the section is its own. */
static int attach_tp(const struct bpf_program *prog, long cookie,
		     struct bpf_link **ret_link)
{
	const char *category = bpf_program__section_name(prog) + strlen("tp/");
	const char *name = strchr(category, '/');
	char buf[64];

	(void)cookie;
	snprintf(buf, sizeof(buf), "%.*s", (int)(name - category), category);
	*ret_link = bpf_program__attach_tracepoint(prog, buf, name + 1);
	return *ret_link ? 0 : -errno;
}

static int take_sections(struct kernel_types *k)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)k,
		    .prog_prepare_load_fn = on_load);
	unsigned i;

	for (i = 0; i < 2; i++) {
		k->handlers[i] = libbpf_register_prog_handler(
			hooks[i].section, BPF_PROG_TYPE_RAW_TRACEPOINT,
			hooks[i].attach, &opts);
		if (k->handlers[i] < 0)
			return k->handlers[i];
	}
	opts.prog_prepare_load_fn = on_load_tp;
	opts.prog_attach_fn = attach_tp;
	k->handlers[2] = libbpf_register_prog_handler(
		"tp/", BPF_PROG_TYPE_TRACEPOINT, 0, &opts);
	return k->handlers[2] < 0 ? k->handlers[2] : 0;
}

/* Where there is no /proc, or no memfd, the kernel's own has to do. */
static void make_room(struct kernel_types *k)
{
	k->fd = memfd_create("weir-btf", MFD_CLOEXEC);
	snprintf(k->path, sizeof(k->path), "/proc/self/fd/%d", k->fd);
	if (k->fd >= 0 && !access(k->path, R_OK))
		return;
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	snprintf(k->path, sizeof(k->path), "%s", KERNEL_BTF_PATH);
}

int source_btf_open(struct sources *s)
{
	struct kernel_types *k;
	int err;

	s->kernel_btf = btf__load_vmlinux_btf();
	if (!s->kernel_btf)
		return 0;
	k = s->types = calloc(1, sizeof(*k));
	if (!k)
		return -ENOMEM;
	k->btf = s->kernel_btf;
	make_room(k);
	err = find_hooks(k);
	if (!k->cast || !source_peek_works(k->cast, k->word))
		k->cast = k->word = 0;
	return err ? err : take_sections(k);
}

uint32_t source_btf_word_type(const struct sources *s)
{
	return s->types ? s->types->word : 0;
}

const char *source_btf_path(const struct sources *s)
{
	return s->types ? s->types->path : NULL;
}

void source_btf_drop(struct sources *s)
{
	struct kernel_types *k = s->types;

	if (k) {
		if (k->fd >= 0)
			close(k->fd);
		k->fd = -1;
		free(k->hooks.slots);
		k->hooks = (struct names){0};
	}
	btf__free(s->kernel_btf);
	s->kernel_btf = NULL;
}

void source_btf_close(struct sources *s)
{
	struct kernel_types *k = s->types;
	unsigned i;

	source_btf_drop(s);
	for (i = 0; k && i < 3; i++)
		if (k->handlers[i] > 0)
			libbpf_unregister_prog_handler(k->handlers[i]);
	free(k);
	s->types = NULL;
}
