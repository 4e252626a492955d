/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_record.h - options of `weir record` that take more than a row of a table.
 */
#ifndef WEIR_CMD_RECORD_H
#define WEIR_CMD_RECORD_H

#include "budget.h"
#include "http.h"
#include "recorder.h"
#include "window.h"

/**
 * record_window - --window: a time, a size, or both with a comma between
 * @text: NULL: it was not asked for
 * @ret:  zeroed; .bytes is 0 afterwards when there is to be none
 *
 * Return: EXIT_OK; EXIT_USAGE, having said why.
 */
int record_window(const char *text, struct window_options *ret);

/**
 * record_budget - --budget: a percentage, a size per second, or both
 * @text: NULL: it was not asked for
 * @ret:  zeroed
 *
 * Return: EXIT_OK; EXIT_USAGE, having said why.
 */
int record_budget(const char *text, struct budget_limit *ret);

/**
 * record_metrics - --metrics: listen there, as http_listen()
 * Return: EXIT_OK; EXIT_USAGE or EXIT_FAILED, having said why.
 */
int record_metrics(const char *where, int *ret_fd,
		   char ret_name[HTTP_NAME_LEN]);

/** record_say_window - how to keep what it holds; @name: as asked for, or NULL.
 */
void record_say_window(const char *name);

/** record_say_unkept - at the end: that there was a window, and nothing was
 * written of it, if that is so. */
void record_say_unkept(const struct recorder *r);

/** record_kept - Return: how many events, by the account. */
uint64_t record_kept(struct recorder *r);

/** record_create_failed - say why an archive cannot be written at @path.
 * Return: EXIT_FAILED. */
int record_create_failed(const char *path, int err);

#endif
