// A peer for queues of package channel, written from docs/channel-format.md:
//
//	queue IN PLACE OUT PLACE COUNT
//
// receives COUNT messages from one queue and sends each on by the other with
// its bytes turned around. It does not sleep, and wakes nobody who does. The
// places are lent: whoever started it holds their mutexes.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	preamble_capacity = 16, preamble_places = 24,
	words = 128, send_end = words, send_seen = words + 8, send_messages = words + 16,
	send_bytes = words + 24, receive_end = words + 128, receive_messages = words + 136,
	receive_bytes = words + 144,
	places = 1024, place_size = 128, page = 4096,
	message = 1, padding = 2,
};

static const uint64_t position_mask = ((uint64_t)1 << 51) - 1;

struct queue {
	unsigned char *memory, *ring;
	uint64_t capacity, place;
};

static void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static _Atomic uint64_t *word(struct queue *q, uint64_t at)
{
	return (_Atomic uint64_t *)(q->memory + at);
}

static uint64_t load(_Atomic uint64_t *w) { return atomic_load_explicit(w, memory_order_acquire); }

static void store(_Atomic uint64_t *w, uint64_t v) { atomic_store_explicit(w, v, memory_order_release); }

static void add(_Atomic uint64_t *w, uint64_t n) { store(w, load(w) + n); } // its owner alone writes it

static _Atomic uint64_t *header(struct queue *q, uint64_t position)
{
	return (_Atomic uint64_t *)(q->ring + (position & (q->capacity - 1)));
}

static uint64_t new_header(uint64_t kind, uint64_t position, uint64_t length)
{
	return (position / 8) << 34 | kind << 32 | length;
}

static uint64_t record(uint64_t length) { return (length + 15) & ~(uint64_t)7; }

static uint64_t end(uint64_t position, uint64_t owner)
{
	return (position & position_mask) / 8 << 16 | owner;
}

static uint64_t position_of(uint64_t end) { return end >> 16 << 3; }

static struct queue open_queue(const char *path, const char *place)
{
	struct queue q = { .place = strtoull(place, NULL, 10) };
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) != 0)
		fail("no such queue");
	q.memory = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (q.memory == MAP_FAILED || memcmp(q.memory, "filemapc", 8) != 0)
		fail("no channel");
	q.capacity = load(word(&q, preamble_capacity));
	uint64_t count = *(uint32_t *)(q.memory + preamble_places);
	uint64_t rings = (places + count * place_size + page - 1) / page * page;
	if (q.capacity < page || (q.capacity & (q.capacity - 1)) != 0 || count > 128 ||
	    q.place == 0 || q.place > count || rings + q.capacity > (uint64_t)st.st_size)
		fail("corrupt");
	q.ring = q.memory + rings;
	return q;
}

// take takes an end, as soon as nobody has it, and returns its position.
static uint64_t take(struct queue *q, uint64_t at)
{
	for (;;) {
		uint64_t free_end = load(word(q, at));
		if ((free_end & 0xffff) == 0 &&
		    atomic_compare_exchange_strong(word(q, at), &free_end, free_end | q->place))
			return position_of(free_end);
	}
}

static void await_room(struct queue *q, uint64_t position, uint64_t size)
{
	uint64_t seen = load(word(q, send_seen));
	while (((position - seen) & position_mask) + size + 8 > q->capacity) {
		seen = position_of(load(word(q, receive_end)));
		store(word(q, send_seen), seen);
	}
}

static void send_message(struct queue *q, const unsigned char *bytes, uint64_t n)
{
	uint64_t p = take(q, send_end), size = record(n);
	uint64_t rest = q->capacity - (p & (q->capacity - 1));
	if (size > rest) {
		await_room(q, p, rest);
		store(header(q, p + rest), 0);
		store(header(q, p), new_header(padding, p, rest - 8));
		store(word(q, send_end), end(p + rest, q->place));
		uint64_t nobody = end(p, 0);
		atomic_compare_exchange_strong(word(q, receive_end), &nobody, end(p + rest, 0));
		p = (p + rest) & position_mask;
	}
	await_room(q, p, size);
	memcpy((unsigned char *)header(q, p) + 8, bytes, n);
	store(header(q, p + size), 0);
	add(word(q, send_messages), 1);
	add(word(q, send_bytes), n);
	store(header(q, p), new_header(message, p, n));
	store(word(q, send_end), end(p + size, 0));
}

static uint64_t receive_message(struct queue *q, unsigned char *bytes)
{
	uint64_t p;
	while (load(header(q, position_of(load(word(q, receive_end))))) == 0)
		;
	p = take(q, receive_end);
	for (;;) {
		uint64_t h = load(header(q, p)), kind = h >> 32 & 3, n = (uint32_t)h;
		if (h == 0) { // nothing behind the padding yet
			store(word(q, receive_end), end(p, 0));
			return receive_message(q, bytes);
		}
		if (h != new_header(kind, p, n) ||
		    record(n) > q->capacity - (p & (q->capacity - 1)))
			fail("corrupt record");
		if (kind == padding) {
			p = (p + record(n)) & position_mask;
			continue;
		}
		memcpy(bytes, (unsigned char *)header(q, p) + 8, n);
		add(word(q, receive_messages), 1);
		add(word(q, receive_bytes), n);
		store(word(q, receive_end), end(p + record(n), 0));
		return n;
	}
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	struct queue in = open_queue(argv[1], argv[2]), out = open_queue(argv[3], argv[4]);
	unsigned char *bytes = malloc(in.capacity);
	for (long left = atol(argv[5]); left > 0; left--) {
		uint64_t n = receive_message(&in, bytes);
		for (uint64_t i = 0; i < n / 2; i++) {
			unsigned char b = bytes[i];
			bytes[i] = bytes[n - 1 - i];
			bytes[n - 1 - i] = b;
		}
		send_message(&out, bytes, n);
	}
	return 0;
}
