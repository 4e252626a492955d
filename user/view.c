// SPDX-License-Identifier: BSD-2-Clause
#include "view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "names.h"
#include "render_value.h"
#include "tasks.h"
#include "view_ports.h"

#define BUCKETS 1024 /* power of two */
#define KEY_MAX 64   /* bytes that a group is found by */
#define OTHERS	"(others)"

/* ---- binding ------------------------------------------------------------- */

static void number_init(struct view *v, unsigned column)
{
	const struct view_column *c = &v->spec->columns[column], *other;
	unsigned i;

	for (i = 0; i < column; i++) {
		other = &v->spec->columns[i];
		if (other->field && !strcmp(other->field, c->field))
			break;
	}
	v->number_of[column] = i < column ? v->number_of[i]
					  : (uint8_t)v->number_count++;
	if (c->what == VIEW_QUANTILE)
		v->wants_hist[v->number_of[column]] = true;
}

static const struct schema_field *bind(const struct schema_kind *k,
				       const char *name)
{
	return k && name ? schema_field(k, name) : NULL;
}

static const struct schema_field *bind_number(const struct schema_kind *k,
					      const char *name)
{
	const struct schema_field *f = bind(k, name);

	return f && f->type <= FIELD_INT ? f : NULL;
}

static void bind_numbers(struct view *v, unsigned of)
{
	const struct schema_field *f;
	unsigned i, n;

	for (i = 0; i < v->column_count; i++) {
		if (!v->spec->columns[i].field)
			continue;
		n = v->number_of[i];
		f = bind_number(v->of[of].kind, v->spec->columns[i].field);
		v->of[of].numbers[n] = f;
		if (!v->like[n])
			v->like[n] = f;
	}
}

/* A key that is missing leaves all out: else groups would be mixed up. */
static void bind_variant(struct view *v, unsigned spec,
			 const struct schema_kind *k)
{
	static const char *const peer[VIEW_KEYS_MAX] = {"raddr", "lport",
							"rport"};
	unsigned i, of = v->of_count++;
	const char *name;

	v->of[of].kind = k;
	v->of[of].failed_only = v->spec->of[spec].failed_only;
	v->of[of].error = bind_number(k, v->spec->of[spec].error);
	for (i = 0; i < v->key_count; i++) {
		name = v->spec->by_peer ? peer[i] : v->spec->keys[i].field;
		v->of[of].keys[i] = bind(k, name);
		if (name && !v->of[of].keys[i])
			v->of[of].kind = NULL;
	}
	bind_numbers(v, of);
	if (v->of[of].kind && !v->of_kind[k->number])
		v->of_kind[k->number] = (uint8_t)(of + 1);
}

static void bind_kind(struct view *v, unsigned spec)
{
	const char *name = v->spec->of[spec].kind;
	const struct schema_kind *k;

	k = name ? schema_kind_by_name(v->render->schema, name) : NULL;
	for (; k && v->of_count < VIEW_BOUND_MAX; k = k->variant)
		bind_variant(v, spec, k);
}

/* ---- keys ---------------------------------------------------------------- */

struct key {
	uint8_t bytes[KEY_MAX];
	unsigned len;
};

static void key_put(struct key *k, const void *data, size_t len)
{
	if (len > KEY_MAX - k->len)
		len = KEY_MAX - k->len;
	memcpy(k->bytes + k->len, data, len);
	k->len += (unsigned)len;
}

static const char *name_of(const struct task *t)
{
	return t && t->comm[0] ? t->comm : "?";
}

static const char *comm_of(const struct view *v, uint32_t tid)
{
	return name_of(v->render->tasks ? tasks_find(v->render->tasks, tid)
					: NULL);
}

/* Return: false when the event is nobody's: tid 0, the idle task. */
static bool put_field_key(const struct view *v, const struct event *ev,
			  const struct schema_field *f, struct key *key)
{
	struct field_bytes s;
	uint64_t number;
	const char *comm;

	if (!f) {
		comm = name_of(ev->task);
		key_put(key, comm, strlen(comm) + 1);
		return true;
	}
	if (f->type > FIELD_INT) {
		s = field_bytes(ev, f);
		key_put(key, s.data, s.len);
		key_put(key, "", 1);
		return true;
	}
	number = field_u64(ev, f, 0);
	if (f->meaning != MEANING_TID) {
		key_put(key, &number, sizeof(number));
		return true;
	}
	comm = comm_of(v, (uint32_t)number);
	key_put(key, comm, strlen(comm) + 1);
	return number != 0;
}

