package channels

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
)

// gRPC over a network, without protocol buffers: a message is its bytes.

const (
	grpcService    = "bench.Messages"
	grpcCall       = "Call"
	grpcStream     = "Stream"
	grpcFullCall   = "/" + grpcService + "/" + grpcCall
	grpcFullStream = "/" + grpcService + "/" + grpcStream
)

// packet is a gRPC message.
type packet struct{ bytes []byte }

type packetCodec struct{}

func (packetCodec) Name() string { return "packet" }

// Marshal copies: gRPC goes on using what it returns after the sending.
func (packetCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.Copy(v.(*packet).bytes, mem.DefaultBufferPool())}, nil
}

func (packetCodec) Unmarshal(data mem.BufferSlice, v any) error {
	p := v.(*packet)
	p.bytes = slices.Grow(p.bytes[:0], data.Len())[:data.Len()]
	data.CopyTo(p.bytes)
	return nil
}

// grpcMessages is what the server's functions are called with.
type grpcMessages struct {
	seen    func(request []byte)
	streams chan *grpcServerEnd
}

var grpcDescription = grpc.ServiceDesc{
	ServiceName: grpcService,
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: grpcCall,
		Handler: func(self any, _ context.Context, decode func(any) error,
			_ grpc.UnaryServerInterceptor,
		) (any, error) {
			p := new(packet)
			if err := decode(p); err != nil {
				return nil, err
			}
			self.(*grpcMessages).seen(p.bytes)
			return p, nil
		},
	}},
	Streams: []grpc.StreamDesc{{
		StreamName:    grpcStream,
		ServerStreams: true,
		ClientStreams: true,
		Handler: func(self any, stream grpc.ServerStream) error {
			e := &grpcServerEnd{grpcEnd: grpcEnd{stream: stream}, closed: make(chan struct{})}
			self.(*grpcMessages).streams <- e
			<-e.closed
			return nil
		},
	}},
}

// grpcUnary has each message be a call, and the answer what it returns.
func grpcUnary(name string, n network) contestant {
	return n.contestant(contestant{
		name: name,
		only: roundTrip,
		open: func(_ end, name string) (messenger, error) {
			conn, err := n.dialGRPC(name)
			return &grpcCaller{conn: conn}, err
		},
		serve: func(name string, seen func([]byte)) error {
			l, err := n.listen(name)
			if err != nil {
				return err
			}
			return newGRPCServer(&grpcMessages{seen: seen}).Serve(l)
		},
	})
}

// grpcStreaming sends messages over one stream that goes both ways.
func grpcStreaming(name string, n network) contestant {
	return n.contestant(contestant{name: name, open: func(e end, name string) (messenger, error) {
		if e == serverEnd {
			return n.acceptGRPCStream(name)
		}
		conn, err := n.dialGRPC(name)
		if err != nil {
			return nil, err
		}
		stream, err := conn.NewStream(background, &grpcDescription.Streams[0], grpcFullStream)
		return &grpcClientEnd{grpcEnd{stream: stream}, conn}, err
	}})
}

func newGRPCServer(messages *grpcMessages) *grpc.Server {
	s := grpc.NewServer(grpc.ForceServerCodecV2(packetCodec{}))
	s.RegisterService(&grpcDescription, messages)
	return s
}

func (n network) dialGRPC(name string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+name,
		grpc.WithContextDialer(func(ctx context.Context, name string) (net.Conn, error) {
			return n.dial(ctx, name)
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(packetCodec{})))
}

func (n network) acceptGRPCStream(name string) (messenger, error) {
	l, err := n.listen(name)
	if err != nil {
		return nil, err
	}
	messages := &grpcMessages{streams: make(chan *grpcServerEnd)}
	s := newGRPCServer(messages)
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case e := <-messages.streams:
		e.server = s
		return e, nil
	case err := <-failed:
		return nil, err
	}
}

// grpcCaller is the client of calls.
type grpcCaller struct {
	conn   *grpc.ClientConn
	answer packet
}

func (c *grpcCaller) Send(p []byte) error {
	return c.conn.Invoke(background, grpcFullCall, &packet{p}, &c.answer)
}

func (c *grpcCaller) Receive([]byte) ([]byte, error) { return c.answer.bytes, nil }

func (c *grpcCaller) Close() error { return c.conn.Close() }

// grpcEnd is what both ends of a stream have in common.
type grpcEnd struct {
	stream interface {
		SendMsg(m any) error
		RecvMsg(m any) error
	}
	out, in packet
}

func (e *grpcEnd) Send(p []byte) error {
	e.out.bytes = p
	return e.stream.SendMsg(&e.out)
}

func (e *grpcEnd) Receive(buf []byte) ([]byte, error) {
	e.in.bytes = buf
	if err := e.stream.RecvMsg(&e.in); err != nil {
		return nil, fmt.Errorf("gRPC: %w", err)
	}
	return e.in.bytes, nil
}

type grpcClientEnd struct {
	grpcEnd
	conn *grpc.ClientConn
}

func (e *grpcClientEnd) Close() error {
	return errors.Join(e.stream.(grpc.ClientStream).CloseSend(), e.conn.Close())
}

type grpcServerEnd struct {
	grpcEnd
	server *grpc.Server
	closed chan struct{}
}

func (e *grpcServerEnd) Close() error {
	close(e.closed)
	e.server.Stop()
	return nil
}
