/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view_ports.h - which end of a connection has the service.
 *
 * That is the end which listened or accepted, or the other than the one that
 * connected, as far as was seen; of connections older than the recording the
 * one with the lower port, since those that a kernel picks are high.
 */
#ifndef WEIR_VIEW_PORTS_H
#define WEIR_VIEW_PORTS_H

#include "event.h"

struct view_ports;

/**
 * ports_new - nothing learnt yet
 * @s: borrowed for its life
 * Return: 0, to be freed with free(); -ENOMEM.
 */
int ports_new(struct view_ports **ret, const struct schema *s);

/** ports_want - may it learn from events of this kind? */
bool ports_want(const struct view_ports *p, const struct schema_kind *k);

/** ports_note - learn from an event, if it is one of a connection. */
void ports_note(struct view_ports *p, const struct event *ev);

/**
 * ports_is_client - is the other end, at @rport, the client?
 * @lport: port of this end; both in the host's byte order
 *
 * By what was learnt so far: the answer may change with later events.
 */
bool ports_is_client(const struct view_ports *p, unsigned lport,
		     unsigned rport);

#endif
