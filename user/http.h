/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http.h - one page over HTTP, from a loop that does other things as well.
 *
 * GET and HEAD of that page are answered, then the connection ends. Nothing
 * here ever blocks and no thread is started (libmicrohttpd, polled from
 * outside). No client can cost more than its share: so many at a time, those
 * beyond wait in the kernel's queue; a request is bounded in bytes, and a
 * connection in time, however busy it keeps.
 * Thread: one.
 */
#ifndef WEIR_HTTP_H
#define WEIR_HTTP_H

#include "buf.h"

#define HTTP_LIBRARY	   "libmicrohttpd.so.12" /* loaded by http_listen() */
#define HTTP_CLIENTS_MAX   16
#define HTTP_REQUEST_BYTES 16384	 /* memory of a connection */
#define HTTP_CLIENT_NS	   5000000000ULL /* so long it may last */
#define HTTP_NAME_LEN	   64

struct http;

/**
 * http_listen - a TCP socket to be given to http_open()
 * @where:    PORT of 127.0.0.1, ADDR:PORT, or [ADDR]:PORT of IPv6; numbers. 0
 *            is any port that is free.
 * @ret_fd:   non-blocking, close-on-exec; the caller's
 * @ret_name: ADDR:PORT as it is now
 *
 * Return: 0; -EINVAL @where is none; -errno: -EADDRINUSE, -EADDRNOTAVAIL,
 * -EACCES a port below 1024; -ELIBACC HTTP_LIBRARY is not there, or another.
 */
int http_listen(const char *where, int *ret_fd, char ret_name[HTTP_NAME_LEN]);

/**
 * http_open - serve one page; all that needs rights is done when it returns
 * @listen_fd: is taken over, also when this fails
 * @path:      of the page, borrowed: "/metrics"
 * @type:      its Content-Type, borrowed
 * @make:      write the page into @to, empty; inside http_run()
 *
 * Return: 0; -ENOMEM, which stands for all that libmicrohttpd may lack.
 */
int http_open(struct http **ret, int listen_fd, const char *path,
	      const char *type, void (*make)(void *arg, struct buf *to),
	      void *arg);

/** http_fd - to be polled: readable when http_run() has something to do. */
int http_fd(const struct http *h);

/** http_run - do what can be done now, and drop who is late. Call it now and
 * then even when nothing is readable. */
void http_run(struct http *h);

/** http_close - hang up on all, close the socket. NULL-safe. */
void http_close(struct http *h);

#endif
