// ZeroMQ: a pair of sockets over ipc.
#include "peer.hpp"
#include <zmq.h>

struct messenger {
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_PAIR);

	explicit messenger(const order &o)
	{
		int limit = depth(o.size), pause_ms = 1;
		const char *directory = getenv("FILEMAP_DIR");
		std::string address = std::string("ipc://") + (directory ? directory : "/tmp") + "/" + o.name;
		done(zmq_setsockopt(socket, ZMQ_SNDHWM, &limit, sizeof limit));
		done(zmq_setsockopt(socket, ZMQ_RCVHWM, &limit, sizeof limit));
		done(zmq_setsockopt(socket, ZMQ_RECONNECT_IVL, &pause_ms, sizeof pause_ms));
		if (o.client)
			done(zmq_connect(socket, address.c_str()));
		else
			done(zmq_bind(socket, address.c_str()));
	}

	~messenger()
	{
		zmq_close(socket);
		zmq_ctx_term(context);
	}

	void send(const void *p, size_t n) { done(zmq_send(socket, p, n, 0)); }

	size_t receive(void *buf, size_t capacity) { return done(zmq_recv(socket, buf, capacity, 0)); }

	static int done(int result)
	{
		if (result < 0)
			throw std::runtime_error(zmq_strerror(zmq_errno()));
		return result;
	}
};

int main(int argc, char **argv) { return play<messenger>(argc, argv); }
