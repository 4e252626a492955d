// SPDX-License-Identifier: BSD-2-Clause
#include "cmd_record.h"

#include <errno.h>
#include <string.h>

#include "cmd.h"
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
	return err ? fail("--metrics '%.60s': %s", where, strerror(-err))
		   : EXIT_OK;
}
