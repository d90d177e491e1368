// A peer for queues of package channel, written from docs/channel-format.md,
// whose sections the numbers in brackets are:
//
//	queue echo IN OUT COUNT   receives COUNT messages from one queue and sends
//	                          each on by the other, its bytes turned around
//	queue send QUEUE TEXT     sends one message
//	queue begin-send QUEUE    takes the sending end and writes half a message
//	queue begin-receive QUEUE takes the receiving end
//
// The last two say so, and then wait to be killed. Queues are given by the path
// of their mapping.
#include "objects.h"
#include <sched.h>

enum {
	preamble_version = 8, preamble_kind = 12, preamble_capacity = 16, preamble_places = 24,
	preamble_hands = 48,
	words = 128, send_end = words, send_seen = words + 8, send_messages = words + 16,
	send_bytes = words + 24, send_waits = words + 40, receive_end = words + 128,
	receive_messages = words + 136, receive_bytes = words + 144, receive_waits = words + 152,
	hints = words + 160, data_sleepers = words + 256, room_sleepers = words + 272,
	used_hands = words + 320, places = 1024, place_size = 128, hand_size = 16, page = 4096,
	returned = 0xffff,
	message = 1, padding = 2, blank_size = 256,
};

static const uint64_t position_mask = ((uint64_t)1 << 51) - 1;

struct queue {
	int fd;
	const char *path;
	unsigned char *memory, *ring;
	uint64_t size, capacity, count, place, hands, hands_count;
	struct object data, room, mutex;
};

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

// rest returns how far it is from a position to the ring's end.
static uint64_t rest(struct queue *q, uint64_t position)
{
	return q->capacity - (position & (q->capacity - 1));
}

// is_valid reports whether a header is one of a record at a position. [4]
static int is_valid(struct queue *q, uint64_t position, uint64_t h)
{
	uint64_t kind = h >> 32 & 3, n = (uint32_t)h;
	return (kind == message || kind == padding) && h == new_header(kind, position, n) &&
	       record(n) <= (kind == padding ? q->capacity : rest(q, position));
}

static uint64_t end(uint64_t position, uint64_t owner)
{
	return (position & position_mask) / 8 << 16 | owner;
}

static uint64_t position_of(uint64_t end) { return end >> 16 << 3; }

static void map_queue(struct queue *q)
{
	struct stat st;
	q->fd = open_handle(q->path);
	if (q->fd < 0 || fstat(q->fd, &st) != 0 || st.st_size < places)
		fail(q->path);
	q->size = st.st_size;
	q->memory = mmap(NULL, q->size, PROT_READ | PROT_WRITE, MAP_SHARED, q->fd, 0);
	if (q->memory == MAP_FAILED || memcmp(q->memory, "filemapc", 8) != 0)
		fail("no channel");
	uint32_t version = *(uint32_t *)(q->memory + preamble_version);
	uint32_t kind = *(uint32_t *)(q->memory + preamble_kind);
	q->count = *(uint32_t *)(q->memory + preamble_places);
	q->capacity = load(word(q, preamble_capacity));
	q->hands = places + q->count * place_size;
	q->hands_count = *(uint32_t *)(q->memory + preamble_hands);
	uint64_t rings = (q->hands + q->hands_count * hand_size + page - 1) / page * page;
	if (version != 2 || q->hands_count > 1024 || kind != 1 || q->count > 128 || q->capacity < page ||
	    q->capacity > (uint64_t)1 << 32 || (q->capacity & (q->capacity - 1)) != 0 ||
	    rings + q->capacity > q->size)
		fail("no queue");
	q->ring = q->memory + rings;
}

static struct object place_mutex(struct queue *q, uint64_t number)
{
	char suffix[32];
	snprintf(suffix, sizeof suffix, "~%u", (unsigned)number);
	return open_or_create_mutex(q->path, suffix);
}

static void forget(struct queue *q, uint64_t sleepers, uint64_t number)
{
	atomic_fetch_and(word(q, sleepers + (number - 1) / 64 * 8), ~((uint64_t)1 << (number - 1) % 64));
}

// clear_header clears the header after a record, where it is not blank yet. [5, Send 4]
static void clear_header(struct queue *q, uint64_t size, uint64_t next)
{
	if (size + 8 > blank_size)
		store(header(q, next), 0);
}

// blank zeroes the bytes that are to be blank. [4]
static void blank(struct queue *q, uint64_t position)
{
	uint64_t n = rest(q, position) < blank_size ? rest(q, position) : blank_size;
	memset((unsigned char *)header(q, position), 0, n);
	memset(q->ring, 0, blank_size - n);
}

