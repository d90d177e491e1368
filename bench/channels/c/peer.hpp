// What programs that send messages have in common: the measuring, as the Go
// side does it. A program defines a messenger and has play() do the rest:
//
//	PROGRAM client|server EXERCISE SIZE MILLISECONDS NAME PERCENTILE...
//
// Each end prints what it found out as JSON. The server ends when its input does.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <vector>

// A message begins with a word: what it means, in its lowest bits, and its number.
enum meaning : uint64_t { ordinary, first_measured, last };
constexpr int mark_bits = 2;

inline int64_t clock_ns()
{
	timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

inline int64_t processor_ns()
{
	rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1'000'000'000LL +
		(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000LL;
}

// window is the time in which what a process does is counted.
struct window {
	int64_t start = clock_ns(), processor = processor_ns();
	int64_t elapsed = 0, used = 0;

	void close()
	{
		elapsed = clock_ns() - start;
		used = processor_ns() - processor;
	}

	void print(int64_t messages, const std::vector<int64_t> &percentiles) const
	{
		printf("{\"messages\":%lld,\"elapsed_ns\":%lld,\"processor_ns\":%lld,\"percentiles_ns\":[",
			(long long)messages, (long long)elapsed, (long long)used);
		for (size_t i = 0; i < percentiles.size(); i++)
			printf("%s%lld", i ? "," : "", (long long)percentiles[i]);
		printf("]}\n");
		fflush(stdout);
	}
};

struct order {
	bool client, round_trip;
	size_t size;
	int64_t time;
	std::string name;
	std::vector<double> percentiles;
};

// depth is how many messages of a size a queue holds: some 4 MiB, as is best
// between caches.
inline size_t depth(size_t size)
{
	return std::clamp<size_t>((4 << 20) / size, 8, 1000);
}

inline void check(const std::vector<char> &buf, size_t n, uint64_t number)
{
	uint64_t word;
	memcpy(&word, buf.data(), sizeof word);
	if (n != buf.size() || word >> mark_bits != number)
		throw std::runtime_error("another message came than had to");
}

template <class Messenger> struct client {
	Messenger &m;
	std::vector<char> message, buf;
	uint64_t number = 0;

	client(Messenger &m, size_t size) : m(m), message(size), buf(size) {}

	void send(meaning means)
	{
		uint64_t word = ++number << mark_bits | means;
		memcpy(message.data(), &word, sizeof word);
		m.send(message.data(), message.size());
	}

	void exchange(meaning means)
	{
		send(means);
		check(buf, m.receive(buf.data(), buf.size()), number);
	}

	int64_t send_for(int64_t time)
	{
		int64_t n = 0, batch = std::clamp<int64_t>((64 << 10) / message.size(), 1, 64);
		for (int64_t end = clock_ns() + time; clock_ns() < end; n += batch)
			for (int64_t i = 0; i < batch; i++)
				send(ordinary);
		return n;
	}

	void stream(int64_t time)
	{
		send_for(time / 4);
		send(first_measured);
		window w;
		int64_t n = send_for(time);
		exchange(last);
		w.close();
		w.print(n + 1, {});
	}

	void round_trips(int64_t time, const std::vector<double> &percentiles)
	{
		std::vector<int64_t> trips(time / 200); // room that has been touched
		trips.clear();
		int64_t reading = clock_reading();
		for (int64_t end = clock_ns() + time / 4; clock_ns() < end;)
			exchange(ordinary);
		exchange(first_measured);
		window w;
		for (int64_t now = 0, end = clock_ns() + time; now < end;) {
			int64_t before = clock_ns();
			exchange(ordinary);
			now = clock_ns();
			trips.push_back(std::max<int64_t>(1, now - before - reading));
		}
		w.close();
		exchange(last);
		std::sort(trips.begin(), trips.end());
		std::vector<int64_t> at;
		for (double p : percentiles)
			at.push_back(trips[std::max<int64_t>(0, std::ceil(p / 100 * trips.size()) - 1)]);
		w.print(trips.size(), at);
	}

	static int64_t clock_reading()
	{
		std::vector<int64_t> readings(1001);
		for (auto &r : readings) {
			int64_t before = clock_ns();
			r = clock_ns() - before;
		}
		std::sort(readings.begin(), readings.end());
		return readings[readings.size() / 2];
	}
};

template <class Messenger> void serve(Messenger &m, const order &o)
{
	std::vector<char> buf(o.size);
	uint64_t number = 0;
	int64_t count = 0;
	window w;
	for (;;) {
		size_t n = m.receive(buf.data(), buf.size());
		check(buf, n, ++number);
		count++;
		uint64_t word;
		memcpy(&word, buf.data(), sizeof word);
		meaning means = meaning(word & ((1 << mark_bits) - 1));
		if (means == first_measured) {
			count = 0;
			w = window();
		}
		if (means == last)
			w.close();
		if (o.round_trip || means == last)
			m.send(buf.data(), n);
		if (means == last)
			break;
	}
	w.print(count, {});
	for (char c; read(STDIN_FILENO, &c, 1) > 0;)
		;
}

template <class Messenger> int play(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	alarm(60); // nobody is left over if the other one died
	order o = {argv[1] == std::string("client"), argv[2] == std::string("round trip"),
		std::stoul(argv[3]), std::stoll(argv[4]) * 1'000'000, argv[5], {}};
	for (int i = 6; i < argc; i++)
		o.percentiles.push_back(std::stod(argv[i]));
	try {
		Messenger m(o);
		if (!o.client)
			serve(m, o);
		else if (o.round_trip)
			client<Messenger>(m, o.size).round_trips(o.time, o.percentiles);
		else
			client<Messenger>(m, o.size).stream(o.time);
	} catch (const std::exception &e) {
		fprintf(stderr, "%s: %s\n", argv[0], e.what());
		return 1;
	}
	return 0;
}
