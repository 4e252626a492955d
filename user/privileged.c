// SPDX-License-Identifier: BSD-2-Clause
#include "privileged.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>

struct privileged {
	pthread_t thread;
	sem_t asked, done;
	int (*fn)(void *arg); /* NULL: end */
	void *arg;
	int result;
};

static void wait_for(sem_t *s)
{
	while (sem_wait(s) && errno == EINTR)
		;
}

static void *serve(void *arg)
{
	struct privileged *p = arg;

	for (;;) {
		wait_for(&p->asked);
		if (!p->fn)
			return NULL;
		p->result = p->fn(p->arg);
		sem_post(&p->done);
	}
}

int privileged_open(struct privileged **ret)
{
	struct privileged *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	sem_init(&p->asked, 0, 0);
	sem_init(&p->done, 0, 0);
	err = pthread_create(&p->thread, NULL, serve, p);
	if (err) {
		free(p);
		return -err;
	}
	*ret = p;
	return 0;
}

int privileged_call(struct privileged *p, int (*fn)(void *arg), void *arg)
{
	if (!p)
		return fn(arg);
	p->fn = fn;
	p->arg = arg;
	sem_post(&p->asked);
	wait_for(&p->done);
	return p->result;
}

void privileged_close(struct privileged *p)
{
	if (!p)
		return;
	p->fn = NULL;
	sem_post(&p->asked);
	pthread_join(p->thread, NULL);
	sem_destroy(&p->asked);
	sem_destroy(&p->done);
	free(p);
}
