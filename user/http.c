// SPDX-License-Identifier: BSD-2-Clause
#include "http.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "units.h"

#define BACKLOG	   64
#define ROUNDS_MAX 8 /* of the library in one run, when it has more to do */

struct http_client {
	int fd;		   /* the library's */
	uint64_t until_ns; /* hang up then; 0: there is none, or done */
};

struct http {
	struct MHD_Daemon *daemon;
	int epoll_fd;
	const char *path, *type;
	void (*make)(void *arg, struct buf *to);
	void *arg;
	struct buf page;
	struct http_client clients[HTTP_CLIENTS_MAX];
};

/* ---- the library --------------------------------------------------------- */

/* Loaded when it is needed: with all that it needs in turn it would double the
 * time each weir takes to start. */
static struct {
	__typeof__(MHD_start_daemon) *start_daemon;
	__typeof__(MHD_stop_daemon) *stop_daemon;
	__typeof__(MHD_run) *run;
	__typeof__(MHD_get_timeout) *get_timeout;
	__typeof__(MHD_get_daemon_info) *get_daemon_info;
	__typeof__(MHD_get_connection_info) *get_connection_info;
	__typeof__(MHD_create_response_from_buffer) *create_response;
	__typeof__(MHD_add_response_header) *add_header;
	__typeof__(MHD_queue_response) *queue_response;
	__typeof__(MHD_destroy_response) *destroy_response;
} mhd;

static const struct {
	const char *name;
	void *to;
} mhd_functions[] = {
	{"MHD_start_daemon", &mhd.start_daemon},
	{"MHD_stop_daemon", &mhd.stop_daemon},
	{"MHD_run", &mhd.run},
	{"MHD_get_timeout", &mhd.get_timeout},
	{"MHD_get_daemon_info", &mhd.get_daemon_info},
	{"MHD_get_connection_info", &mhd.get_connection_info},
	{"MHD_create_response_from_buffer", &mhd.create_response},
	{"MHD_add_response_header", &mhd.add_header},
	{"MHD_queue_response", &mhd.queue_response},
	{"MHD_destroy_response", &mhd.destroy_response},
};

/* Once, and for as long as this process lives. */
static int load_library(void)
{
	void *library = dlopen(HTTP_LIBRARY, RTLD_NOW | RTLD_LOCAL), *found;
	size_t i;

	for (i = 0; i < sizeof(mhd_functions) / sizeof(*mhd_functions); i++) {
		found = library ? dlsym(library, mhd_functions[i].name) : NULL;
		if (!found)
			return -ELIBACC;
		memcpy(mhd_functions[i].to, &found, sizeof(found));
	}
	return 0;
}

/* ---- the socket ---------------------------------------------------------- */

/* AF_INET and AF_INET6, as bind(2) takes them. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse_port(const char *text, in_port_t *ret)
{
	uint64_t port;

	if (parse_u64(text, &port) || port > UINT16_MAX)
		return -EINVAL;
	*ret = htons((uint16_t)port);
	return 0;
}

static int parse_v6(const char *host, const char *port, union address *ret)
{
	ret->v6.sin6_family = AF_INET6;
	if (inet_pton(AF_INET6, host, &ret->v6.sin6_addr) != 1)
		return -EINVAL;
	return parse_port(port, &ret->v6.sin6_port);
}

static int parse_v4(const char *host, const char *port, union address *ret)
{
	ret->v4.sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &ret->v4.sin_addr) != 1)
		return -EINVAL;
	return parse_port(port, &ret->v4.sin_port);
}

static int parse_where(const char *where, union address *ret)
{
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(where, ':');
	size_t len = colon ? (size_t)(colon - where) : 0;

	memset(ret, 0, sizeof(*ret));
	if (!colon)
		return parse_v4("127.0.0.1", where, ret);
	if (!len || len >= sizeof(host))
		return -EINVAL;
	memcpy(host, where, len);
	host[len] = '\0';
	if (host[0] != '[')
		return parse_v4(host, colon + 1, ret);
	if (host[len - 1] != ']')
		return -EINVAL;
	host[len - 1] = '\0';
	return parse_v6(host + 1, colon + 1, ret);
}

static void put_name(const union address *a, char ret[HTTP_NAME_LEN])
{
	char host[INET6_ADDRSTRLEN] = "";

	if (a->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof(host));
		snprintf(ret, HTTP_NAME_LEN, "[%s]:%u", host,
			 ntohs(a->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof(host));
		snprintf(ret, HTTP_NAME_LEN, "%s:%u", host,
			 ntohs(a->v4.sin_port));
	}
}

/* SO_REUSEADDR: one that ended a moment ago is no obstacle; one that listens
 * still is (ip(7)). */
static int bind_socket(int fd, union address *a)
{
	socklen_t len = a->any.sa_family == AF_INET6 ? sizeof(a->v6)
						     : sizeof(a->v4);
	int one = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, &a->any, len) || listen(fd, BACKLOG) ||
	    getsockname(fd, &a->any, &len))
		return -errno;
	return 0;
}

