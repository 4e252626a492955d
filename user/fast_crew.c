// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_crew.c - the threads that make groups, and what they made put together;
 * see fast.h.
 *
 * Each takes the next block when it is done with one, and counts groups of its
 * own. All that is counted adds up in any order, and groups are sorted by their
 * keys in the end: nobody can tell how many threads there were.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "fast_internal.h"
#include "self.h"

#define JOBS_MAX   8	      /* that nobody asked for */
#define JOB_EVENTS (8U << 16) /* fewer are not worth a thread */

/* Another thread than the caller's. */
struct helper {
	struct fast *fast;
	pthread_t thread;
	bool runs;
};

static unsigned count_jobs(const struct fast *f)
{
	struct archive_info i;
	uint64_t jobs = f->range.jobs;

	archive_info(f->archive, &i);
	if (jobs)
		return jobs < FAST_JOBS_MAX ? (unsigned)jobs : FAST_JOBS_MAX;
	jobs = self_cpus() < JOBS_MAX ? self_cpus() : JOBS_MAX;
	return (unsigned)(jobs < i.events / JOB_EVENTS + 1
				  ? jobs
				  : i.events / JOB_EVENTS + 1);
}

static void *run(void *arg)
{
	struct fast *f = arg;
	int rc = fast_add_all(f);

	fast_fail(f, rc == -EBADMSG ? 0 : rc);
	return NULL;
}

/* Without signals: they are the caller's. */
static void start(struct helper *h)
{
	sigset_t all, old;

	if (!h->fast)
		return; /* the others do it */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	h->runs = !pthread_create(&h->thread, NULL, run, h->fast);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void share_room(struct fast *f, unsigned jobs)
{
	f->groups.bytes_max = FAST_AGG_BYTES / jobs;
	f->texts.bytes_max = FAST_TEXT_BYTES / jobs;
}

/* Return: as fast_groups(). */
static int join(struct fast *f, struct helper *h, unsigned count)
{
	struct fast_source *s = f->source;
	unsigned i;
	int err;

	for (i = 0; i < count; i++)
		if (h[i].runs)
			pthread_join(h[i].thread, NULL);
	share_room(f, 1);
	err = s->failed;
	for (i = 0; i < count && !err; i++)
		if (h[i].runs)
			err = fast_groups_merge(&f->groups, &h[i].fast->groups);
	return err ? err : archive_blocks_damaged(s->blocks) ? -EBADMSG : 0;
}

static int work_together(struct fast *f, unsigned jobs)
{
	struct helper *h = calloc(jobs, sizeof(*h));
	unsigned i;
	int rc;

	if (!h)
		return fast_add_all(f);
	share_room(f, jobs);
	/* all before any runs: the table of tasks gets to know them */
	for (i = 0; i + 1 < jobs && !fast_helper_new(&h[i].fast, f); i++)
		;
	for (i = 0; i + 1 < jobs; i++)
		start(&h[i]);
	run(f);
	rc = join(f, h, jobs - 1);
	for (i = 0; i + 1 < jobs; i++)
		fast_helper_free(h[i].fast);
	free(h);
	return rc;
}

int fast_groups(struct fast *f, const struct fast_groups **ret)
{
	unsigned jobs = count_jobs(f);
	int rc, err;

	rc = jobs > 1 ? work_together(f, jobs) : fast_add_all(f);
	if (rc && rc != -EBADMSG)
		return rc;
	err = fast_groups_sort(&f->groups);
	*ret = &f->groups;
	return err ? err : rc;
}

static int pass_by(struct fast **ret, struct archive *a,
		   const struct fast_query *q, const struct fast_range *range,
		   const struct fast_groups **groups, bool *ret_several)
{
	struct fast *f;
	int rc = fast_open(&f, a, q, range, NULL);

	if (rc)
		return rc;
	*ret_several = count_jobs(f) > 1;
	rc = fast_groups(f, groups);
	if (rc && rc != -EBADMSG)
		fast_close(f);
	else
		*ret = f;
	return rc;
}

int fast_pass(struct fast **ret, struct archive *a, const struct fast_query *q,
	      const struct fast_range *range, const struct fast_groups **groups)
{
	struct fast_range alone = *range;
	bool several = false;
	int rc = pass_by(ret, a, q, range, groups, &several);

	alone.jobs = 1;
	if ((rc == -EOPNOTSUPP || rc == -ENOMEM) && several)
		rc = pass_by(ret, a, q, &alone, groups, &several);
	return rc;
}

/* ---- whether ------------------------------------------------------------- */

#define ROWS_OF 8     /* not columns: at most one in so many events … */
#define ROWS	65536 /* … or so many */

/*
 * Rows have to become columns first: that costs more than it saves. And of
 * columns of several sorts, or clocks, rows are made first.
 */
bool fast_pays(const struct archive_info *i)
{
	if (i->boots > 1 || i->schemas > 1)
		return false;
	return i->rows < ROWS || i->rows < i->events / ROWS_OF;
}
