// Boost.Interprocess: a message_queue there and one back.
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

	void send(const void *p, size_t n) { (client ? there : back).send(p, n, 0); }

	size_t receive(void *buf, size_t capacity)
	{
		ipc::message_queue::size_type n;
		unsigned priority;
		(client ? back : there).receive(buf, capacity, n, priority);
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
