// SPDX-License-Identifier: BSD-2-Clause
/* server_test.c - no client, however hostile, harms the server or others. */
#include "store.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../../user/rundir.h"
#include "../../user/server.h"

#define NOBODY	   65534
#define BIG_ANSWER (8U << 20)

static char dir[64], name[80];
static struct rundir_socket listening;
static struct server *server;
static unsigned asked;

static void on_question(void *arg, const struct server_client *c, char *line)
{
	static char big[BIG_ANSWER];

	(void)arg;
	asked++;
	assert_int_equal(c->uid, geteuid());
	if (!strcmp(line, "big"))
		server_answer(server, c->id, big, sizeof(big));
	else if (strcmp(line, "later") != 0)
		server_answer(server, c->id, line, strlen(line));
}

static int setup(void **state)
{
	(void)state;
	store_scratch(dir);
	snprintf(name, sizeof(name), "%s/socket", dir);
	assert_int_equal(rundir_listen(&listening, name), 0);
	assert_int_equal(server_open(&server, listening.fd, on_question, NULL),
			 0);
	asked = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	server_close(server);
	rundir_close(&listening);
	assert_int_equal(access(name, F_OK), -1);
	store_remove(dir);
	return 0;
}

/* At least; on a host that stands still meanwhile as many passes all the same,
 * and one when the time is over. */
#define PASSES 20

static void run_for(uint64_t ns)
{
	uint64_t until = clock_now() + ns;
	int passes = 0;

	do {
		server_run(server);
		clock_sleep(NS_PER_MS);
	} while (++passes < PASSES || clock_now() < until);
	server_run(server);
}

static int join(void)
{
	int fd = rundir_connect(name);

	assert_true(fd >= 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
			 strlen(text));
}

/* Return: bytes read up to the end, -1 when it has not come. */
static ssize_t read_to_end(int fd, char *to, size_t size)
{
	size_t got = 0;
	ssize_t n;

	while ((n = read(fd, to + got, size - got)) > 0)
		got += (size_t)n;
	return n ? -1 : (ssize_t)got;
}

static unsigned clients(void)
{
	struct server_stats s;

	server_stats(server, &s);
	return s.clients;
}

static void expect_service(void)
{
	char got[64] = "";
	int fd = join();

	put(fd, "hello\n");
	run_for(20 * NS_PER_MS);
	assert_int_equal(read_to_end(fd, got, sizeof(got)), 5);
	assert_string_equal(got, "hello");
	close(fd);
}

static void a_question_is_answered(void **state)
{
	(void)state;
	expect_service();
	expect_service();
	assert_int_equal(asked, 2);
	assert_int_equal(clients(), 0);
}

static void a_question_may_come_in_pieces(void **state)
{
	char got[64] = "";
	int fd = join();

	(void)state;
	put(fd, "he");
	run_for(5 * NS_PER_MS);
	put(fd, "llo\nand more");
	run_for(20 * NS_PER_MS);
	assert_true(read_to_end(fd, got, sizeof(got)) == 5 ||
		    errno == ECONNRESET);
	assert_string_equal(got, "hello");
	close(fd);
}

static void a_line_without_an_end_is_dropped(void **state)
{
	char garbage[SERVER_LINE_MAX * 2];
	int fd = join();

	(void)state;
	memset(garbage, 0xfe, sizeof(garbage));
	assert_true(send(fd, garbage, sizeof(garbage), MSG_NOSIGNAL) > 0);
	run_for(20 * NS_PER_MS);
	assert_int_equal(clients(), 0);
	assert_int_equal(asked, 0);
	close(fd);
	expect_service();
}

static void who_says_nothing_is_dropped(void **state)
{
	int fd = join();

	(void)state;
	run_for(20 * NS_PER_MS);
	assert_int_equal(clients(), 1);
	run_for(SERVER_ASK_NS);
	assert_int_equal(clients(), 0);
	close(fd);
}

static void who_does_not_read_is_dropped(void **state)
{
	int fd = join();

	(void)state;
	put(fd, "big\n");
	run_for(20 * NS_PER_MS);
	assert_int_equal(clients(), 1);
	expect_service();
	run_for(SERVER_ANSWER_NS);
	assert_int_equal(clients(), 0);
	close(fd);
}

