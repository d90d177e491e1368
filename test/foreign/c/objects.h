// Named objects as docs/linux-format.md has them: as much of it as a peer for
// channels needs. What is wrong ends the program. Numbers in brackets are the
// document's sections.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { format_version = 2, control_size = 4096, flags_at = 0x18, state_at = 0x40 };
enum { mark = 01000, control_mode = 01700 }; // of files that filemap made [3]
enum { event_kind = 2, mutex_kind = 4 };

static const off_t handle_bytes = (off_t)1 << 60, token_byte = (off_t)1 << 61;
static const uint64_t waiters = 1u << 31, died = 1u << 30, abandoned = 1u << 29;
static const uint64_t owner_bits = (1u << 29) - 1, signaled = 1, pulsed = 2;

struct object {
	char path[PATH_MAX];
	int fd;
	uint64_t mine; // of a mutex: the state when this handle has it locked
	unsigned char *page;
};

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void pause_a_moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 100 * 1000}, NULL);
}

// byte_lock locks, unlocks or tests a byte; the result of a test is in l_type.
static int byte_lock(int fd, int command, struct flock *lock, short type, off_t at)
{
	*lock = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
	return fcntl(fd, command, lock);
}

static int byte_is_locked(int fd, off_t at)
{
	struct flock lock;
	if (byte_lock(fd, F_OFD_GETLK, &lock, F_WRLCK, at) != 0)
		fail("F_OFD_GETLK");
	return lock.l_type != F_UNLCK;
}

// handle_byte is the byte [4] of the object whose file has the path.
static off_t handle_byte(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (const char *c = strrchr(path, '/') + 1; *c != 0; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	return handle_bytes | (off_t)(hash & (uint64_t)(handle_bytes - 1));
}

// is_held tells whether a file has holders, under whatever name.
static int is_held(int fd)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = handle_bytes, .l_len = handle_bytes,
	};
	if (fcntl(fd, F_OFD_GETLK, &lock) != 0)
		fail("F_OFD_GETLK");
	return lock.l_type != F_UNLCK;
}

static void lock_byte(int fd, short type, off_t at)
{
	struct flock lock;
	if (byte_lock(fd, F_OFD_SETLK, &lock, type, at) != 0)
		fail("F_OFD_SETLK");
}

// clear_away is [8]: the caller has the file's lock exclusively.
static void clear_away(int fd, const char *path)
{
	struct stat file, name;
	if (fstat(fd, &file) == 0 && lstat(path, &name) == 0 && file.st_dev == name.st_dev &&
	    file.st_ino == name.st_ino)
		unlink(path);
}

// open_known opens the file of a Local object, which it looks at first. It
// returns -1 if there is none.
static int open_known(const char *path)
{
	struct stat st;
	char self[64];
	int found = open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW);
	if (found < 0 && errno == ENOENT)
		return -1;
	if (found < 0 || fstat(found, &st) != 0)
		fail(path);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (mark | 0077)) != mark) {
		errno = EACCES;
		fail(path);
	}
	snprintf(self, sizeof self, "/proc/self/fd/%d", found);
	int fd = open(self, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		fail(path);
	close(found);
	return fd;
}

// open_handle is [5]. It returns -1 if there is no such object.
static int open_handle(const char *path)
{
	for (int attempt = 0; attempt < 2000; attempt++) {
		int fd = open_known(path);
		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_SH | LOCK_NB) == 0 && byte_is_locked(fd, handle_byte(path))) {
			lock_byte(fd, F_RDLCK, handle_byte(path));
			return fd;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 && !is_held(fd))
			clear_away(fd, path);
		close(fd);
		pause_a_moment();
	}
	fail(path);
	return -1;
}

// close_handle is [7].
static void close_handle(int fd, const char *path)
{
	lock_byte(fd, F_UNLCK, handle_byte(path));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && !is_held(fd))
		clear_away(fd, path);
	flock(fd, LOCK_UN);
	close(fd);
}

static uint64_t pid_namespace(void)
{
	struct stat st;
	return stat("/proc/self/ns/pid", &st) == 0 ? (uint32_t)st.st_ino : 0;
}

// create_mutex is [6]. It returns -1 if somebody was faster.
static int create_mutex(const char *path)
{
	char directory[PATH_MAX], self[64];
	unsigned char page[control_size] = "FILEMAP1";
	uint64_t id, flags = pid_namespace() << 32;
	strcpy(directory, path);
	int fd = open(dirname(directory), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || getrandom(&id, sizeof id, 0) != sizeof id)
		fail("O_TMPFILE");
	memcpy(page + 0x08, &(uint32_t){format_version}, 4);
	memcpy(page + 0x0c, &(uint32_t){mutex_kind}, 4);
	memcpy(page + 0x10, &id, 8);
	memcpy(page + flags_at, &flags, 8);
	if (write(fd, page, sizeof page) != sizeof page || fchmod(fd, control_mode) != 0 ||
	    flock(fd, LOCK_SH | LOCK_NB) != 0)
		fail("create");
	lock_byte(fd, F_RDLCK, handle_byte(path));
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
		return fd;
	if (errno != EEXIST)
		fail("linkat");
	close(fd);
	return -1;
}

static _Atomic uint64_t *object_word(struct object *o, int at)
{
	return (_Atomic uint64_t *)(o->page + at);
}

static _Atomic uint64_t *state_of(struct object *o) { return object_word(o, state_at); }

