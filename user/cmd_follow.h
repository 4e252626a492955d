/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_follow.h - a pass over an archive that goes on while it is recorded.
 */
#ifndef WEIR_CMD_FOLLOW_H
#define WEIR_CMD_FOLLOW_H

#include "cmd.h"

/**
 * follow_check - can this be followed? Waits for a recorder that has the
 * directory, but no events yet.
 * Return: EXIT_OK; else the exit code, said why.
 */
int follow_check(const struct query_args *args, const struct opt_words *words);

/**
 * follow_sink - as replay_sink(), and go on until the recorder ends (which is
 * said), SIGINT, SIGTERM, or nobody reads stdout
 * @ret_skipped: segments that retention removed before they could be read
 * Return: as replay_sink().
 */
int follow_sink(struct replay *r, struct sink *sink, uint64_t *ret_skipped);

#endif