static void who_waits_and_goes_is_forgotten(void **state)
{
	int fd = join();

	(void)state;
	put(fd, "later\n");
	run_for(20 * NS_PER_MS);
	assert_int_equal(clients(), 1);
	close(fd);
	run_for(20 * NS_PER_MS);
	assert_int_equal(clients(), 0);
	server_answer(server, 1, "late", 4); /* nobody to hear it */
}

static void a_thousand_connections_do_no_harm(void **state)
{
	struct rlimit files = {2048, 2048};
	struct server_stats s;
	int fd[1000];
	unsigned i;

	(void)state;
	if (setrlimit(RLIMIT_NOFILE, &files))
		skip();
	for (i = 0; i < 1000; i++) {
		fd[i] = rundir_connect(name);
		assert_true(fd[i] >= 0);
		server_run(server);
	}
	assert_int_equal(clients(), SERVER_CLIENTS_MAX);
	server_stats(server, &s);
	assert_int_equal(s.accepted, 1000);
	assert_int_equal(s.refused, 1000 - SERVER_CLIENTS_MAX);
	for (i = 0; i < 1000; i++)
		close(fd[i]);
	run_for(20 * NS_PER_MS);
	expect_service();
}

/* Run by another user. Return: what rundir_connect() says, negated. */
static int as_nobody(void)
{
	int status, fd;
	pid_t pid = fork();

	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(255);
		fd = rundir_connect(name);
		if (fd >= 0)
			put(fd, "hello\n");
		clock_sleep(50 * NS_PER_MS);
		_exit(fd < 0 ? -fd : 0);
	}
	run_for(30 * NS_PER_MS);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	run_for(5 * NS_PER_MS);
	return WEXITSTATUS(status);
}

static void another_user_is_not_heard(void **state)
{
	struct server_stats s;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(as_nobody(), EACCES); /* the socket is 0600 */
	assert_int_equal(chmod(name, 0666), 0);
	assert_int_equal(as_nobody(), 0);
	server_stats(server, &s);
	assert_int_equal(s.refused, 1);
	assert_int_equal(asked, 0);
	expect_service();
}

static void a_name_in_use_is_refused_and_a_stale_one_is_not(void **state)
{
	struct rundir_socket other, third;
	char stale[80];

	(void)state;
	assert_int_equal(rundir_listen(&other, name), -EADDRINUSE);
	expect_service();
	snprintf(stale, sizeof(stale), "%s/stale", dir);
	assert_int_equal(rundir_listen(&other, stale), 0);
	close(other.fd); /* as when it is killed */
	assert_int_equal(access(stale, F_OK), 0);
	assert_int_equal(rundir_connect(stale), -ENOENT);
	assert_int_equal(access(stale, F_OK), -1);
	close(other.dir);
	assert_int_equal(rundir_listen(&other, stale), 0);
	close(other.fd);
	close(other.dir);
	assert_int_equal(rundir_listen(&third, stale), 0);
	rundir_close(&third);
}

static void names_are_plain(void **state)
{
	static const char *const bad[] = {"",	 ".",	 "..",	   ".x",
					  "a b", "a\nb", "\x1b[1m"};
	struct rundir_socket s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(rundir_listen(&s, bad[i]), -EINVAL);
}

/* Somebody else's directory, or one that others may enter, is not used. */
static void an_open_directory_is_refused(void **state)
{
	struct rundir_socket s;
	char path[80];
	int status;
	pid_t pid;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(chown(dir, NOBODY, NOBODY), 0);
	snprintf(path, sizeof(path), "%s/weir", dir);
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(chmod(path, 0777), 0);
	pid = fork();
	if (!pid) {
		setenv("XDG_RUNTIME_DIR", dir, 1);
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(255);
		_exit(-rundir_listen(&s, "x"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), EPERM);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_question_is_answered),
		TEST(a_question_may_come_in_pieces),
		TEST(a_line_without_an_end_is_dropped),
		TEST(who_says_nothing_is_dropped),
		TEST(who_does_not_read_is_dropped),
		TEST(who_waits_and_goes_is_forgotten),
		TEST(a_thousand_connections_do_no_harm),
		TEST(another_user_is_not_heard),
		TEST(a_name_in_use_is_refused_and_a_stale_one_is_not),
		TEST(names_are_plain),
		TEST(an_open_directory_is_refused),
	};

	return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
