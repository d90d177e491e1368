// Locks that C programs share: a robust pthread mutex in a file, and a named POSIX
// semaphore.
//
//	locks                          reads lines "WHAT KIND NAME COUNT", and answers each
//	                               with the nanoseconds that COUNT operations took:
//	                               lock (and unlock), open or create (and close)
//	locks fight KIND NAME MS       locks and unlocks for some time, prints how often
//	locks own|next KIND NAME       locks, prints when it had the lock, and waits
//
// KIND is robust or sem. NAME is a path for robust, a name for sem.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct shared {
	atomic_int state; // 0 new, 1 being made, 2 made
	pthread_mutex_t mutex;
};

struct lock {
	struct shared *robust; // or
	sem_t *sem;
};

static void check(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void make(struct shared *s)
{
	int new = 0;
	if (!atomic_compare_exchange_strong(&s->state, &new, 1)) {
		while (atomic_load(&s->state) != 2)
			;
		return;
	}
	pthread_mutexattr_t attributes;
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&s->mutex, &attributes);
	atomic_store(&s->state, 2);
}

static struct lock open_lock(const char *kind, const char *name)
{
	struct lock l = {0};
	if (strcmp(kind, "sem") == 0) {
		l.sem = sem_open(name, O_CREAT, 0600, 1);
		check(l.sem != SEM_FAILED, name);
		return l;
	}
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	check(fd >= 0 && ftruncate(fd, sizeof *l.robust) == 0, name);
	l.robust = mmap(NULL, sizeof *l.robust, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(l.robust != MAP_FAILED, "mmap");
	close(fd);
	make(l.robust);
	return l;
}

static void close_lock(struct lock l)
{
	if (l.sem)
		sem_close(l.sem);
	else
		munmap(l.robust, sizeof *l.robust);
}

static void remove_lock(const char *kind, const char *name)
{
	check((strcmp(kind, "sem") == 0 ? sem_unlink(name) : unlink(name)) == 0, name);
}

static void acquire(struct lock l)
{
	if (l.sem) {
		check(sem_wait(l.sem) == 0, "sem_wait");
		return;
	}
	int error = pthread_mutex_lock(&l.robust->mutex);
	if (error == EOWNERDEAD)
		error = pthread_mutex_consistent(&l.robust->mutex);
	check(error == 0, "pthread_mutex_lock");
}

static void release(struct lock l)
{
	if (l.sem)
		sem_post(l.sem);
	else
		pthread_mutex_unlock(&l.robust->mutex);
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void answer(void)
{
	char what[16], kind[16], name[4096];
	long count;
	while (scanf("%15s %15s %4095s %ld", what, kind, name, &count) == 4) {
		int creates = strcmp(what, "create") == 0, locks = strcmp(what, "lock") == 0;
		struct lock l = {0};
		if (!creates)
			l = open_lock(kind, name); // so that there is one to open
		long long start = now();
		for (long i = 0; i < count; i++) {
			if (locks) {
				acquire(l);
				release(l);
				continue;
			}
			close_lock(open_lock(kind, name));
			if (creates)
				remove_lock(kind, name);
		}
		printf("%lld\n", now() - start);
		fflush(stdout);
		if (!creates) {
			close_lock(l);
			remove_lock(kind, name);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		answer();
		return 0;
	}
	if (argc < 4)
		return 2;
	struct lock l = open_lock(argv[2], argv[3]);
	if (strcmp(argv[1], "fight") == 0) {
		long count = 0;
		for (long long end = now() + atoll(argv[4]) * 1000000; now() < end; count++) {
			acquire(l);
			release(l);
		}
		printf("%ld", count);
		return 0;
	}
	printf("ready\n");
	fflush(stdout);
	acquire(l);
	printf("%lld\n", now());
	fflush(stdout);
	if (strcmp(argv[1], "own") == 0)
		pause(); // to be killed
	release(l);
	return 0;
}
