/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_capture.h - what `record` and `watch` share: one recording of the live
 * host, of all of it or of one command and what it starts.
 *
 * The order is capture_open(), capture_load(), sinks added to c->recorder,
 * capture_start(), capture_run(), capture_stop(), capture_end(),
 * capture_close(). The command's process is forked first, before there are
 * threads, and released last.
 * From capture_load() on the calling thread, and all it starts, are confined
 * (confine.h); until capture_start() is done a thread is there that is not.
 */
#ifndef WEIR_CMD_CAPTURE_H
#define WEIR_CMD_CAPTURE_H

#include "child.h"
#include "cmd.h"
#include "cmd_pin.h"
#include "confine.h"
#include "control.h"
#include "errand.h"
#include "notify.h"
#include "privileged.h"
#include "recorder.h"
#include "source_scope.h"

/* The options of record and watch, first member of their arguments. */
struct capture_args {
	struct query_args query;
	struct opt_list settings, trees, cgroups;
	uint64_t for_ns, ring_bytes, main_bytes;
	const char *user;
	const char *pin; /* record's alone */
	bool quiet, explain;
	const char *budget;	  /* of record alone */
	struct opt_list triggers; /* the same */
	const char *spool; /* no option: made, goes at the end if it is empty */
};

/* Rows of both; offsets are of struct capture_args. */
extern const struct opt opts_capture[];

struct capture {
	const struct capture_args *args;
	char **command;		   /* or NULL: the whole host */
	struct source_scope scope; /* which processes, beside the command */
	struct buf asked; /* the options that say what is recorded, a string */
	struct recorder *recorder;
	struct child child;
	bool confines; /* gives up what it does not need */
	bool becomes;  /* another user: @user */
	struct confine_user user;
	struct errand *errand;
	struct privileged *privileged;
	struct pinning pinning;
	int signal_fd;
	int signal;	    /* that ended it, 0: none */
	bool ends_on_error; /* a sink that fails ends it */
	bool shows_status;  /* a line on stderr once a second */
	bool rotates;	    /* at SIGHUP, for no terminal can hang up */
	struct notify notify;
	uint64_t told_ns, told_rounds; /* to its watchdog */
	uint64_t begun_ns;	       /* when the command line was read */
	uint64_t started_ns;	       /* since then events flow */
	uint64_t stopped_ns;
	struct recorder_status last; /* as of the status line before */
	struct control *control;     /* borrowed; NULL: nobody is heard */
};

/**
 * capture_open - fork the command (not to explain), check the options
 * Return: EXIT_OK; else the exit code, having said why. capture_close() in
 * any case.
 */
int capture_open(struct capture *c, const struct capture_args *args,
		 char **command);

/**
 * capture_load - take signals, load the programs, and confine this thread
 * @dirs: in which files are made from now on
 * Return: EXIT_OK; EXIT_FAILED.
 */
int capture_load(struct capture *c, const int *dirs, size_t dir_count);

/**
 * capture_start - let events flow, tell which sources are off, release the
 * command
 * @into: what the first line says of it: "" or " into DIR"
 * Return: EXIT_OK; EXIT_FAILED; EXIT_CANNOT_RUN or EXIT_NOT_FOUND.
 */
int capture_start(struct capture *c, const char *into);

/**
 * capture_explain - on stdout, what of the question is decided where
 * Return: exit code.
 */
int capture_explain(const struct capture *c);

/** capture_said - a snapshot has ended: a line of it; options.ended. */
void capture_said(void *capture, const struct snapshot_result *r);

/** capture_run - until the command ends, time is up, or a signal comes. */
void capture_run(struct capture *c);

/**
 * capture_stop - end recording
 * Return: 0; -errno of a sink.
 */
int capture_stop(struct capture *c);

/** capture_lost - after stop: say what was lost. Return: how many. */
uint64_t capture_lost(struct capture *c);

/**
 * capture_exit - after stop: wait for the command, if there is one
 * @rc: what the recording itself came to
 * Return: the exit code: the command's own, or @rc when there is none.
 */
int capture_exit(struct capture *c, int rc);

/** capture_end - end all threads but the one that may still be privileged. */
void capture_end(struct capture *c);

/** capture_close - release all. */
void capture_close(struct capture *c);

/* ---- for cmd_capture.c: cmd_capture_say.c -------------------------------- */

/** capture_say_sources - what is captured, @into what, and which source is not
 * or in part. */
void capture_say_sources(const struct capture *c, const char *into);

/** capture_show_status - the status line of @now, @since so many ns before. */
void capture_show_status(struct capture *c, uint64_t now, uint64_t since);

/** capture_clear_status - take the status line off, for what is said now. */
void capture_clear_status(const struct capture *c);

/* ---- for cmd_capture.c: cmd_rights.c ------------------------------------- */

/**
 * rights_open - find out whom to become; fork the command, and who is to do
 * what weir will have no right to
 * Return: EXIT_OK; EXIT_USAGE or EXIT_FAILED, having said why.
 */
int rights_open(struct capture *c);

/** rights_clear - args->spool goes, if it is empty, or not there. */
void rights_clear(struct capture *c);

/** rights_give_up - as capture_load() promises. Return: as it does. */
int rights_give_up(struct capture *c, const int *dirs, size_t dir_count);

/* ---- for cmd_capture.c: cmd_scope.c -------------------------------------- */

/**
 * scope_open - put down what was asked for, and find out which processes it is
 * to be about: -p, --cgroup; after rights_open()
 * Return: EXIT_OK; EXIT_USAGE or EXIT_FAILED, having said why.
 */
int scope_open(struct capture *c);

/* ---- for cmd_capture.c: cmd_service.c ------------------------------------ */

/**
 * service_open - find out who wants to know how weir is, and what SIGHUP means
 * Return: EXIT_OK; EXIT_FAILED, having said why.
 */
int service_open(struct capture *c);

/** service_tell - from time to time: that events get on, if they do. */
void service_tell(struct capture *c, uint64_t now);

#endif
