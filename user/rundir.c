// SPDX-License-Identifier: BSD-2-Clause
#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SUFFIX	 ".sock"
#define BACKLOG	 64
#define TRIES	 8 /* at a name that stale sockets are in the way of */
#define DIR_MODE 0700
/* As systemd/weir.service.in has it. */
#define SERVICE "/run/weir-service/weir"

/* ---- the directory ------------------------------------------------------- */

static int dir_path(char path[PATH_MAX])
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	if (!geteuid())
		xdg = "/run";
	if (!xdg || *xdg != '/')
		return -ENOENT;
	return snprintf(path, PATH_MAX, "%s/weir", xdg) < PATH_MAX
		       ? 0
		       : -ENAMETOOLONG;
}

static int check_dir(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return st.st_uid == geteuid() && !(st.st_mode & 077) ? 0 : -EPERM;
}

static int open_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Return: a descriptor; -errno. */
static int open_dir(bool make)
{
	char path[PATH_MAX];
	int err = dir_path(path), fd;

	if (err)
		return err;
	if (make && mkdir(path, DIR_MODE) && errno != EEXIST)
		return -errno;
	fd = open_at(path);
	if (fd < 0)
		return fd;
	err = check_dir(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static bool is_name(const char *name)
{
	static const char legal[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789._-";
	size_t len = strlen(name);

	return len && len <= RUNDIR_NAME_MAX && name[0] != '.' &&
	       strspn(name, legal) == len;
}

/* Where @name is: a directory, and a file in it. Return: descriptor; -errno. */
static int locate(const char *name, bool make, char *file, size_t size)
{
	const char *slash = strrchr(name, '/');
	char dir[PATH_MAX];

	if (!slash) {
		if (!is_name(name))
			return -EINVAL;
		snprintf(file, size, "%s" SUFFIX, name);
		return open_dir(make);
	}
	if ((size_t)snprintf(file, size, "%s", slash + 1) >= size ||
	    !is_name(file))
		return -EINVAL;
	if (snprintf(dir, sizeof(dir), "%.*s", (int)(slash - name), name) >=
	    (int)sizeof(dir))
		return -ENAMETOOLONG;
	return open_at(slash == name ? "/" : dir);
}

/* ---- sockets ------------------------------------------------------------- */

/* By descriptor: a path may be longer than an address, or be moved. */
static void address(struct sockaddr_un *to, int dir, const char *file)
{
	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(to->sun_path, sizeof(to->sun_path), "/proc/self/fd/%d/%s", dir,
		 file);
}

/* Return: a descriptor; -ECONNREFUSED nobody listens any more; -errno. */
static int connect_at(int dir, const char *file, int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	struct sockaddr_un to;
	int err;

	if (fd < 0)
		return -errno;
	address(&to, dir, file);
	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Is somebody there? What nobody listens on is removed. */
static bool is_live(int dir, const char *file)
{
	int fd = connect_at(dir, file, SOCK_NONBLOCK);

	if (fd == -ECONNREFUSED)
		unlinkat(dir, file, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0 || fd == -EAGAIN;
}

static int bind_at(int fd, int dir, const char *file)
{
	struct sockaddr_un to;

	address(&to, dir, file);
	unlinkat(dir, file, 0);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) ||
	    fchmodat(dir, file, 0600, 0) || listen(fd, BACKLOG))
		return -errno;
	return 0;
}

static int move_to_name(int dir, const char *from, const char *to)
{
	unsigned i;

	for (i = 0; i < TRIES; i++) {
		if (!renameat2(dir, from, dir, to, RENAME_NOREPLACE))
			return 0;
		if (errno != EEXIST)
			return -errno;
		if (is_live(dir, to))
			return -EADDRINUSE;
	}
	return -EADDRINUSE;
}

static int listen_at(struct rundir_socket *s)
{
	char made[32];
	int err;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	snprintf(made, sizeof(made), ".new-%d", (int)getpid());
	err = bind_at(s->fd, s->dir, made);
	if (!err)
		err = move_to_name(s->dir, made, s->file);
	if (err)
		unlinkat(s->dir, made, 0);
	return err;
}

void rundir_close(struct rundir_socket *s)
{
	if (s->fd < 0)
		return;
	unlinkat(s->dir, s->file, 0);
	close(s->fd);
	close(s->dir);
	s->fd = s->dir = -1;
}

/* ---- who looks for recorders --------------------------------------------- */

/* Of others root talks to whoever has the directory, and nobody else does. */
static int check_peer(int fd, int dir)
{
	uid_t user = geteuid();
	struct ucred peer;
	socklen_t len = sizeof(peer);
	struct stat st;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ||
	    fstat(dir, &st))
		return -errno;
	if (!peer.uid || peer.uid == user || (!user && peer.uid == st.st_uid))
		return 0;
	return -EPERM;
}

static int connect_to(const char *name)
{
	char file[RUNDIR_NAME_MAX + 8];
	int dir = locate(name, false, file, sizeof(file)), fd, err;

	if (dir < 0)
		return dir;
	fd = connect_at(dir, file, 0);
	if (fd == -ECONNREFUSED) {
		unlinkat(dir, file, 0);
		fd = -ENOENT;
	}
	err = fd < 0 ? 0 : check_peer(fd, dir);
	close(dir);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int rundir_connect(const char *name)
{
	char path[sizeof(SERVICE) + RUNDIR_NAME_MAX + 8];
	int fd = connect_to(name);

	if (fd != -ENOENT || geteuid() || strchr(name, '/'))
		return fd;
	snprintf(path, sizeof(path), SERVICE "/%s" SUFFIX, name);
	return connect_to(path);
}

/* Return: how long the name is without its suffix; 0: no socket's. */
static int name_len(const char *file)
{
	size_t len = strlen(file), end = strlen(SUFFIX);

	if (file[0] == '.' || len <= end || strcmp(file + len - end, SUFFIX))
		return 0;
	return (int)(len - end);
}

/* Call @fn for what is found in @dir, with @above before its name. */
static int each_in(int dir, const char *above, const char *below,
		   void (*fn)(void *arg, const char *name), void *arg)
{
	char name[sizeof(SERVICE) + NAME_MAX + 1];
	struct dirent **files;
	int count = scandirat(dir, ".", &files, NULL, alphasort), i, len,
	    live = 0;

	for (i = 0; i < count; i++) {
		len = name_len(files[i]->d_name);
		if (len && is_live(dir, files[i]->d_name)) {
			snprintf(name, sizeof(name), "%s%.*s%s", above, len,
				 files[i]->d_name, below);
			fn(arg, name);
			live++;
		}
		free(files[i]);
	}
	if (count >= 0)
		free(files);
	close(dir);
	return live;
}

static int each_of_service(void (*fn)(void *arg, const char *name), void *arg)
{
	int dir = geteuid() ? -1 : open_at(SERVICE);

	return dir < 0 ? 0 : each_in(dir, SERVICE "/", SUFFIX, fn, arg);
}

int rundir_each(void (*fn)(void *arg, const char *name), void *arg)
{
	int dir = open_dir(false);

	if (dir < 0 && dir != -ENOENT)
		return dir;
	return (dir < 0 ? 0 : each_in(dir, "", "", fn, arg)) +
	       each_of_service(fn, arg);
}

/* ---- to be found --------------------------------------------------------- */

static void ignore(void *arg, const char *name)
{
	(void)arg;
	(void)name;
}

/* A recorder that gave up its rights leaves its socket: remove such first. */
int rundir_listen(struct rundir_socket *s, const char *name)
{
	int err;

	*s = (struct rundir_socket){.fd = -1, .dir = -1};
	s->dir = locate(name, true, s->file, sizeof(s->file));
	if (s->dir < 0)
		return s->dir;
	if (!strchr(name, '/'))
		rundir_each(ignore, NULL);
	err = listen_at(s);
	if (err) {
		if (s->fd >= 0)
			close(s->fd);
		close(s->dir);
		s->fd = s->dir = -1;
	}
	return err;
}
