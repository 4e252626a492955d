// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_plan.c - see sql_plan.h.
 */
#include "sql_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USED_BITS  64
#define COLUMN_MAX 999 /* three digits in a plan's text */

/* How many rows a condition leaves, one of so many. */
#define SHARE_EQUAL 50
#define SHARE_IN    10
#define SHARE_RANGE 4

/* ---- choosing ------------------------------------------------------------ */

static char op_of(unsigned char op)
{
	switch (op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return '=';
	case SQLITE_INDEX_CONSTRAINT_GT:
		return '>';
	case SQLITE_INDEX_CONSTRAINT_GE:
		return 'g';
	case SQLITE_INDEX_CONSTRAINT_LT:
		return '<';
	case SQLITE_INDEX_CONSTRAINT_LE:
		return 'l';
	default:
		return 0;
	}
}

/* Text is compared byte by byte here, and its order not at all. */
static char can_test(const struct sql_columns *c, sqlite3_index_info *info,
		     int i)
{
	const struct sqlite3_index_constraint *k = &info->aConstraint[i];
	char op = op_of(k->op);
	const struct sql_column *col;

	if (!k->usable || !op || k->iColumn < 0 ||
	    (unsigned)k->iColumn >= c->count || k->iColumn > COLUMN_MAX)
		return 0;
	col = &c->column[k->iColumn];
	if (!col->integer && op != '=' && col->what != SQL_TIME)
		return 0;
	if (!col->integer &&
	    sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY"))
		return 0;
	if (op == '=' && sqlite3_vtab_in(info, i, 1))
		op = 'i';
	return op;
}

static double share_of(char op)
{
	return op == '=' ? SHARE_EQUAL : op == 'i' ? SHARE_IN : SHARE_RANGE;
}

int sql_plan_choose(const struct sql_columns *c, double rows,
		    sqlite3_index_info *info)
{
	sqlite3_str *s = sqlite3_str_new(NULL);
	double left = rows, walked = rows;
	int i, count = 0;
	char op;

	sqlite3_str_appendf(s, "%llx", info->colUsed);
	for (i = 0; i < info->nConstraint && count < SQL_CONDS_MAX; i++) {
		op = can_test(c, info, i);
		if (!op)
			continue;
		info->aConstraintUsage[i].argvIndex = ++count;
		sqlite3_str_appendf(s, "%c%d", op,
				    info->aConstraint[i].iColumn);
		left /= share_of(op);
		if (op == '=' || !info->aConstraint[i].iColumn) /* ts */
			walked /= share_of(op);
	}
	info->idxStr = sqlite3_str_finish(s);
	info->needToFreeIdxStr = 1;
	info->estimatedRows = (sqlite3_int64)left + 1;
	info->estimatedCost = walked + left + 10;
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

bool sql_plan_read(struct sql_plan *ret, const struct sql_columns *c,
		   const char *text)
{
	char *at;
	unsigned long column;

	memset(ret, 0, sizeof(*ret));
	ret->used = strtoull(text, &at, 16);
	while (*at && ret->count < SQL_CONDS_MAX) {
		ret->cond[ret->count].op = *at++;
		column = strtoul(at, &at, 10);
		if (column >= c->count)
			return false;
		ret->cond[ret->count++].column = (unsigned)column;
	}
	return !*at;
}

bool sql_plan_uses(const struct sql_plan *p, unsigned column)
{
	unsigned bit = column < USED_BITS ? column : USED_BITS - 1, i;

	if (p->used >> bit & 1)
		return true;
	for (i = 0; i < p->count; i++)
		if (p->cond[i].column == column)
			return true;
	return false;
}