static void put_peer_key(const struct view *v, const struct event *ev,
			 const struct schema_field *const *f, struct key *key)
{
	struct field_bytes addr = field_bytes(ev, f[0]);
	unsigned lport = (uint16_t)field_u64(ev, f[1], 0);
	unsigned rport = (uint16_t)field_u64(ev, f[2], 0);
	bool client = ports_is_client(v->ports, lport, rport);
	uint16_t port = (uint16_t)(client ? lport : rport);

	key_put(key, addr.data, addr.len);
	key_put(key, &port, sizeof(port));
	key_put(key, &client, 1);
}

static bool make_key(const struct view *v, const struct event *ev, unsigned of,
		     struct key *key)
{
	unsigned i;

	key->len = 0;
	if (v->spec->by_peer) {
		put_peer_key(v, ev, v->of[of].keys, key);
		return true;
	}
	for (i = 0; i < v->key_count; i++)
		if (!put_field_key(v, ev, v->of[of].keys[i], key))
			return false;
	return true;
}

static uint64_t hash_key(const struct key *k)
{
	uint64_t hash = k->len, word;
	unsigned at, n;

	for (at = 0; at < k->len; at += n) {
		n = k->len - at < 8 ? k->len - at : 8;
		word = 0;
		memcpy(&word, k->bytes + at, n);
		hash = hash_u64(hash ^ word);
	}
	return hash;
}

/* ---- labels: the keys as text -------------------------------------------- */

static void put_peer_label(const struct view *v, const struct event *ev,
			   const struct schema_field *const *f, struct buf *b)
{
	unsigned lport = (uint16_t)field_u64(ev, f[1], 0);
	unsigned rport = (uint16_t)field_u64(ev, f[2], 0);
	bool client = ports_is_client(v->ports, lport, rport);

	render_ip(b, field_bytes(ev, f[0]).data);
	buf_putc(b, '\0');
	buf_u64(b, client ? lport : rport);
	buf_putc(b, '\0');
	buf_puts(b, client ? "client" : "server");
	buf_putc(b, '\0');
}

/* Raw: who prints it escapes it. */
static void put_field_label(const struct view *v, const struct event *ev,
			    const struct schema_field *f, struct buf *b)
{
	struct field_bytes s;
	const char *name;
	uint64_t number;

	if (!f || f->type > FIELD_INT) {
		s = f ? field_bytes(ev, f)
		      : (struct field_bytes){
				.data = (const uint8_t *)name_of(ev->task),
				.len = WEIR_COMM_LEN};
		buf_put(b, s.data, strnlen((const char *)s.data, s.len));
		buf_putc(b, '\0');
		return;
	}
	number = field_u64(ev, f, 0);
	name = f->meaning == MEANING_TID   ? comm_of(v, (uint32_t)number)
	       : f->meaning == MEANING_RET ? errno_name(0 - number)
					   : NULL;
	if (name)
		buf_puts(b, name);
	else
		render_field(b, v->render, ev, f);
	buf_putc(b, '\0');
}

static char *make_label(const struct view *v, const struct event *ev,
			unsigned of)
{
	struct buf b = {0};
	unsigned i;

	if (v->spec->by_peer)
		put_peer_label(v, ev, v->of[of].keys, &b);
	else
		for (i = 0; i < v->key_count; i++)
			put_field_label(v, ev, v->of[of].keys[i], &b);
	if (buf_err(&b))
		buf_done(&b);
	return b.data; /* the group's from here on */
}

static char *others_label(const struct view *v)
{
	char *label = calloc(1, sizeof(OTHERS) + v->key_count);

	if (label)
		memcpy(label, OTHERS, sizeof(OTHERS));
	return label;
}

/* ---- groups -------------------------------------------------------------- */

static void free_group(struct view_group *g, unsigned numbers)
{
	unsigned i;

	for (i = 0; i < numbers; i++)
		hist_done(&g->numbers[i].hist);
	free(g->errors);
	free(g->label);
	free(g);
}

