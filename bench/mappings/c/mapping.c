// The baselines of the mapping contests in C: what shm_open and mmap cost a
// program without a runtime. It reads lines "WHAT PATH USE COUNT", and answers
// each with the nanoseconds that COUNT operations took.
//
// WHAT is sparse or reserved, to make the file, or open. USE is 0 to leave it
// at that, 1 to map and unmap it too, 2 to write to each page meanwhile.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 64 << 10, PAGE = 4 << 10 };
enum { UNTOUCHED, MAPPED, WRITTEN };

static void check(int ok, const char *what) {
	if (!ok) {
		perror(what);
		exit(1);
	}
}

static void use_mapping(int fd, int use) {
	if (use == UNTOUCHED)
		return;
	char *data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(data != MAP_FAILED, "mmap");
	for (int i = 0; use == WRITTEN && i < SIZE; i += PAGE)
		((volatile char *)data)[i] = 1;
	check(munmap(data, SIZE) == 0, "munmap");
}

// The flags are those of shm_open, which only puts /dev/shm before the name.
static void create_mapping(const char *path, int use, int reserve) {
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	check(fd >= 0, "open");
	check((reserve ? fallocate(fd, 0, 0, SIZE) : ftruncate(fd, SIZE)) == 0, "size");
	use_mapping(fd, use);
	check(close(fd) == 0, "close");
	check(unlink(path) == 0, "unlink");
}

static void open_mapping(const char *path, int use) {
	int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	check(fd >= 0, "open");
	struct stat stat;
	check(fstat(fd, &stat) == 0, "fstat");
	use_mapping(fd, use);
	check(close(fd) == 0, "close");
}

static long long now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(void) {
	char what[16], path[4096];
	int use;
	long count;
	while (scanf("%15s %4095s %d %ld", what, path, &use, &count) == 4) {
		long long start = now();
		for (long i = 0; i < count; i++) {
			if (strcmp(what, "open") == 0)
				open_mapping(path, use);
			else
				create_mapping(path, use, strcmp(what, "reserved") == 0);
		}
		printf("%lld\n", now() - start);
		fflush(stdout);
	}
	return 0;
}
