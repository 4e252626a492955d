// SPDX-License-Identifier: BSD-2-Clause
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "http.h"
#include "metrics.h"
#include "question.h"
#include "rundir.h"

#define END_NS (200 * NS_PER_MS) /* for the last answers to be read */

/* A client that waits for its snapshot. */
struct pending {
	uint64_t client, number; /* 0: none */
	bool json;
};

struct control {
	struct control_options o;
	char name[RUNDIR_NAME_MAX + 1];
	struct rundir_socket socket;
	struct server *server;
	struct http *http; /* metrics; NULL: nobody asked for them */
	struct pending pending[FLIGHT_SNAPSHOTS_MAX];
	uint64_t cursor; /* of flight_ended() */
	struct snapshot_result last[HEALTH_SNAPSHOTS], now;
	unsigned last_count;
	struct buf answer;
};

/* ---- answers ------------------------------------------------------------- */

static struct buf *begin_answer(struct control *c, int code)
{
	buf_reset(&c->answer);
	buf_printf(&c->answer, "%d\n", code);
	return &c->answer;
}

static void send_answer(struct control *c, uint64_t client)
{
	if (!buf_err(&c->answer))
		server_answer(c->server, client, c->answer.data, c->answer.len);
}

static void refuse(struct control *c, uint64_t client, bool json, int code,
		   const char *why)
{
	struct json j = {.b = begin_answer(c, code)};

	if (json) {
		json_begin(&j, '{');
		json_member_str(&j, "error", why);
		json_end(&j, '}');
		json_line(&j);
	} else {
		buf_printf(j.b, "%s\n", why);
	}
	send_answer(c, client);
}

/* ---- status -------------------------------------------------------------- */

static struct health health_of(struct control *c)
{
	struct health h = {
		.recorder = c->o.recorder,
		.name = c->name,
		.into = c->o.into ? c->o.into : "",
		.command = c->o.command ? c->o.command : "",
		.snapshots = c->last,
		.snapshot_count = c->last_count,
	};

	if (c->server)
		server_stats(c->server, &h.server);
	return h;
}

static void status(struct control *c, uint64_t client, bool json)
{
	struct buf *b = begin_answer(c, CONTROL_OK);
	struct health h = health_of(c);

	if (json)
		health_json(b, &h);
	else
		health_text(b, &h);
	send_answer(c, client);
}

static void make_metrics(void *arg, struct buf *to)
{
	struct health h = health_of(arg);

	metrics_text(to, &h);
}

/* ---- snapshots ----------------------------------------------------------- */

static const char *why_not(int err)
{
	switch (err) {
	case -ENOTSUP:
		return "it keeps no window (record with --window)";
	case -EBUSY:
		return "as many snapshots as can be are being taken; try "
		       "again";
	case -ESHUTDOWN:
		return "it is ending";
	default:
		return strerror(-err);
	}
}

static int ask(struct control *c, const struct flight_ask *a, uint64_t *number)
{
	struct flight *f = recorder_flight_of(c->o.recorder);

	return f ? flight_ask(f, a, number) : -ENOTSUP;
}

static struct pending *pending_of(struct control *c, uint64_t number)
{
	unsigned i;

	for (i = 0; i < FLIGHT_SNAPSHOTS_MAX; i++)
		if (c->pending[i].number == number)
			return &c->pending[i];
	return NULL;
}

static void snapshot(struct control *c, const struct server_client *who,
		     bool json, uint64_t after_ns, const char *path)
{
	char why[96];
	struct flight_ask a = {
		.path = path,
		.after_ns = after_ns,
		.why = why,
	};
	struct pending *p = pending_of(c, 0);
	uint64_t number;
	int err;

	snprintf(why, sizeof(why), "asked for by uid %u, pid %d",
		 (unsigned)who->uid, (int)who->pid);
	err = p ? ask(c, &a, &number) : -EBUSY;
	if (err) {
		refuse(c, who->id, json, CONTROL_FAILED, why_not(err));
		return;
	}
	*p = (struct pending){who->id, number, json};
}

int control_snapshot(struct control *c, const char *why)
{
	struct flight_ask a = {.why = why};

	return ask(c, &a, NULL);
}

