// Holds locks of the protocol in docs/linux-format.md on a file until its
// input ends:
//
//	lock handle PATH      what a handle has: the file, shared, and HandleByte
//	lock exclusive PATH   what clears a dead object away
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const off_t handle_byte = (off_t)1 << 60;

static int lock(int fd, int exclusive)
{
	if (exclusive)
		return flock(fd, LOCK_EX | LOCK_NB);
	struct flock byte = {
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = handle_byte, .l_len = 1,
	};
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		return -1;
	return fcntl(fd, F_OFD_SETLK, &byte);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	int fd = open(argv[2], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || lock(fd, strcmp(argv[1], "exclusive") == 0) != 0) {
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
