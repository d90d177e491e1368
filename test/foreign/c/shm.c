/* A program that knows nothing of filemap and shares memory as POSIX has it.
 *
 *   shm create NAME SIZE          makes an object
 *   shm slowly NAME SIZE          does so, and pauses before it has a size
 *   shm size NAME                 prints its size
 *   shm write NAME OFFSET TEXT    puts text into it
 *   shm read NAME OFFSET LENGTH   prints bytes of it
 *   shm unlink NAME               removes its name
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

/* attach maps a whole object and tells its size. */
static char *attach(const char *name, size_t *size)
{
	struct stat st;
	int fd = shm_open(name, O_RDWR, 0);
	if (fd < 0)
		fail("shm_open");
	if (fstat(fd, &st) < 0)
		fail("fstat");
	*size = (size_t)st.st_size;
	char *bytes = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		fail("mmap");
	close(fd);
	return bytes;
}

static void create(const char *name, off_t size, useconds_t pause)
{
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		fail("shm_open");
	usleep(pause);
	if (ftruncate(fd, size) < 0)
		fail("ftruncate");
}

static void check_range(size_t size, size_t offset, size_t length)
{
	if (offset > size || length > size - offset) {
		fprintf(stderr, "outside the object\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "", *name = argc > 2 ? argv[2] : "";
	size_t size, offset = argc > 3 ? strtoul(argv[3], NULL, 0) : 0;

	if (argc == 4 && !strcmp(verb, "create")) {
		create(name, (off_t)offset, 0);
	} else if (argc == 4 && !strcmp(verb, "slowly")) {
		create(name, (off_t)offset, 2000);
	} else if (argc == 3 && !strcmp(verb, "size")) {
		attach(name, &size);
		printf("%zu", size);
	} else if (argc == 5 && !strcmp(verb, "write")) {
		char *bytes = attach(name, &size);
		check_range(size, offset, strlen(argv[4]));
		memcpy(bytes + offset, argv[4], strlen(argv[4]));
	} else if (argc == 5 && !strcmp(verb, "read")) {
		size_t length = strtoul(argv[4], NULL, 0);
		char *bytes = attach(name, &size);
		check_range(size, offset, length);
		fwrite(bytes + offset, 1, length, stdout);
	} else if (argc == 3 && !strcmp(verb, "unlink")) {
		if (shm_unlink(name) < 0)
			fail("shm_unlink");
	} else {
		fprintf(stderr, "usage: shm create|slowly|size|write|read|unlink NAME ...\n");
		return 2;
	}
	return 0;
}
