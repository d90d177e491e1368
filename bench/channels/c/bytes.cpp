// A ring of bytes, with the indices of its sender and of its receiver in shared memory,
// each in a cache line of its own: no names, no checks, no end of the other process.
// Each end keeps a copy of the other's index, and looks at it again when it has to.
#include "region.hpp"
#include <atomic>

using word = std::atomic<uint64_t>;

struct ring {
	static constexpr size_t head_size = sizeof(uint64_t); // the length before a message

	size_t capacity;
	region memory;
	word &sent, &received; // bytes
	char *bytes;
	uint64_t own = 0, other = 0; // the index of this end, and what it knows of the other's

	ring(const order &o, const char *what)
		: capacity(std::max<size_t>(4 << 20, 4 * o.size)), memory(o, what, 2 * apart + capacity),
		  sent(*reinterpret_cast<word *>(memory.bytes)),
		  received(*reinterpret_cast<word *>(memory.bytes + apart)), bytes(memory.bytes + 2 * apart)
	{
	}

	// whole returns what a message takes: lengths are aligned, so that none wraps.
	static uint64_t whole(size_t n) { return head_size + (n + head_size - 1) / head_size * head_size; }

	void send(const void *p, size_t n)
	{
		while (own + whole(n) - other > capacity) {
			other = received.load(std::memory_order_acquire);
			relax();
		}
		size_t at = own % capacity;
		memcpy(bytes + at, &n, head_size);
		at = (at + head_size) % capacity;
		size_t first = std::min(n, capacity - at);
		memcpy(bytes + at, p, first);
		memcpy(bytes, static_cast<const char *>(p) + first, n - first);
		own += whole(n);
		sent.store(own, std::memory_order_release);
	}

	size_t receive(void *buf)
	{
		while (other == own) {
			other = sent.load(std::memory_order_acquire);
			relax();
		}
		size_t n, at = own % capacity;
		memcpy(&n, bytes + at, head_size);
		at = (at + head_size) % capacity;
		size_t first = std::min(n, capacity - at);
		memcpy(buf, bytes + at, first);
		memcpy(static_cast<char *>(buf) + first, bytes, n - first);
		own += whole(n);
		received.store(own, std::memory_order_release);
		return n;
	}
};

struct messenger {
	ring there, back;
	bool client;

	explicit messenger(const order &o) : there(o, "-there"), back(o, "-back"), client(o.client) {}

	void send(const void *p, size_t n) { (client ? there : back).send(p, n); }
	size_t receive(void *buf, size_t) { return (client ? back : there).receive(buf); }
};

int main(int argc, char **argv) { return play<messenger>(argc, argv); }
