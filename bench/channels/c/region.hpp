// Shared memory for the rings: a file beside the objects of the run, of zeros at first.
#pragma once
#include "peer.hpp"
#include <fcntl.h>
#include <sys/mman.h>

constexpr size_t line = 64, apart = 2 * line; // processors fetch a line's neighbour, too

inline void relax()
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	asm volatile("yield");
#endif
}

struct region {
	std::string path;
	size_t size;
	char *bytes;
	bool removes;

	region(const order &o, const char *what, size_t size) : size(size), removes(!o.client)
	{
		const char *directory = getenv("FILEMAP_DIR");
		path = std::string(directory ? directory : "/dev/shm") + "/" + o.name + what;
		int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, size) != 0)
			throw std::runtime_error(path + ": " + strerror(errno));
		void *p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
		close(fd);
		if (p == MAP_FAILED)
			throw std::runtime_error(path + ": " + strerror(errno));
		bytes = static_cast<char *>(p);
	}

	region(const region &) = delete;

	~region()
	{
		munmap(bytes, size);
		if (removes)
			unlink(path.c_str());
	}
};
