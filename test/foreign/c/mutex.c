// Takes part in mutexes, by docs/linux-format.md:
//
//	mutex PATH   opens or makes the mutex whose file has the path, locks it, says
//	             "locked" or "abandoned", and unlocks it when its input ends
#pragma GCC diagnostic ignored "-Wunused-function"
#include "objects.h"

// lock tells whether the mutex was abandoned.
static int lock(struct object *o)
{
	for (int attempt = 0; attempt < 100 * 1000; attempt++) {
		int locked = try_lock(o);
		if (locked)
			return locked == 2;
		pause_a_moment();
	}
	fail("somebody keeps a lock");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	struct object mutex = open_or_create_mutex(argv[1], "");
	int was_abandoned = lock(&mutex);
	puts(was_abandoned ? "abandoned" : "locked");
	fflush(stdout);
	char end;
	while (read(STDIN_FILENO, &end, 1) > 0)
		;
	unlock(&mutex);
	close_object(&mutex);
	return 0;
}
