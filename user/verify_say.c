// SPDX-License-Identifier: BSD-2-Clause
#include "verify_say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "clock.h"

static const char *const type_names[FRAME_TYPES] = {
	[FRAME_SEGMENT] = "SEGMENT", [FRAME_SCHEMA] = "SCHEMA",
	[FRAME_CLOCK] = "CLOCK",     [FRAME_STATE] = "STATE",
	[FRAME_BLOCK] = "BLOCK",     [FRAME_LOSS] = "LOSS",
	[FRAME_META] = "META",	     [FRAME_INDEX] = "INDEX",
	[FRAME_TRAILER] = "TRAILER", [FRAME_RESUME] = "RESUME",
};

void verify_say_begin(struct verify_say *s, uint64_t offset)
{
	buf_reset(&s->line);
	buf_printf(&s->line, "%s: %" PRIu64 ": ", s->file->name, offset);
}

void verify_say_end(struct verify_say *s)
{
	buf_putc(&s->line, '\0');
	if (s->fn && !buf_err(&s->line))
		s->fn(s->arg, s->line.data);
}

void verify_say(struct verify_say *s, uint64_t offset, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verify_say_begin(s, offset);
	buf_puts(&s->line, text);
	verify_say_end(s);
}

static void put_time(struct verify_say *s, uint64_t mono_ns)
{
	const struct segment_head *h = &s->file->head;
	uint64_t wall = mono_ns + h->realtime - h->monotonic;
	time_t t = (time_t)(wall / NS_PER_S);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(&s->line, "%s.%03uZ", text,
		   (unsigned)(wall % NS_PER_S / NS_PER_MS));
}

static void put_type(struct verify_say *s, unsigned type)
{
	if (type < FRAME_TYPES && type_names[type])
		buf_puts(&s->line, type_names[type]);
	else
		buf_printf(&s->line, "type %u", type);
}

void verify_say_cost(struct verify_say *s, const struct frame *f)
{
	put_type(s, f->type);
	if (f->type != FRAME_BLOCK && f->type != FRAME_STATE)
		return;
	buf_printf(&s->line, ", %u events from ", f->events);
	put_time(s, f->first_ns);
	buf_puts(&s->line, " to ");
	put_time(s, f->last_ns);
}
