// Holds locks of the protocol in docs/linux-format.md on a file until its
// input ends:
//
//	lock handle PATH      what a handle has: the file, shared, and HandleByte
//	lock exclusive PATH   what clears a dead object away
//	lock version1 PATH    what a handle of version 1 of the format has
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

// handle_byte is the byte of section 4, by the name of the file.
static off_t handle_byte(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (const char *c = strrchr(path, '/') + 1; *c != 0; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
	return ((off_t)1 << 60) | (off_t)(hash & (((uint64_t)1 << 60) - 1));
}

static int lock(int fd, const char *what, const char *path)
{
	if (strcmp(what, "exclusive") == 0)
		return flock(fd, LOCK_EX | LOCK_NB);
	struct flock byte = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = handle_byte(path), .l_len = 1,
	};
	if (strcmp(what, "version1") == 0)
		byte.l_start = (off_t)1 << 60;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return -1;
	return fcntl(fd, F_OFD_SETLK, &byte);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int fd = open(argv[2], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || lock(fd, argv[1], argv[2]) != 0) {
		perror(argv[2]);
		return 1;
	}
	puts("locked");
	fflush(stdout);
	char end;
	while (read(STDIN_FILENO, &end, 1) > 0)
		;
	return 0;
}
