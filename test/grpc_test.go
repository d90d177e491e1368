package test

import (
	"context"
	"fmt"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/examples/helloworld/helloworld"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// greeter is the server of gRPC's own first example.
type greeter struct {
	pb.UnimplementedGreeterServer
}

func (greeter) SayHello(_ context.Context, in *pb.HelloRequest) (*pb.HelloReply, error) {
	return &pb.HelloReply{Message: "Hello " + in.GetName()}, nil
}

// TestGRPC runs gRPC's own first example over a Conn: only Listen and Dial
// differ.
func TestGRPC(t *testing.T) {
	name := filemaptest.New(t).Name("greeter")
	l, err := channel.Listen(name, nil)
	succeed(t, "Listen", err)
	server := grpc.NewServer()
	pb.RegisterGreeterServer(server, greeter{})
	served := make(chan error)
	go func() { served <- server.Serve(l) }()

	conn, err := grpc.NewClient("passthrough:///"+name,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, name string) (net.Conn, error) {
			return channel.Dial(ctx, name, nil)
		}))
	succeed(t, "NewClient", err)
	ctx, cancel := deadline()
	defer cancel()
	for i := range 100 {
		who := fmt.Sprint("world ", i)
		reply, err := pb.NewGreeterClient(conn).SayHello(ctx, &pb.HelloRequest{Name: who})
		succeed(t, "SayHello", err)
		if reply.GetMessage() != "Hello "+who {
			t.Fatalf("the reply is %q", reply.GetMessage())
		}
	}
	succeed(t, "Close", conn.Close())
	server.Stop()
	succeed(t, "Serve", <-served)
}
