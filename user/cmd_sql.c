// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_sql.c - `weir query`: SQL over archives, as one statement, from a pipe,
 * or typed.
 */
#include <ctype.h>
#include <editline/readline.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "cmd_sql.h"
#include "near.h"
#include "table.h"

struct sql_args {
	struct query_args query;
	bool csv, plan, rows;
};

static const struct opt opts[] = {
	{
		.name = "csv",
		.type = OPT_FLAG,
		.offset = offsetof(struct sql_args, csv),
		.help = "print comma-separated values, names first",
	},
	{
		.name = "plan",
		.type = OPT_FLAG,
		.offset = offsetof(struct sql_args, plan),
		.help = "say on stderr what each answer is made from",
	},
	{
		.name = "rows",
		.type = OPT_FLAG,
		.offset = offsetof(struct sql_args, rows),
		.help = "go through all rows, to compare: slower, the same "
			"answers",
	},
	{0},
};

#define STDIN_MAX (16U << 20)
#define PROMPT	  "weir> "
#define PROMPT_ON "  ... "

struct session {
	struct replay *replay;
	struct sql *sql;
	enum rows_form form;
	int exit; /* the worst so far */
	bool plan;
};

/* For Ctrl-C, which ends the statement and not the shell. */
static struct sql *interruptible;

static void on_interrupt(int number)
{
	(void)number;
	if (interruptible)
		sql_interrupt(interruptible);
}

/* ---- what went wrong ----------------------------------------------------- */

/* The line of the text that has the place. */
static void say_place(const char *text, int at)
{
	const char *start = text + at, *end = text + at;
	char *line;

	while (start > text && start[-1] != '\n')
		start--;
	end += strcspn(end, "\n");
	line = strndup(start, (size_t)(end - start));
	if (line)
		say_at(line, (size_t)(text + at - start));
	free(line);
}

static void try_name(void *arg, const char *name, const char *help)
{
	(void)help;
	near_try(arg, name);
}

/* The table that was probably meant, or NULL. */
static const char *meant_table(const struct session *s, const char *what)
{
	static const char begin[] = "no such table: ";
	struct near near;

	if (strncmp(what, begin, sizeof(begin) - 1))
		return NULL;
	what += sizeof(begin) - 1;
	near_init(&near, what, strlen(what));
	sql_tables(s->sql, try_name, &near);
	return near_best(&near);
}

/* Where names are told, for who has used another. */
static const char *where_names(const char *what)
{
	static const struct {
		const char *begin, *where;
	} unknown[] = {
		{"no such table: ", " (weir list events)"},
		{"no such column: ", " (weir list fields EVENT, or .schema)"},
	};
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (!strncmp(what, unknown[i].begin, strlen(unknown[i].begin)))
			return unknown[i].where;
	return "";
}

static int say_wrong(const struct session *s, const char *text,
		     const struct sql_error *err)
{
	const char *meant = meant_table(s, err->what);

	if (meant)
		say("SQL: %s (did you mean '%s'?)", err->what, meant);
	else
		say("SQL: %s%s", err->what, where_names(err->what));
	if (err->at >= 0 && (size_t)err->at <= strlen(text))
		say_place(text, err->at);
	return EXIT_USAGE;
}

static int say_failed(const struct session *s)
{
	sqlite3 *db = sql_db(s->sql);

	if (sqlite3_errcode(db) == SQLITE_INTERRUPT)
		return fail("interrupted");
	return fail("SQL: %s", sqlite3_errmsg(db));
}

/* ---- one statement ------------------------------------------------------- */

static int print(const struct session *s, sqlite3_stmt *stmt)
{
	int err = rows_print(stmt, s->form);

	if (err == -EINVAL)
		return say_failed(s);
	return err ? write_failed("stdout", err) : EXIT_OK;
}

static const char *const plans[] = {
	[SQL_PATH_ROWS] = "answered by SQLite, from rows",
	[SQL_PATH_COLUMNS] = "answered by SQLite, from rows that columns chose",
	[SQL_PATH_GROUPS] = "answered from columns",
};

