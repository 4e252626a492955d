// SPDX-License-Identifier: BSD-2-Clause
/*
 * trigger_fuzz.c - any text makes a trigger or is refused with a caret inside
 * it, and what was made can be asked about events of any time.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/trigger.h"
#include "../unit/model_schema.h"

#define WALL   1795356195000000000LL
#define EVENTS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct trigger *t, const struct schema *s, uint64_t seed)
{
	static struct record r;
	struct trigger_stats stats;
	struct event ev;
	uint64_t ts = 1, fired = 0, held = 0;
	unsigned i;

	record_begin(&r, s, "model_all");
	for (i = 0; i < EVENTS; i++) {
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		ts += seed >> (seed >> 58);
		record_hdr(&r)->ts = ts;
		ev = record_event(&r, s);
		switch (trigger_event(t, &ev)) {
		case TRIGGER_FIRES:
			fired++;
			break;
		case TRIGGER_HELD:
		case TRIGGER_HOLDS:
			held++;
			break;
		case TRIGGER_NOTHING:
			break;
		}
	}
	trigger_stats(t, &stats);
	model_must(stats.fired == fired && stats.held == held,
		   "it counts something else");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *schema;
	struct filter_error err = {.what = ""};
	char *text = strndup((const char *)data, size);
	struct trigger *t;
	int e;

	if (!schema)
		schema = model_schema();
	e = trigger_new(&t, text, schema, NULL, WALL, &err);
	if (!e) {
		ask(t, schema, size);
		trigger_free(t);
	} else {
		model_must(e == -EINVAL && *err.what && err.at <= strlen(text),
			   text);
	}
	free(text);
	return 0;
}
