// SPDX-License-Identifier: BSD-2-Clause
#include "cmd_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "flight.h"
#include "units.h"

/* ---- --window ------------------------------------------------------------ */

static bool parse_window_part(struct window_options *w, const char *text,
			      size_t len)
{
	char part[32];

	if (len >= sizeof(part))
		return false;
	memcpy(part, text, len);
	part[len] = '\0';
	if (!w->ns && !parse_duration_ns(part, &w->ns) && w->ns)
		return true;
	return !w->bytes && !parse_size(part, &w->bytes) && w->bytes;
}

int record_window(const char *text, struct window_options *ret)
{
	const char *at = text;
	size_t len;

	for (; at; at = at[len] ? at + len + 1 : NULL) {
		len = strcspn(at, ",");
		if (!parse_window_part(ret, at, len))
			return usage("record: --window '%.60s' is no time and "
				     "no size (write 30s, 256M, or 30s,64M)",
				     text);
	}
	if (text && !ret->bytes)
		ret->bytes = WINDOW_BYTES;
	if (text &&
	    (ret->bytes < WINDOW_BYTES_MIN || ret->bytes > WINDOW_BYTES_MAX))
		return usage("record: --window '%.60s': it can have 4M to 1G",
			     text);
	return EXIT_OK;
}

void record_say_window(const char *name)
{
	say("to keep what it holds: weir snapshot%s%s", name ? " --name " : "",
	    name ? name : "");
}

void record_say_unkept(const struct recorder *r)
{
	struct flight *f = recorder_flight_of(r);
	struct flight_stats stats;

	if (!f)
		return;
	flight_stats(f, &stats);
	if (!stats.asked)
		say("kept nothing: no snapshot was asked for");
}

/* ---- --budget ------------------------------------------------------------ */

#define PPM_OF_PERCENT 10000
#define PERCENT_MAX    100000 /* of one CPU */

/* @text ends with what stood for the unit: "%" or "/s". */
static bool parse_budget_part(struct budget_limit *l, char *text)
{
	size_t len = strlen(text);
	double percent;
	char *end;

	if (len > 2 && !strcmp(text + len - 2, "/s")) {
		text[len - 2] = '\0';
		return !l->bytes && !parse_size(text, &l->bytes) && l->bytes;
	}
	if (l->ppm || text[0] < '0' || text[0] > '9')
		return false;
	percent = strtod(text, &end);
	if (strcmp(end, "%") || !(percent <= PERCENT_MAX))
		return false;
	l->ppm = (uint64_t)(percent * PPM_OF_PERCENT);
	return l->ppm != 0;
}

int record_budget(const char *text, struct budget_limit *ret)
{
	const char *at = text;
	char part[32];
	size_t len;

	for (; at; at = at[len] ? at + len + 1 : NULL) {
		len = strcspn(at, ",");
		snprintf(part, sizeof(part), "%.*s", (int)len, at);
		if (len >= sizeof(part) || !parse_budget_part(ret, part))
			return usage("record: --budget '%.60s': write 2%%, "
				     "which is of one CPU, or 2%%,1M/s",
				     text);
	}
	return EXIT_OK;
}

/* ---- --metrics ----------------------------------------------------------- */

int record_metrics(const char *where, int *ret_fd, char ret_name[HTTP_NAME_LEN])
{
	int err = http_listen(where, ret_fd, ret_name);

	if (err == -EINVAL)
		return usage("record: --metrics '%.60s' is no address and port "
			     "(write 9464, 127.0.0.1:9464, or [::1]:9464)",
			     where);
	if (err == -EADDRINUSE)
		return fail("--metrics '%.60s': another program listens there "
			    "(choose another port)",
			    where);
	if (err == -ELIBACC)
		return fail("--metrics takes " HTTP_LIBRARY ", which cannot be "
			    "loaded (Debian's package is libmicrohttpd12)");
	return err ? fail("--metrics '%.60s': %s", where, strerror(-err))
		   : EXIT_OK;
}

/* ---- -o ------------------------------------------------------------------ */

int record_create_failed(const char *path, int err)
{
	const char *remedy = "";

	if (err == -EEXIST)
		return fail("'%s' holds a recording already (name another with "
			    "-o, or go on in it with --append)",
			    path);
	if (err == -EBUSY)
		return fail("'%s': another weir records into it (name another "
			    "with -o)",
			    path);
	if (err == -EACCES || err == -EROFS || err == -ENOENT)
		remedy = " (name a directory you may write to with -o)";
	if (err == -ENOTEMPTY || err == -ENOTDIR)
		remedy = " and no archive (name another with -o)";
	if (err == -EPERM)
		remedy = " (it must belong to who records, and nobody else "
			 "may write to it)";
	return fail("cannot record into '%s': %s%s", path, strerror(-err),
		    remedy);
}

/* ---- what came of it ------------------------------------------------------
 */

uint64_t record_kept(struct recorder *r)
{
	const struct account_row *rows;
	size_t count = recorder_account(r, &rows);
	uint64_t kept = 0;

	while (count--)
		kept += rows[count].kept;
	return kept;
}