/*
 * Run the first statement of @text. Return: exit code; *@ret_tail is what
 * follows, NULL after an error.
 */
static int run_one(const struct session *s, const char *text,
		   const char **ret_tail)
{
	sqlite3_stmt *stmt = NULL;
	struct sql_error why;
	struct sql_odd odd;
	const char *tail = NULL;
	int rc, err;

	*ret_tail = NULL;
	err = sql_prepare(s->sql, text, &stmt, &tail, &why);
	if (err == -EINVAL)
		return say_wrong(s, text, &why);
	if (err == -EINTR)
		return fail("interrupted");
	if (err)
		return fail("the archive cannot be read: %s", strerror(-err));
	*ret_tail = tail;
	if (!stmt)
		return EXIT_OK;
	if (s->plan)
		say("%s", plans[sql_path(s->sql)]);
	rc = print(s, stmt);
	sqlite3_finalize(stmt);
	if (sql_odd(s->sql, &odd))
		say("%s is %s, and '%s', which it was compared with, is none "
		    "(write %s)",
		    odd.column,
		    strcmp(odd.column, "time") ? "a number"
					       : "text, 2026-11-22T14:03:20Z",
		    odd.value, odd.write);
	err = query_end(s->replay, sql_losses(s->sql));
	return rc ? rc : err;
}

static bool is_blank(const char *text)
{
	return !text[strspn(text, " \t\r\n;")];
}

/* All statements. What failed is worse than what lacks something. */
static int run_all(struct session *s, const char *text)
{
	int rc;

	while (text && !is_blank(text)) {
		rc = run_one(s, text, &text);
		if (rc && s->exit != EXIT_FAILED && s->exit != EXIT_USAGE)
			s->exit = rc;
		if (rc && rc != EXIT_LOSSES)
			return rc;
	}
	return EXIT_OK;
}

/* ---- the shell ----------------------------------------------------------- */

static const char shell_help[] =
	".tables          the tables\n"
	".schema [TABLE]  their columns; HIDDEN ones are not part of *\n"
	".quit            the end; so is Ctrl-D\n"
	"Anything else is SQL and ends with a semicolon. Times are nanoseconds "
	"since the\n"
	"epoch: at('-5m'), span('10ms'), size('64K') make numbers of what "
	"people write.\n";

static void put_table(void *arg, const char *name, const char *help)
{
	table_cell(arg, "%s", name);
	table_cell(arg, "%s", help);
}

static void put_tables(const struct session *s, struct buf *out)
{
	struct table t = {.align = "ll"};

	sql_tables(s->sql, put_table, &t);
	table_print(&t, out);
}

struct describing {
	const struct session *s;
	struct buf *out;
};

static void describe(void *arg, const char *name, const char *help)
{
	struct describing *d = arg;

	(void)help;
	sql_describe(d->s->sql, name, d->out);
}

static void put_schema(const struct session *s, const char *name,
		       struct buf *out)
{
	struct describing all = {s, out};

	if (!name[0])
		sql_tables(s->sql, describe, &all);
	else if (sql_describe(s->sql, name, out))
		say("no table is called '%.60s' (.tables lists them)", name);
}

/* Return: false: this is the end. */
static bool run_dot(const struct session *s, char *line)
{
	char *word = strtok(line, " \t"), *arg = strtok(NULL, " \t;");
	struct buf out = {0};

	if (!strcmp(word, ".quit") || !strcmp(word, ".exit"))
		return false;
	if (!strcmp(word, ".tables"))
		put_tables(s, &out);
	else if (!strcmp(word, ".schema"))
		put_schema(s, arg ? arg : "", &out);
	else if (!strcmp(word, ".help"))
		buf_puts(&out, shell_help);
	else
		say("'%.60s' is no command here (.help lists them)", word);
	put_stdout(&out);
	return true;
}

/* Add a line to a statement. Return: is it whole now? */
static bool add_line(struct buf *text, const char *line)
{
	if (text->len)
		text->data[text->len - 1] = '\n'; /* was the NUL */
	buf_puts(text, line);
	buf_putc(text, '\0');
	return !buf_err(text) && sqlite3_complete(text->data);
}

