/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_sql.h - the rows of a statement on stdout: cmd_sql_rows.c. Rows are
 * printed as they come; of a table so many are held back as decide its widths.
 */
#ifndef WEIR_CMD_SQL_H
#define WEIR_CMD_SQL_H

#include "sql.h"

enum rows_form { ROWS_TABLE, ROWS_JSON, ROWS_CSV };

/**
 * rows_print - step through a statement and print what it returns
 * Return: 0; -EINVAL the statement failed (sqlite3_errmsg()); -errno of
 * write(2); -ENOMEM.
 */
int rows_print(sqlite3_stmt *stmt, enum rows_form form);

#endif
