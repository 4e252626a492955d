/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_form_parts.h - the forms that have a file of their own, for
 * columns_form.c alone. Reading: 0; -EBADMSG; -EPROTONOSUPPORT; -ENOMEM.
 */
#ifndef WEIR_COLUMNS_FORM_PARTS_H
#define WEIR_COLUMNS_FORM_PARTS_H

#include <errno.h>

#include "columns_form.h"

#define SCRATCH_SLACK 16 /* bytes behind scratch that may be touched */

/* Memory for @n items, overwritten by who asks next. Return: NULL: none. */
static inline void *scratch(struct buf *b, size_t n, size_t size)
{
	buf_reset(b);
	return buf_space(b, n * size + SCRATCH_SLACK);
}

/* There was no memory: who hands @to on will see. */
static inline void latch(struct buf *to)
{
	to->err = -ENOMEM;
}

/**
 * put_log, get_log - FORM_LOG: any numbers whatever
 * @repeats: look for that in symbols, else code them as noise
 */
void put_log(struct packer *p, const uint64_t *v, size_t n, bool repeats,
	     struct buf *to);
int get_log(struct packer *p, struct cursor *c, uint64_t *v, size_t n);

/**
 * put_dict, get_dict - FORM_DICT: up to 1024 distinct numbers
 *
 * The hash has a random factor, since anybody on the host chooses numbers.
 * Return: of put_dict() false, with nothing put: it does not fit.
 */
bool put_dict(struct packer *p, const uint64_t *v, size_t n,
	      struct column_head *h, struct buf *to);
int get_dict(struct packer *p, const struct column_head *h, struct cursor *c,
	     uint64_t *v, size_t n);

/** put_runs, get_runs - FORM_RUNS: values that stay for some rows.
 * Return: as put_dict(). */
bool put_runs(struct packer *p, const uint64_t *v, size_t n,
	      struct column_head *h, struct buf *to);
int get_runs(struct packer *p, const struct column_head *h, struct cursor *c,
	     uint64_t *v, size_t n);

#endif
