// Boost.Interprocess: a message_queue there and one back. It sleeps when there
// is nothing to do, unless it is compiled with -DSPINNING.
#include "peer.hpp"
#include <boost/interprocess/ipc/message_queue.hpp>

namespace ipc = boost::interprocess;

struct messenger {
	std::string there_name, back_name;
	ipc::message_queue there, back;
	bool client, named;

	explicit messenger(const order &o)
		: there_name(o.name + "-there"), back_name(o.name + "-back"),
		  there(ipc::open_or_create, there_name.c_str(), depth(o.size), o.size),
		  back(ipc::open_or_create, back_name.c_str(), depth(o.size), o.size),
		  client(o.client), named(true)
	{
	}

	void send(const void *p, size_t n)
	{
		auto &queue = client ? there : back;
#ifdef SPINNING
		while (!queue.try_send(p, n, 0))
			;
#else
		queue.send(p, n, 0);
#endif
	}

	size_t receive(void *buf, size_t capacity)
	{
		auto &queue = client ? back : there;
		ipc::message_queue::size_type n;
		unsigned priority;
#ifdef SPINNING
		while (!queue.try_receive(buf, capacity, n, priority))
			;
#else
		queue.receive(buf, capacity, n, priority);
#endif
		if (!client && named)
			remove();
		return n;
	}

	// remove takes the names away as soon as the client has opened both.
	void remove()
	{
		ipc::message_queue::remove(there_name.c_str());
		ipc::message_queue::remove(back_name.c_str());
		named = false;
	}
};

int main(int argc, char **argv) { return play<messenger>(argc, argv); }
