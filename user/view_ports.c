// SPDX-License-Identifier: BSD-2-Clause
#include "view_ports.h"

#include <errno.h>
#include <stdlib.h>

#define PORTS 65536

struct view_ports {
	uint8_t served[PORTS / 8], called[PORTS / 8];
	struct bound listen, accept, connect;
};

static bool has(const uint8_t *set, unsigned port)
{
	return set[port / 8] & 1 << port % 8;
}

static void note(uint8_t *set, const struct bound *b, const struct event *ev)
{
	unsigned port;

	if (!bound_in(b, ev->kind))
		return;
	port = (uint16_t)bound_u64(b, ev, 0);
	set[port / 8] |= (uint8_t)(1 << port % 8);
}

bool ports_want(const struct view_ports *p, const struct schema_kind *k)
{
	return bound_in(&p->listen, k) || bound_in(&p->accept, k) ||
	       bound_in(&p->connect, k);
}

void ports_note(struct view_ports *p, const struct event *ev)
{
	note(p->served, &p->listen, ev);
	note(p->served, &p->accept, ev);
	note(p->called, &p->connect, ev);
}

bool ports_is_client(const struct view_ports *p, unsigned lport, unsigned rport)
{
	if (has(p->served, lport))
		return true;
	if (has(p->served, rport) || has(p->called, rport))
		return false;
	return lport < rport;
}

int ports_new(struct view_ports **ret, const struct schema *s)
{
	struct view_ports *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	bound_init(&p->listen, s, "net_listen", "lport");
	bound_init(&p->accept, s, "net_accept", "lport");
	bound_init(&p->connect, s, "net_connect", "rport");
	*ret = p;
	return 0;
}
