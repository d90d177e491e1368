// A ring of slots, each with a sequence word in the message's first cache line, after
// Dmitry Vyukov's bounded queue: no names, no checks, no end of the other process. A
// sender and a receiver keep their positions to themselves; with -DMANY they share
// them with others, as many senders and receivers do.
#include "region.hpp"
#include <atomic>

using word = std::atomic<uint64_t>;

struct ring {
	struct slot {
		word turn; // 2 * lap: free; 2 * lap + 1: it has that lap's message
		uint64_t length;
		char message[];
	};

	size_t count = 1, stride;
	region memory;
	uint64_t own = 0; // the position of this end, of which there is one

	ring(const order &o, const char *what)
		: stride((sizeof(slot) + o.size + line - 1) / line * line),
		  memory(o, what, 2 * apart + power(depth(o.size)) * stride)
	{
		count = power(depth(o.size));
	}

	static size_t power(size_t most)
	{
		size_t n = 1;
		while (2 * n <= most)
			n *= 2;
		return n;
	}

	slot &at(uint64_t position)
	{
		return *reinterpret_cast<slot *>(memory.bytes + 2 * apart + position % count * stride);
	}

	// claim returns a position whose slot has come to the turn of a sender, 0, or of
	// a receiver, 1.
	uint64_t claim(uint64_t role)
	{
#ifdef MANY
		word &shared = *reinterpret_cast<word *>(memory.bytes + role * apart);
		for (uint64_t position = shared.load(std::memory_order_relaxed);;) {
			auto ahead = int64_t(at(position).turn.load(std::memory_order_acquire) -
				(position / count * 2 + role));
			if (ahead == 0 && shared.compare_exchange_weak(position, position + 1,
					std::memory_order_relaxed))
				return position;
			if (ahead != 0) {
				relax();
				position = shared.load(std::memory_order_relaxed);
			}
		}
#else
		while (at(own).turn.load(std::memory_order_acquire) != own / count * 2 + role)
			relax();
		return own++;
#endif
	}

	void send(const void *p, size_t n)
	{
		uint64_t position = claim(0);
		slot &s = at(position);
		s.length = n;
		memcpy(s.message, p, n);
		s.turn.store(position / count * 2 + 1, std::memory_order_release);
	}

	size_t receive(void *buf)
	{
		uint64_t position = claim(1);
		slot &s = at(position);
		size_t n = s.length;
		memcpy(buf, s.message, n);
		s.turn.store(position / count * 2 + 2, std::memory_order_release);
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