// blank_after is blank when a record of a size was committed before: its
// receiver may be looking at the first header. [5, Send 6]
static void blank_after(struct queue *q, uint64_t size, uint64_t position)
{
	for (uint64_t at = 8; at < blank_size; at += 8)
		if (at + size >= blank_size)
			store(header(q, position + at), 0);
}

// A hand is an entry in the table of what is in hand. [10]
static _Atomic uint64_t *hand(struct queue *q, uint64_t i) { return word(q, q->hands + i * hand_size); }

static uint64_t length_in(_Atomic uint64_t *h) { return (uint32_t)load(h + 1); }

// used returns how many entries to look at.
static uint64_t used(struct queue *q)
{
	uint64_t n = load(word(q, used_hands));
	return n < q->hands_count ? n : q->hands_count;
}

static int swap(_Atomic uint64_t *w, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong(w, &from, to);
}

// give_back leaves what a place had in hand to others. [10]
static void give_back(struct queue *q, uint64_t number)
{
	uint64_t receiving = load(word(q, receive_end));
	for (uint64_t i = 0; i < used(q); i++) {
		uint64_t e = load(hand(q, i)), p = position_of(e);
		if ((e & 0xffff) != number)
			continue;
		int is_void = (receiving & 0xffff) == number &&
			      ((p - position_of(receiving)) & position_mask) < q->capacity;
		swap(hand(q, i), e, is_void ? 0 : end(p, returned));
	}
	if (used(q) > 0)
		atomic_fetch_add(word(q, hints), 1);
}

// release frees what a place has. The caller has the place's mutex. [6]
static void release(struct queue *q, uint64_t number)
{
	give_back(q, number);
	uint64_t e = load(word(q, send_end)), p = position_of(e), start = p;
	if ((e & 0xffff) == number) {
		while (p - start < q->capacity && is_valid(q, p & position_mask, load(header(q, p))))
			p += record((uint32_t)load(header(q, p)));
		blank(q, p);
		store(word(q, send_end), end(p, 0));
	}
	e = load(word(q, receive_end));
	if ((e & 0xffff) == number)
		store(word(q, receive_end), end(position_of(e), 0));
	forget(q, data_sleepers, number);
	forget(q, room_sleepers, number);
}

static void bury(struct queue *q, uint64_t number)
{
	if (number == 0 || number > q->count || number == q->place)
		return;
	struct object mutex = place_mutex(q, number);
	if (try_lock(&mutex)) {
		release(q, number);
		unlock(&mutex);
	}
	close_object(&mutex);
}

// join takes a place. [3]
static void join(struct queue *q)
{
	for (int dead = 0; dead < 2; dead++)
		for (uint64_t n = 1; n <= q->count; n++) {
			uint64_t at = places + (n - 1) * place_size;
			if ((load(word(q, at)) != 0) != dead)
				continue;
			q->mutex = place_mutex(q, n);
			if (!try_lock(&q->mutex)) {
				close_object(&q->mutex);
				continue;
			}
			q->place = n;
			memset(q->memory + at, 0, place_size);
			store(word(q, at), getpid());
			release(q, n);
			return;
		}
	fail("no place");
}

static struct queue open_queue(const char *path)
{
	struct queue q = {.path = path};
	map_queue(&q);
	q.data = open_event(path, "~data");
	q.room = open_event(path, "~room");
	join(&q);
	return q;
}

static void close_queue(struct queue *q)
{
	store(word(q, places + (q->place - 1) * place_size), 0);
	munmap(q->memory, q->size);
	unlock(&q->mutex);
	close_object(&q->mutex);
	close_object(&q->room);
	close_object(&q->data);
	close_handle(q->fd, q->path);
}

static void ring(struct queue *q, uint64_t sleepers, struct object *event)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (load(word(q, sleepers)) != 0 || load(word(q, sleepers + 8)) != 0)
		set_event(event);
}

// A wait watches for a while, then sleeps. [5, Wait]
struct wait {
	struct queue *q;
	uint64_t sleepers, slept;
	struct object *event;
	int looks;
};

static const int looks_awake = 2000;

// again returns when it is time to look again. who is who has the end, or 0.
static void again(struct wait *w, uint64_t who)
{
	_Atomic uint64_t *sleeper = word(w->q, w->sleepers + (w->q->place - 1) / 64 * 8);
	uint64_t bit = (uint64_t)1 << (w->q->place - 1) % 64;
	if (++w->looks < looks_awake) {
		sched_yield();
		return;
	}
	bury(w->q, who);
	if (w->looks == looks_awake)
		atomic_fetch_add(word(w->q, w->slept), 1);
	else
		await_event(w->event);
	atomic_fetch_or(sleeper, bit); // and look once more
}

