// SPDX-License-Identifier: BSD-2-Clause
/* What was asked for, brought into the sources: as little as can be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "filter_clause.h"
#include "rodata.h"
#include "source_internal.h"

/* A kind's filter in its source, as asked at the end and at earlier places. */
#define AT_END "filter"
static const char *const early[EARLY_PLACES] = {"entry", "exit", "result",
						"span"};

static struct weir_filter *filter_at(const struct source *src, const char *at,
				     const char *kind)
{
	struct weir_filter *f;
	char name[128];
	size_t size;

	snprintf(name, sizeof(name), "weir_%s_%s", at, kind);
	f = rodata_find(src->obj, name, &size);
	return f && size == sizeof(*f) ? f : NULL;
}

static struct source *source_of(const struct sources *s,
				const struct schema_kind *k)
{
	unsigned i;

	for (i = 0; i < s->count; i++)
		if (source_is(&s->list[i], k->source))
			return (struct source *)&s->list[i];
	return NULL;
}

/*
 * The names of tasks that are not followed are not kept up to date, and under
 * lockdown those of others are not either: the kernel's would be others.
 */
static bool tells_comm(const struct sources *s, const struct weir_filter *f)
{
	return f->tells_comm && !sources_follow(s) && !s->kernel.confidential;
}

bool sources_filters(const struct sources *s, const struct schema_kind *k,
		     struct source_filter *ret)
{
	const struct source *src = source_of(s, k);
	const struct weir_filter *f = src ? filter_at(src, AT_END, k->name)
					  : NULL;

	memset(ret, 0, sizeof(*ret));
	if (!f || sources_setting(s, SOURCE_REPO, "user_filter"))
		return false;
	ret->tells_comm = tells_comm(s, f);
	f = filter_at(src, early[0], k->name);
	if (f)
		memcpy(ret->known, f->known, sizeof(ret->known));
	return true;
}

/* What sources_narrow() is given. */
struct narrow {
	const struct select *sel;
	const struct source_need *needs;
	size_t need_count;
};

/* ---- into .rodata -------------------------------------------------------- */

/* Where a kind before would ask the same, once is enough: see WEIR_EARLY() */
static void set_early(struct source *src, const struct schema_kind *k,
		      const struct clauses *c)
{
	struct weir_filter *f, first;
	size_t i;

	for (i = 0; i < EARLY_PLACES; i++) {
		f = filter_at(src, early[i], k->name);
		if (!f)
			continue;
		clauses_early(c, f->known, &first);
		*f = first;
		if (!first.used)
			continue;
		if (src->asked[i] && !memcmp(src->asked[i], f, sizeof(*f)))
			f->never = true;
		else
			src->asked[i] = f;
	}
}

static int add_keys(struct source *src, const struct clauses *c)
{
	size_t size = sizeof(*src->keys), count = src->key_count;
	struct weir_set_key *keys = src->keys;

	if (!c->key_count)
		return 0;
	keys = reallocarray(keys, count + c->key_count, size);
	if (!keys)
		return -ENOMEM;
	memcpy(keys + count, c->keys, c->key_count * size);
	src->keys = keys;
	src->key_count += c->key_count;
	src->set_count += c->set_count;
	return 0;
}

static int set_filter(struct source *src, const struct schema_kind *k,
		      struct weir_filter *f, struct clauses *c)
{
	memcpy(c->filter.known, f->known, sizeof(f->known));
	c->filter.tells_comm = f->tells_comm;
	*f = c->filter;
	set_early(src, k, c);
	return add_keys(src, c);
}

/* Whoever wants an event of a kind: one of these must be true of it. */
struct wanted {
	struct node any; /* of @of, when there are several */
	struct node of[1 + SOURCE_NEEDS_MAX];
	unsigned count;
};

static void add_want(struct wanted *w, const struct filter *f)
{
	w->of[w->count] = *filter_root(f);
	if (w->count)
		w->of[w->count - 1].next = &w->of[w->count];
	w->count++;
}

/* Return: the condition; NULL: there is none, when nobody or all want it. */
static const struct node *want(struct wanted *w, const struct narrow *n,
			       unsigned kind)
{
	bool all = n->sel->kinds[kind] && !n->sel->filter;
	size_t i;

	w->count = 0;
	if (n->sel->kinds[kind] && n->sel->filter)
		add_want(w, n->sel->filter);
	for (i = 0; i < n->need_count; i++)
		if (n->needs[i].kinds[kind])
			add_want(w, n->needs[i].filter);
	w->any = (struct node){.type = NODE_OR, .child = w->of};
	if (all || !w->count)
		return NULL;
	return w->count == 1 ? w->of : &w->any;
}

