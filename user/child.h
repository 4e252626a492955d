/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child.h - a command that is held before its first instruction until the
 * recorder is ready for it.
 *
 * The child is forked with the caller's signal mask and dispositions and
 * waits on a pipe; when the parent dies first, it exits without a trace.
 */
#ifndef WEIR_CHILD_H
#define WEIR_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;   /* 0: none */
	int pidfd;   /* readable when it has ended; -1: none */
	int go_fd;   /* a byte releases it */
	int exec_fd; /* errno of an exec that failed, or end of file */
	bool ended;
	int status; /* as wait(2) says */
};

/**
 * child_start - fork, and hold the child before its exec
 * @argv: command line, ends with NULL; the program is looked up in PATH
 *
 * Call before any thread starts. Return: 0; -errno of fork, pipe or
 * pidfd_open (5.3), nothing is left then.
 */
int child_start(struct child *c, char *const *argv);

/**
 * child_release - let it execute its program
 * Waits until its program runs. Return: 0; -errno of execvp(3), the child has
 * ended then; -errno of write(2), it is still held.
 */
int child_release(struct child *c);

/** child_wait - wait for its end when @block, and learn .status. Return: has it
 * ended? None: false. */
bool child_wait(struct child *c, bool block);

/** child_exit_code - as a shell would have it: status, or 128 + signal. It must
 * have ended. */
int child_exit_code(const struct child *c);

/** child_done - close; one that was never released exits, and is waited for;
 * one that runs goes on. No child (.pid 0): only closes. */
void child_done(struct child *c);

#endif