static void end_wait(struct wait *w)
{
	if (w->looks >= looks_awake)
		forget(w->q, w->sleepers, w->q->place);
}

// try_take takes an end if nobody has it. If somebody has, it tells who.
static int try_take(struct queue *q, uint64_t at, uint64_t *position, uint64_t *who)
{
	uint64_t e = load(word(q, at));
	*position = position_of(e), *who = e & 0xffff;
	return *who == 0 && atomic_compare_exchange_strong(word(q, at), &e, e | q->place);
}

// obstacle tells how far the record of an entry is ahead of a position, on the way
// around the ring. It returns its size, 0 if there is none. [10]
static uint64_t obstacle(struct queue *q, uint64_t i, uint64_t p, uint64_t *ahead)
{
	uint64_t e = load(hand(q, i)), size = record(length_in(hand(q, i)));
	*ahead = (position_of(e) - p) & (q->capacity - 1);
	return e == 0 || size > rest(q, position_of(e)) ? 0 : size;
}

// room_from returns from where on the ring is taken. [10]
static uint64_t room_from(struct queue *q, uint64_t p)
{
	uint64_t behind = (p - position_of(load(word(q, receive_end)))) & position_mask, ahead;
	for (uint64_t i = 0; i < used(q); i++)
		if (obstacle(q, i, p, &ahead) != 0 && q->capacity - ahead > behind)
			behind = q->capacity - ahead;
	return p - behind;
}

static int has_room(struct queue *q, uint64_t position, uint64_t size)
{
	uint64_t seen = load(word(q, send_seen));
	if (((position - seen) & position_mask) + size + blank_size <= q->capacity)
		return 1;
	seen = room_from(q, position) & position_mask;
	store(word(q, send_seen), seen);
	return ((position - seen) & position_mask) + size + blank_size <= q->capacity;
}

// gap finds where a record goes: past the ring's end, and past what is in hand.
// It returns 0 if there is no such place. [10]
static int gap(struct queue *q, uint64_t p, uint64_t size, uint64_t *at)
{
	uint64_t past = 0, ahead;
	for (uint64_t looks = 0; looks < q->hands_count + 3; looks++) {
		uint64_t start = past, n;
		if (size > rest(q, p + past))
			past += rest(q, p + past);
		for (uint64_t i = 0; i < used(q); i++)
			if ((n = obstacle(q, i, p + past, &ahead)) != 0 && ahead < size + blank_size)
				past += ahead + n;
		if (past > q->capacity)
			return 0;
		*at = (p + past) & position_mask;
		if (past == start)
			return 1;
	}
	return 0;
}

// pad goes to another position. [5, Send 2]
static void pad(struct queue *q, uint64_t p, uint64_t next)
{
	uint64_t size = (next - p) & position_mask;
	clear_header(q, size, next);
	store(header(q, p), new_header(padding, p, size - 8));
	blank_after(q, size, next);
	store(word(q, send_end), end(next, q->place));
	swap(word(q, receive_end), end(p, 0), end(next, 0));
}

// try_reserve takes the sending end if there is room behind it. [5, Send 1-3]
static int try_reserve(struct queue *q, uint64_t size, uint64_t *p, uint64_t *who)
{
	if (!try_take(q, send_end, p, who))
		return 0;
	uint64_t receiving = position_of(load(word(q, receive_end))), next;
	int room = gap(q, *p, size, &next);
	if (room && next != *p) {
		room = ((next - receiving) & position_mask) + blank_size <= q->capacity;
		if (room) {
			pad(q, *p, next);
			*p = next;
		}
	}
	if (room && has_room(q, *p, size))
		return 1;
	store(word(q, send_end), end(*p, 0));
	return 0;
}

static uint64_t reserve(struct queue *q, uint64_t size)
{
	struct wait w = {q, room_sleepers, send_waits, &q->room, 0};
	uint64_t p, who;
	while (!try_reserve(q, size, &p, &who))
		again(&w, who);
	end_wait(&w);
	return p;
}

static void send_message(struct queue *q, const unsigned char *bytes, uint64_t n)
{
	if (n > q->capacity - 8 - blank_size)
		fail("the message is too long");
	uint64_t size = record(n), p = reserve(q, size);
	memcpy((unsigned char *)header(q, p) + 8, bytes, n);
	clear_header(q, size, p + size);
	add(word(q, send_messages), 1);
	add(word(q, send_bytes), n);
	store(header(q, p), new_header(message, p, n));
	blank_after(q, size, p + size);
	store(word(q, send_end), end(p + size, 0));
	ring(q, data_sleepers, &q->data);
	ring(q, room_sleepers, &q->room);
}