/*
 * One kind. A filter that is never true of it is as good as not asking for
 * it: what makes nothing else need not be attached.
 */
static int narrow_kind(struct sources *s, const struct schema_kind *k,
		       const struct narrow *n)
{
	struct source *src = source_of(s, k);
	struct weir_filter *f = filter_at(src, AT_END, k->name);
	struct clause_target target = {
		.kind = k->number,
		.tells_comm = f && tells_comm(s, f),
		.first_set = src->set_count,
	};
	struct clauses c = {0};
	struct wanted w;
	const struct node *if_true = want(&w, n, k->number);
	int err = 0;

	if (if_true)
		err = clauses_compile(&c, if_true, &target);
	else if (!n->sel->kinds[k->number])
		c.filter.used = c.filter.never = true;
	s->unwanted[k->number] = c.filter.never;
	if (!err && f)
		err = set_filter(src, k, f, &c);
	clauses_done(&c);
	return err;
}

static bool is_needed(const struct narrow *n, unsigned kind)
{
	size_t i;

	for (i = 0; i < n->need_count; i++)
		if (n->needs[i].kinds[kind])
			return true;
	return n->sel->kinds[kind];
}

static void begin_again(struct sources *s)
{
	struct source *src;

	for (src = s->list; src < s->list + s->count; src++) {
		src->wanted = src->asked_for;
		src->key_count = 0;
		src->set_count = 0;
		memset(src->asked, 0, sizeof(src->asked));
	}
}

int sources_narrow(struct sources *s, const struct select *sel,
		   const struct source_need *needs, size_t need_count)
{
	const struct narrow n = {sel, needs, need_count};
	bool off = sources_setting(s, SOURCE_REPO, "user_filter");
	bool by_name = false, any[SOURCES_MAX] = {0};
	const struct schema_kind *k;
	struct source *src;
	unsigned i;
	int err = need_count > SOURCE_NEEDS_MAX ? -E2BIG : 0;

	begin_again(s);
	for (i = 0; i < SCHEMA_KINDS_MAX && !err; i++) {
		k = schema_kind(s->schema, i);
		if (!k)
			continue;
		s->unwanted[i] = !is_needed(&n, i);
		if (!off)
			err = narrow_kind(s, k, &n);
		by_name |= sel->named[i] && strcmp(k->source, SOURCE_REPO);
		any[source_of(s, k) - s->list] |= !s->unwanted[i];
		if (off)
			s->unwanted[i] = false;
	}
	for (src = s->list; src < s->list + s->count; src++)
		src->wanted = any[src - s->list] &&
			      (src->wanted || (by_name && !s->o.name_count));
	return err;
}

/* ---- programs and sets --------------------------------------------------- */

bool source_makes_wanted(const struct sources *s, const struct source *src,
			 const struct bpf_program *p)
{
	const char *makes = btf_program_makes(bpf_object__btf(src->obj),
					      bpf_program__name(p));
	const struct schema_kind *k;
	char name[SCHEMA_NAME_MAX + 1];
	size_t len;

	if (!*makes)
		return true;
	for (; *makes; makes += len + (makes[len] == ' ')) {
		len = strcspn(makes, " ");
		snprintf(name, sizeof(name), "%.*s", (int)len, makes);
		k = schema_kind_by_name(s->schema, name);
		if (k && !s->unwanted[k->number] && source_of(s, k)->wanted)
			return true;
	}
	return false;
}

int source_size_sets(const struct source *src, struct bpf_map *map)
{
	size_t n = src->key_count ? src->key_count : 1;

	return n > UINT32_MAX ? -E2BIG
			      : bpf_map__set_max_entries(map, (uint32_t)n);
}

int source_fill_sets(const struct source *src)
{
	int fd = bpf_object__find_map_fd_by_name(src->obj, "sets");
	uint8_t one = 1;
	size_t i;

	for (i = 0; i < src->key_count; i++)
		if (bpf_map_update_elem(fd, &src->keys[i], &one, BPF_ANY))
			return -errno;
	return 0;
}