/* Takes @label, whatever comes of it. */
static struct view_group *add_group(struct view *v, const struct key *key,
				    char *label)
{
	struct view_group *g = NULL, **list = v->list;

	if (label && !(v->count & (v->count - 1))) /* doubled */
		list = reallocarray(v->list, v->count ? v->count * 2 : 1,
				    sizeof(*list));
	if (list)
		v->list = list;
	if (label && list)
		g = calloc(1, sizeof(*g) + key->len);
	if (!g) {
		free(label);
		return NULL;
	}
	g->label = label;
	g->key_len = (uint8_t)key->len;
	memcpy(g->key, key->bytes, key->len);
	v->list[v->count++] = g;
	return g;
}

static struct view_group *others(struct view *v)
{
	static const struct key none;

	if (!v->others)
		v->others = add_group(v, &none, others_label(v));
	return v->others;
}

static struct view_group *group_of(struct view *v, const struct event *ev,
				   unsigned of, const struct key *key)
{
	uint64_t hash = hash_key(key);
	struct view_group **bucket = &v->buckets[hash & (BUCKETS - 1)], *g;

	for (g = *bucket; g; g = g->chain)
		if (g->hash == hash && g->key_len == key->len &&
		    !memcmp(g->key, key->bytes, key->len))
			return g;
	if (v->count >= VIEW_GROUPS_MAX)
		return others(v);
	g = add_group(v, key, make_label(v, ev, of));
	if (!g)
		return NULL;
	g->hash = hash;
	g->chain = *bucket;
	*bucket = g;
	return g;
}

/* ---- counting ------------------------------------------------------------ */

/* Return: the errno of a failed event, or 0. */
static int error_of(const struct event *ev, const struct schema_field *f)
{
	int64_t v = f ? field_s64(ev, f, 0) : 0;

	if (f && f->meaning == MEANING_RET)
		return v < 0 && v >= -ERRNO_MAX ? (int)-v : 0;
	return (int)v;
}

static int count_error(struct view_group *g, int error)
{
	void *grown;
	unsigned i;

	g->failed++;
	for (i = 0; i < g->error_count; i++) {
		if (g->errors[i].number == error) {
			g->errors[i].count++;
			return 0;
		}
	}
	grown = reallocarray(g->errors, i + 1, sizeof(*g->errors));
	if (!grown)
		return -ENOMEM;
	g->errors = grown;
	g->errors[i].number = error;
	g->errors[i].count = 1;
	g->error_count = i + 1;
	return 0;
}

static int count_number(struct view_number *n, uint64_t value, bool hist)
{
	if (!n->count++ || value < n->least)
		n->least = value;
	if (value > n->most)
		n->most = value;
	if (__builtin_add_overflow(n->sum, value, &n->sum))
		n->sum = UINT64_MAX;
	return hist ? hist_add(&n->hist, value) : 0;
}

/* An instant that is 0 is not known, nor a span in a partial event. */
static bool is_unknown(const struct event *ev, const struct schema_field *f)
{
	return f->meaning == MEANING_TIME || ev->h->flags & WEIR_F_PARTIAL;
}

static int count_numbers(struct view *v, struct view_group *g,
			 const struct event *ev, unsigned of)
{
	const struct schema_field *f;
	uint64_t value;
	unsigned i;
	int err = 0;

	for (i = 0; i < v->number_count && !err; i++) {
		f = v->of[of].numbers[i];
		if (!f)
			continue;
		value = field_u64(ev, f, 0);
		if (!value && is_unknown(ev, f))
			continue;
		if (f->meaning == MEANING_TIME)
			value += v->render->shift;
		err = count_number(&g->numbers[i], value, v->wants_hist[i]);
	}
	return err;
}

static int count(struct view *v, const struct event *ev, unsigned of)
{
	int error = error_of(ev, v->of[of].error), err = 0;
	struct view_group *g;
	struct key key;

	if (!error && v->of[of].failed_only)
		return 0;
	if (!make_key(v, ev, of, &key))
		return 0;
	g = group_of(v, ev, of, &key);
	if (!g)
		return -ENOMEM;
	g->count++;
	if (error)
		err = count_error(g, error);
	return err ? err : count_numbers(v, g, ev, of);
}

int view_event(struct view *v, const struct event *ev)
{
	unsigned of = v->of_kind[ev->kind->number];

	if (v->ports)
		ports_note(v->ports, ev);
	return of ? count(v, ev, of - 1) : 0;
}

bool view_wants(const struct view *v, const struct schema_kind *k)
{
	return v->of_kind[k->number] || (v->ports && ports_want(v->ports, k));
}