// try_peek takes the receiving end if there is a message behind it. [5, Receive
// 1-2]
static int try_peek(struct queue *q, uint64_t *p, uint64_t *who)
{
	*who = 0;
	if (load(header(q, position_of(load(word(q, receive_end))))) == 0)
		return 0;
	if (!try_take(q, receive_end, p, who))
		return 0;
	for (;;) {
		uint64_t h = load(header(q, *p));
		if (h != 0 && !is_valid(q, *p, h))
			fail("a record is corrupt");
		if ((h >> 32 & 3) == message)
			return 1;
		if (h == 0)
			break;
		*p = (*p + record((uint32_t)h)) & position_mask;
	}
	store(word(q, receive_end), end(*p, 0)); // nothing behind the padding yet
	ring(q, room_sleepers, &q->room);
	return 0;
}

// receive_returned receives a message that was given back, the oldest one. It
// returns its length, or -1 if there is none. [10]
static int64_t receive_returned(struct queue *q, unsigned char *bytes)
{
	uint64_t receiving = position_of(load(word(q, receive_end))), oldest = 0, at = 0, most = 0;
	for (uint64_t i = 0; i < used(q); i++) {
		uint64_t e = load(hand(q, i)), behind = (receiving - position_of(e)) & position_mask;
		if ((e & 0xffff) == returned && behind >= most)
			oldest = e, at = i, most = behind;
	}
	uint64_t p = position_of(oldest), mine = end(p, q->place);
	if (oldest == 0 || !swap(hand(q, at), oldest, mine))
		return -1;
	uint64_t n = length_in(hand(q, at));
	if (load(header(q, p)) != new_header(message, p, n) || record(n) > rest(q, p))
		fail("a message in hand is corrupt");
	memcpy(bytes, (unsigned char *)header(q, p) + 8, n);
	swap(hand(q, at), mine, 0);
	ring(q, room_sleepers, &q->room);
	return n;
}

// peek takes the receiving end when there is a message behind it. If a message is
// given back before that, it receives it, and sets its length, which else is -1.
static uint64_t peek(struct queue *q, unsigned char *bytes, int64_t *length)
{
	struct wait w = {q, data_sleepers, receive_waits, &q->data, 0};
	uint64_t p = 0, who;
	while ((*length = receive_returned(q, bytes)) < 0 && !try_peek(q, &p, &who))
		again(&w, who);
	end_wait(&w);
	return p;
}

static uint64_t receive_message(struct queue *q, unsigned char *bytes)
{
	int64_t length;
	uint64_t p = peek(q, bytes, &length);
	if (length >= 0)
		return length;
	uint64_t n = (uint32_t)load(header(q, p));
	if (record(n) > rest(q, p)) // others may have changed it
		fail("a record is corrupt");
	memcpy(bytes, (unsigned char *)header(q, p) + 8, n);
	add(word(q, receive_messages), 1);
	add(word(q, receive_bytes), n);
	p = (p + record(n)) & position_mask;
	store(word(q, receive_end), end(p, 0));
	ring(q, room_sleepers, &q->room);
	if (load(header(q, p)) != 0)
		ring(q, data_sleepers, &q->data);
	return n;
}

static void echo(const char *in_path, const char *out_path, long count)
{
	struct queue in = open_queue(in_path), out = open_queue(out_path);
	unsigned char *bytes = malloc(in.capacity);
	while (count-- > 0) {
		uint64_t n = receive_message(&in, bytes);
		for (uint64_t i = 0; i < n / 2; i++) {
			unsigned char b = bytes[i];
			bytes[i] = bytes[n - 1 - i];
			bytes[n - 1 - i] = b;
		}
		send_message(&out, bytes, n);
	}
	close_queue(&in);
	close_queue(&out);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	if (strcmp(what, "echo") == 0 && argc == 5) {
		echo(argv[2], argv[3], atol(argv[4]));
		return 0;
	}
	if (argc < 3)
		return 2;
	struct queue q = open_queue(argv[2]);
	if (strcmp(what, "send") == 0 && argc == 4) {
		send_message(&q, (unsigned char *)argv[3], strlen(argv[3]));
		close_queue(&q);
		return 0;
	}
	if (strcmp(what, "begin-send") == 0) {
		memset((unsigned char *)header(&q, reserve(&q, record(100))) + 8, '?', 50);
	} else if (strcmp(what, "begin-receive") == 0) {
		int64_t length;
		peek(&q, malloc(q.capacity), &length);
	} else
		return 2;
	puts("begun");
	fflush(stdout);
	pause();
	return 0;
}
