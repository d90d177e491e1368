// Locks and unlocks a robust pthread mutex that processes share, for some
// milliseconds, and prints how often: robust FILE MILLISECONDS. Whoever comes
// first makes the mutex.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

struct shared {
	atomic_int state; // 0 new, 1 being made, 2 made
	pthread_mutex_t mutex;
};

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

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(struct shared)) != 0) {
		perror(argv[1]);
		return 1;
	}
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	make(s);
	long count = 0;
	for (double end = now() + atof(argv[2]); now() < end; count++) {
		pthread_mutex_lock(&s->mutex);
		pthread_mutex_unlock(&s->mutex);
	}
	printf("%ld", count);
	return 0;
}