/* ---- answers ------------------------------------------------------------- */

const char *view_label(const struct view_group *g, unsigned i)
{
	const char *label = g->label;

	while (i--)
		label += strlen(label) + 1;
	return label;
}

uint64_t view_number(const struct view *v, const struct view_group *g,
		     unsigned i)
{
	const struct view_column *c = &v->spec->columns[i];
	const struct view_number *n = &g->numbers[v->number_of[i]];

	switch (c->what) {
	case VIEW_COUNT:
		return g->count;
	case VIEW_FAILED:
		return g->failed;
	case VIEW_SUM:
		return n->sum;
	case VIEW_MEAN:
		return n->count ? n->sum / n->count : 0;
	case VIEW_LEAST:
		return n->least;
	case VIEW_MOST:
		return n->most;
	case VIEW_QUANTILE:
		return hist_quantile(&n->hist, c->share);
	default:
		return 0;
	}
}

const char *view_error(const struct view_group *g, char scratch[16])
{
	const char *name;
	unsigned i, best = 0;

	if (!g->error_count)
		return NULL;
	for (i = 1; i < g->error_count; i++)
		if (g->errors[i].count > g->errors[best].count)
			best = i;
	name = errno_name((uint64_t)g->errors[best].number);
	if (name)
		return name;
	snprintf(scratch, 16, "%d", g->errors[best].number);
	return scratch;
}

void view_cell(const struct view *v, const struct view_group *g, unsigned i,
	       struct buf *b)
{
	const struct view_column *c = &v->spec->columns[i];
	const struct schema_field *f = v->like[v->number_of[i]];
	enum meaning meaning = c->field && f ? f->meaning : MEANING_NONE;
	uint64_t number = view_number(v, g, i);
	char scratch[16];
	const char *name;

	if (c->what == VIEW_ERROR) {
		name = view_error(g, scratch);
		buf_puts(b, name ? name : "");
	} else if (c->field && !g->numbers[v->number_of[i]].count) {
		buf_putc(b, '-');
	} else if (meaning == MEANING_NS) {
		render_ns(b, number);
	} else if (meaning == MEANING_BYTES) {
		render_bytes(b, number);
	} else if (meaning == MEANING_TIME) {
		render_time(b, v->render, number);
	} else {
		buf_u64(b, number);
	}
}

/* What the columns that order say together. */
static double weight(const struct view *v, const struct view_group *g)
{
	double sum = 0;
	unsigned i;

	for (i = 0; i < v->column_count; i++)
		if (v->spec->columns[i].order)
			sum += (double)view_number(v, g, i);
	return sum;
}

static int by_weight(const void *a, const void *b, void *arg)
{
	const struct view_group *p = *(struct view_group *const *)a;
	const struct view_group *q = *(struct view_group *const *)b;
	const struct view *v = arg;
	double x = weight(v, p), y = weight(v, q);

	if (x != y)
		return x < y ? 1 : -1;
	if (p->count != q->count)
		return p->count < q->count ? 1 : -1;
	return strcmp(p->label, q->label);
}

void view_sort(struct view *v)
{
	if (v->count)
		qsort_r(v->list, v->count, sizeof(struct view_group *),
			by_weight, v);
}

/* -------------------------------------------------------------------------- */

int view_init(struct view *v, const struct view_spec *spec,
	      const struct render *r)
{
	unsigned i;

	*v = (struct view){.spec = spec, .render = r};
	while (v->key_count < VIEW_KEYS_MAX && spec->keys[v->key_count].head)
		v->key_count++;
	while (v->column_count < VIEW_COLUMNS_MAX &&
	       spec->columns[v->column_count].head)
		v->column_count++;
	for (i = 0; i < v->column_count; i++)
		if (spec->columns[i].field)
			number_init(v, i);
	for (i = 0; i < VIEW_KINDS_MAX; i++)
		bind_kind(v, i);
	v->buckets = calloc(BUCKETS, sizeof(struct view_group *));
	if (!v->buckets)
		return -ENOMEM;
	return spec->by_peer ? ports_new(&v->ports, r->schema) : 0;
}

void view_done(struct view *v)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		free_group(v->list[i], v->number_count);
	free(v->list);
	free(v->buckets);
	free(v->ports);
	memset(v, 0, sizeof(*v));
}