int http_listen(const char *where, int *ret_fd, char ret_name[HTTP_NAME_LEN])
{
	union address a;
	int fd, err = parse_where(where, &a);

	if (!err)
		err = load_library();
	if (err)
		return err;
	fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return -errno;
	err = bind_socket(fd, &a);
	if (err) {
		close(fd);
		return err;
	}
	put_name(&a, ret_name);
	*ret_fd = fd;
	return 0;
}

/* ---- clients ------------------------------------------------------------- */

static void joined(struct http *h, struct MHD_Connection *c, void **slot)
{
	const union MHD_ConnectionInfo *info;
	struct http_client *to = h->clients;

	info = mhd.get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	while (to < h->clients + HTTP_CLIENTS_MAX && to->fd >= 0)
		to++;
	if (!info || to == h->clients + HTTP_CLIENTS_MAX)
		return;
	*to = (struct http_client){
		.fd = info->connect_fd,
		.until_ns = clock_now() + HTTP_CLIENT_NS,
	};
	*slot = to;
}

static void on_client(void *arg, struct MHD_Connection *c, void **slot,
		      enum MHD_ConnectionNotificationCode code)
{
	struct http_client *left = *slot;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		joined(arg, c, slot);
	else if (left)
		*left = (struct http_client){.fd = -1};
}

/* The library learns of it as of a client that went away. */
static void drop_late(struct http *h)
{
	uint64_t now = clock_now();
	unsigned i;

	for (i = 0; i < HTTP_CLIENTS_MAX; i++) {
		struct http_client *c = &h->clients[i];

		if (!c->until_ns || now < c->until_ns)
			continue;
		c->until_ns = 0;
		shutdown(c->fd, SHUT_RDWR);
	}
}

/* ---- requests ------------------------------------------------------------ */

/* @allow: header of that name, or NULL. */
static enum MHD_Result answer(struct MHD_Connection *c, unsigned status,
			      const struct buf *page, const char *type,
			      const char *allow)
{
	struct MHD_Response *r = mhd.create_response(page->len, page->data,
						     MHD_RESPMEM_MUST_COPY);
	enum MHD_Result ok;

	if (!r)
		return MHD_NO;
	mhd.add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	mhd.add_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	if (allow)
		mhd.add_header(r, MHD_HTTP_HEADER_ALLOW, allow);
	ok = mhd.queue_response(c, status, r);
	mhd.destroy_response(r);
	return ok;
}

static enum MHD_Result refuse(struct http *h, struct MHD_Connection *c,
			      unsigned status, const char *allow)
{
	buf_printf(&h->page, "%u: there is GET %s\n", status, h->path);
	return buf_err(&h->page)
		       ? MHD_NO
		       : answer(c, status, &h->page, "text/plain", allow);
}

/* Answered as soon as its header is there, so that a body is never read. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c,
				  const char *url, const char *method,
				  const char *version, const char *body,
				  size_t *body_len, void **state)
{
	struct http *h = arg;

	(void)version, (void)body, (void)body_len, (void)state;
	buf_reset(&h->page);
	if (strcmp(url, h->path))
		return refuse(h, c, MHD_HTTP_NOT_FOUND, NULL);
	if (strcmp(method, MHD_HTTP_METHOD_GET) &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(h, c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD");
	h->make(h->arg, &h->page);
	if (buf_err(&h->page))
		return MHD_NO;
	return answer(c, MHD_HTTP_OK, &h->page, h->type, NULL);
}

/* ---- running ------------------------------------------------------------- */

int http_fd(const struct http *h)
{
	return h->epoll_fd;
}

void http_run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;
	unsigned round = 0;

	drop_late(h);
	do {
		mhd.run(h->daemon);
	} while (++round < ROUNDS_MAX &&
		 mhd.get_timeout(h->daemon, &wait_ms) == MHD_YES && !wait_ms);
}

/* ---- life ---------------------------------------------------------------- */

static int start(struct http *h, int listen_fd)
{
	const union MHD_DaemonInfo *info;

	h->daemon = mhd.start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, on_request, h,
		MHD_OPTION_LISTEN_SOCKET, listen_fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CLIENTS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_REQUEST_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, on_client, h, MHD_OPTION_END);
	if (!h->daemon) {
		close(listen_fd);
		return -ENOMEM;
	}
	info = mhd.get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	h->epoll_fd = info ? info->epoll_fd : -1;
	return info ? 0 : -ENOMEM;
}

int http_open(struct http **ret, int listen_fd, const char *path,
	      const char *type, void (*make)(void *arg, struct buf *to),
	      void *arg)
{
	struct http *h = calloc(1, sizeof(*h));
	unsigned i;
	int err;

	if (!h) {
		close(listen_fd);
		return -ENOMEM;
	}
	h->path = path;
	h->type = type;
	h->make = make;
	h->arg = arg;
	for (i = 0; i < HTTP_CLIENTS_MAX; i++)
		h->clients[i].fd = -1;
	err = start(h, listen_fd);
	if (err) {
		http_close(h);
		return err;
	}
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	if (h->daemon)
		mhd.stop_daemon(h->daemon);
	buf_done(&h->page);
	free(h);
}