static int code_of(const struct snapshot_result *r)
{
	if (r->err)
		return CONTROL_FAILED;
	return r->lost || r->cut ? CONTROL_LOSSES : CONTROL_OK;
}

static void tell_client(struct control *c, struct pending *p,
			const struct snapshot_result *r)
{
	struct json j = {.b = begin_answer(c, code_of(r))};

	c->answer.len--;
	buf_printf(j.b, " %s\n", r->made);
	if (p->json) {
		health_snapshot_json(&j, r);
		json_line(&j);
	} else {
		health_snapshot_text(j.b, r);
	}
	send_answer(c, p->client);
	*p = (struct pending){0};
}

static void remember(struct control *c, const struct snapshot_result *r)
{
	if (c->last_count == HEALTH_SNAPSHOTS) {
		c->last_count--;
		memmove(c->last, c->last + 1, c->last_count * sizeof(*c->last));
	}
	c->last[c->last_count++] = *r;
}

static void take_results(struct control *c)
{
	struct flight *f = recorder_flight_of(c->o.recorder);
	struct pending *p;

	if (!f)
		return;
	flight_seen(f);
	while (flight_ended(f, &c->cursor, &c->now)) {
		remember(c, &c->now);
		p = pending_of(c, c->now.number);
		if (p)
			tell_client(c, p, &c->now);
		if (c->o.ended)
			c->o.ended(c->o.arg, &c->now);
	}
}

/* ---- questions ----------------------------------------------------------- */

static void on_question(void *arg, const struct server_client *who, char *line)
{
	struct control *c = arg;
	struct question q;

	question_read(&q, line);
	switch (q.what) {
	case QUESTION_STATUS:
		status(c, who->id, q.json);
		break;
	case QUESTION_SNAPSHOT:
		snapshot(c, who, q.json, q.after_ns, q.path);
		break;
	case QUESTION_NONE:
		refuse(c, who->id, q.json, CONTROL_WRONG,
		       "it does not understand the question (is it of another "
		       "version?)");
	}
}

/* ---- running ------------------------------------------------------------- */

unsigned control_fds(const struct control *c, int fds[CONTROL_FDS_MAX])
{
	struct flight *f = recorder_flight_of(c->o.recorder);
	unsigned n = 0;

	if (c->server)
		fds[n++] = server_fd(c->server);
	if (f)
		fds[n++] = flight_fd(f);
	if (c->http)
		fds[n++] = http_fd(c->http);
	return n;
}

void control_run(struct control *c)
{
	if (c->server)
		server_run(c->server);
	if (c->http)
		http_run(c->http);
	take_results(c);
}

void control_end(struct control *c)
{
	uint64_t until = clock_now() + END_NS;
	struct server_stats s = {0};

	take_results(c);
	if (!c->server)
		return;
	do {
		server_run(c->server);
		server_stats(c->server, &s);
		if (s.clients)
			clock_sleep(NS_PER_MS);
	} while (s.clients && clock_now() < until);
}

/* ---- life ---------------------------------------------------------------- */

static int open_socket(struct control *c)
{
	int err = rundir_listen(&c->socket, c->o.name ? c->o.name : c->name);

	if (err)
		return err;
	err = server_open(&c->server, c->socket.fd, on_question, c);
	if (err)
		rundir_close(&c->socket);
	return err;
}

static int open_http(struct control *c)
{
	if (c->o.metrics_fd < 0)
		return 0;
	return http_open(&c->http, c->o.metrics_fd, "/metrics", METRICS_TYPE,
			 make_metrics, c);
}

int control_open(struct control **ret, const struct control_options *o,
		 int *socket_error)
{
	struct control *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->o = *o;
	c->socket = (struct rundir_socket){.fd = -1, .dir = -1};
	if (o->name)
		snprintf(c->name, sizeof(c->name), "%s", o->name);
	else
		snprintf(c->name, sizeof(c->name), "%d", (int)getpid());
	err = open_http(c);
	if (err) {
		control_close(c);
		return err;
	}
	*socket_error = open_socket(c);
	*ret = c;
	return 0;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	http_close(c->http);
	server_close(c->server);
	rundir_close(&c->socket);
	buf_done(&c->answer);
	free(c);
}
