// SPDX-License-Identifier: BSD-2-Clause
#include "log.h"

#include <stdio.h>

bool log_debug_on;

void log_vdebug(const char *fmt, va_list args)
{
	if (log_debug_on)
		vfprintf(stderr, fmt, args);
}

void log_debug(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_vdebug(fmt, args);
	va_end(args);
}