// The robust list of [15]: the system marks the mutexes on it when this thread
// dies. The C library's own list is out of use from then on. A node lies in the
// page of this process's own before the mutex's page.
static struct robust_list_head robust;

static void keep(struct object *o, size_t page_size)
{
	struct robust_list *node = (struct robust_list *)(o->page - page_size);
	if (robust.list.next == NULL) {
		robust.list.next = &robust.list;
		robust.futex_offset = page_size + state_at;
		if (syscall(SYS_set_robust_list, &robust, sizeof robust) != 0)
			fail("set_robust_list");
	}
	node->next = robust.list.next;
	robust.list.next = node;
}

// attach maps an object's page, after one of this process's own, and draws a
// token.
static void attach(struct object *o, uint32_t kind)
{
	size_t size = sysconf(_SC_PAGESIZE);
	unsigned char *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stat st;
	uint32_t token, seen[2];
	if (pages == MAP_FAILED || fstat(o->fd, &st) != 0 || st.st_size < control_size ||
	    mmap(pages + size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, o->fd, 0) == MAP_FAILED)
		fail(o->path);
	o->page = pages + size;
	memcpy(seen, o->page + 8, sizeof seen);
	if (memcmp(o->page, "FILEMAP1", 8) != 0 || seen[0] != format_version || seen[1] != kind)
		fail("not the object it should be");
	if (getrandom(&token, sizeof token, 0) != sizeof token || token == 0)
		fail("no token");
	lock_byte(o->fd, F_WRLCK, token_byte + token);
	o->mine = (uint64_t)token << 32 | (uint64_t)gettid();
	if (kind != mutex_kind)
		return;
	if (atomic_load(object_word(o, flags_at)) >> 32 != pid_namespace())
		atomic_fetch_or(object_word(o, flags_at), 1);
	keep(o, size);
}

static struct object named(const char *base, const char *suffix)
{
	struct object o;
	snprintf(o.path, sizeof o.path, "%s%s", base, suffix);
	return o;
}

static struct object open_event(const char *base, const char *suffix)
{
	struct object o = named(base, suffix);
	if ((o.fd = open_handle(o.path)) < 0)
		fail(o.path);
	attach(&o, event_kind);
	return o;
}

static struct object open_or_create_mutex(const char *base, const char *suffix)
{
	struct object o = named(base, suffix);
	while ((o.fd = open_handle(o.path)) < 0 && (o.fd = create_mutex(o.path)) < 0)
		;
	attach(&o, mutex_kind);
	return o;
}

static void close_object(struct object *o)
{
	size_t size = sysconf(_SC_PAGESIZE);
	struct robust_list **link = &robust.list.next, *node = (struct robust_list *)(o->page - size);
	while (*link != NULL && *link != &robust.list && *link != node)
		link = &(*link)->next;
	if (*link == node)
		*link = node->next;
	munmap(o->page - size, 2 * size);
	close_handle(o->fd, o->path);
}

static long futex(struct object *o, int operation, uint32_t value, struct timespec *limit)
{
	return syscall(SYS_futex, o->page + state_at, operation, value, limit, NULL, 0);
}

// swap_and_wake changes a state, and wakes all who wait.
static int swap_and_wake(struct object *o, uint64_t old, uint64_t next)
{
	if (!atomic_compare_exchange_strong(state_of(o), &old, next & ~waiters))
		return 0;
	if (old & waiters)
		futex(o, FUTEX_WAKE, INT_MAX, NULL);
	return 1;
}

// settle_death makes a mutex free whose owner's thread died, unless that was
// another one of the same number.
static void settle_death(struct object *o, uint64_t old)
{
	int trust = atomic_load(object_word(o, flags_at)) & 1;
	uint64_t next = abandoned | (old & waiters);
	if (trust && byte_is_locked(o->fd, token_byte + (off_t)(old >> 32)))
		next = old >> 32 << 32 | waiters | owner_bits;
	atomic_compare_exchange_strong(state_of(o), &old, next);
}

// try_lock returns 1 if it locks the mutex, or 2 if that was abandoned.
static int try_lock(struct object *o)
{
	for (;;) {
		uint64_t old = atomic_load(state_of(o));
		if (old & died)
			settle_death(o, old);
		else if (old >> 32 != 0 || (old & owner_bits) != 0)
			return 0;
		else if (atomic_compare_exchange_strong(state_of(o), &old, o->mine | (old & waiters)))
			return old & abandoned ? 2 : 1;
	}
}

static void unlock(struct object *o)
{
	if (!swap_and_wake(o, o->mine, 0) && !swap_and_wake(o, o->mine | waiters, 0))
		fail("a lock is lost");
}

static void set_event(struct object *o)
{
	uint64_t old;
	do
		old = atomic_load(state_of(o));
	while (!swap_and_wake(o, old, (old & ~pulsed) | signaled));
}

// await_event takes the signal, or returns without it after 250 ms, or if
// anything happens.
static void await_event(struct object *o)
{
	struct timespec limit = {.tv_nsec = 250 * 1000 * 1000};
	uint64_t old = atomic_load(state_of(o));
	if (old >> 32 == 0 && (old & signaled) != 0)
		atomic_compare_exchange_strong(state_of(o), &old, old & ~signaled);
	else if (atomic_compare_exchange_strong(state_of(o), &old, old | waiters))
		futex(o, FUTEX_WAIT, (uint32_t)(old | waiters), &limit);
}
