// SPDX-License-Identifier: BSD-2-Clause
/* columns_dict_test.c - a column's dictionary, of numbers that somebody chose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include "../../user/columns_form_dict.c"

/* 1 / 0x9e3779b97f4a7c15 modulo 2^64: times that a number is small again. */
#define INVERSE 0xf1de83e19937733dULL
#define NUMBERS (2 * DICT_MAX)
#define MOST	256 /* slots looked at for a number: some ten are usual */

/* Return: how many slots are taken one after the other, at most. */
static unsigned longest_run(const struct dict *d)
{
	unsigned i, run = 0, most = 0;

	for (i = 0; i < 2 * DICT_SLOTS; i++) {
		run = d->slot[i % DICT_SLOTS].round == d->now ? run + 1 : 0;
		most = run > most ? run : most;
	}
	return most;
}

static unsigned run_of(const uint64_t *v)
{
	struct column_head h = {.form = FORM_DICT};
	struct buf to = {0};
	struct packer p;
	unsigned run;

	assert_int_equal(packer_init(&p), 0);
	assert_true(put_dict(&p, v, NUMBERS, &h, &to));
	assert_int_equal(h.base, DICT_MAX);
	run = longest_run((struct dict *)p.dict.data);
	buf_done(&to);
	packer_done(&p);
	return run;
}

/* One in a thousand random factors is a bad one for these. */
static void numbers_cannot_be_chosen_to_collide(void **state)
{
	unsigned i, run, least = DICT_SLOTS;
	uint64_t v[NUMBERS];

	(void)state;
	assert_int_equal(INVERSE * 0x9e3779b97f4a7c15ULL, 1);
	for (i = 0; i < NUMBERS; i++)
		v[i] = INVERSE * (i % DICT_MAX);
	for (i = 0; i < 4; i++) {
		run = run_of(v);
		least = run < least ? run : least;
	}
	assert_in_range(least, 1, MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_cannot_be_chosen_to_collide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