static void run_typed(struct session *s, struct buf *text)
{
	add_history(text->data);
	interruptible = s->sql;
	run_all(s, text->data);
	interruptible = NULL;
	buf_reset(text);
}

static int shell(struct session *s)
{
	struct buf text = {0};
	bool go_on = true;
	char *line;

	signal(SIGINT, on_interrupt);
	say("SQL ends with a semicolon; .help tells more, Ctrl-D ends");
	while (go_on && (line = readline(text.len ? PROMPT_ON : PROMPT))) {
		if (!text.len && is_blank(line))
			;
		else if (!text.len && line[0] == '.')
			go_on = run_dot(s, line);
		else if (add_line(&text, line))
			run_typed(s, &text);
		free(line);
	}
	buf_done(&text);
	return s->exit == EXIT_LOSSES ? EXIT_LOSSES : EXIT_OK;
}

/* ---- where the SQL comes from -------------------------------------------- */

static int read_stdin(struct buf *b)
{
	char room[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, room, sizeof(room))) > 0) {
		buf_put(b, room, (size_t)n);
		if (b->len > STDIN_MAX)
			return fail("stdin: no SQL is as long as this");
	}
	if (n < 0)
		return fail("stdin: %s", strerror(errno));
	buf_putc(b, '\0');
	return buf_err(b) ? fail("out of memory") : EXIT_OK;
}

static int run_stdin(struct session *s)
{
	struct buf text = {0};
	int rc = read_stdin(&text);

	if (!rc)
		run_all(s, text.data);
	buf_done(&text);
	return rc ? rc : s->exit;
}

static int run(struct session *s, const char *text)
{
	if (text) {
		run_all(s, text);
		return s->exit;
	}
	return isatty(STDIN_FILENO) ? shell(s) : run_stdin(s);
}

/* Is the last word SQL, and no archive? Archives are there, SQL has blanks. */
static bool is_sql(const char *word)
{
	static const char *const begin[] = {"select", "with", "explain",
					    "values"};
	size_t i;

	if (!access(word, F_OK))
		return false;
	for (i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
		if (!strncasecmp(word, begin[i], strlen(begin[i])))
			return true;
	return strpbrk(word, " \t\n;") != NULL;
}

static int query(const void *arg, const struct opt_words *words)
{
	const struct sql_args *args = arg;
	struct opt_words archives = *words;
	const char *text = NULL;
	struct session s = {0};
	struct replay r;
	int rc;

	if (args->csv && args->query.json)
		return usage("query: --json or --csv, not both");
	s.form = args->csv	    ? ROWS_CSV
		 : args->query.json ? ROWS_JSON
				    : ROWS_TABLE;
	if (words->count > 1 && is_sql(words->word[words->count - 1]))
		text = words->word[--archives.count];
	rc = query_open(&r, &args->query, &archives);
	if (rc)
		return rc;
	s.replay = &r;
	s.plan = args->plan;
	if (sql_open(&s.sql, &r))
		rc = fail("out of memory");
	if (!rc) {
		sql_rows_only(s.sql, args->rows);
		rc = run(&s, text);
	}
	sql_close(s.sql);
	replay_close(&r);
	return rc;
}

const struct command cmd_sql = {
	.name = "query",
	.synopsis = "ARCHIVE... ['SELECT ...']",
	.help = "ask an archive with SQL",
	.about = "Each kind of event is a table (weir list events); 'events' "
		 "has what all have in\n"
		 "common; 'tasks', 'account' and 'losses' tell the rest. "
		 "Without SQL it is read\n"
		 "from stdin: by a shell on a terminal, where .schema shows "
		 "all columns. Exit\n"
		 "status 3 when events of the time that was asked for were "
		 "lost.\n",
	.opts = {opts_span, opts, opts_jobs, opts_json, opts_utc, opts_quiet},
	.args_size = sizeof(struct sql_args),
	.min_words = 1,
	.max_words = ARCHIVES_MAX,
	.run = query,
};
