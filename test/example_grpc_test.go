package test

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/examples/helloworld/helloworld"

	"github.com/filemap-go/filemap/channel"
)

// gRPC over shared memory: only Listen and Dial differ.
func Example_grpc() {
	l, err := channel.Listen(`Local\Example-Greeter`, nil)
	must(err)
	server := grpc.NewServer()
	pb.RegisterGreeterServer(server, greeter{}) // of gRPC's own first example
	go func() { must(server.Serve(l)) }()
	defer server.Stop()

	conn, err := grpc.NewClient("passthrough:///"+l.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, name string) (net.Conn, error) {
			return channel.Dial(ctx, name, nil)
		}))
	must(err)
	defer conn.Close()
	client := pb.NewGreeterClient(conn)
	reply, err := client.SayHello(context.Background(), &pb.HelloRequest{Name: "world"})
	must(err)
	fmt.Println(reply.GetMessage())
	// Output: Hello world
}

// must keeps the example short. A program handles its errors.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
