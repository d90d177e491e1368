package channel_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/filemap-go/filemap/channel"
)

// Workers that have jobs in hand. What a worker gives back, or has in hand when it
// dies, another one gets. A job that failed too often is put aside.
func ExampleQueue_Take() {
	ctx := context.Background()
	jobs, err := channel.CreateQueue(`Local\Example-Work`, nil)
	must(err)
	defer jobs.Close()
	for _, job := range []string{"wash", "break", "fold"} {
		must(jobs.Send(ctx, []byte(job)))
	}
	for {
		job, ok, err := jobs.TryTake()
		must(err)
		if !ok {
			break
		}
		switch text := string(job.Bytes()); {
		case text == "break" && job.Takes() < 2:
			fmt.Println("failed:", text)
			must(job.Return())
			continue
		case text == "break":
			fmt.Println("put aside:", text)
		default:
			fmt.Println("done:", text)
		}
		must(job.Done())
	}
	// Output:
	// done: wash
	// failed: break
	// failed: break
	// put aside: break
	// done: fold
}

// A producer and a consumer, which may be different processes.
func ExampleQueue() {
	ctx := context.Background()
	jobs, err := channel.CreateQueue(`Local\Example-Jobs`, nil)
	must(err)
	defer jobs.Close()

	go func() {
		same, err := channel.OpenQueue(`Local\Example-Jobs`, nil)
		must(err)
		defer same.Close()
		for _, job := range []string{"wash", "dry", "fold"} {
			must(same.Send(ctx, []byte(job)))
		}
	}()
	buffer := make([]byte, 100)
	for range 3 {
		job, err := jobs.Receive(ctx, buffer)
		must(err)
		fmt.Println(string(job))
	}
	// Output:
	// wash
	// dry
	// fold
}

// frame is a video frame as it lies in the memory of a queue.
type frame struct{ number, pixels []byte }

const frameSize = 8 + 640*480*4

func frameIn(memory []byte) frame { return frame{memory[:8], memory[8:frameSize]} }

// Video frames are written and read where they lie: nothing is copied.
func ExampleQueue_Reserve() {
	ctx := context.Background()
	camera, err := channel.CreateQueue(`Local\Example-Frames`, &channel.QueueOptions{
		Capacity: 8 * frameSize,
		Overflow: channel.Fail, // a frame that has to wait is too old
	})
	must(err)
	defer camera.Close()

	for i := range uint64(10) {
		room, err := camera.Reserve(ctx, frameSize)
		if errors.Is(err, channel.ErrFull) {
			continue // this one is lost
		}
		must(err)
		f := frameIn(room.Bytes())
		binary.LittleEndian.PutUint64(f.number, i)
		draw(f.pixels, byte(10*i))
		must(room.Commit(frameSize))
	}
	for range 3 {
		lease, err := camera.Next(ctx)
		must(err)
		f := frameIn(lease.Bytes())
		fmt.Println(binary.LittleEndian.Uint64(f.number), len(f.pixels), "bytes of", f.pixels[0])
		must(lease.Release())
	}
	// Output:
	// 0 1228800 bytes of 0
	// 1 1228800 bytes of 10
	// 2 1228800 bytes of 20
}

func draw(pixels []byte, shade byte) {
	for i := range pixels {
		pixels[i] = shade
	}
}

// Many small messages are fastest in batches.
func ExampleQueue_SendBatch() {
	ctx := context.Background()
	q, created, err := channel.OpenOrCreateQueue(`Local\Example-Batches`, nil)
	must(err)
	defer q.Close()
	fmt.Println("created:", created, "longest message:", q.Longest(), "of", q.Capacity())

	_, err = q.SendBatch(ctx, [][]byte{[]byte("one"), []byte("two"), []byte("three")})
	must(err)
	n, err := q.Drain(ctx, func(message []byte) error {
		fmt.Println(string(message))
		return nil
	})
	fmt.Println(n, err)
	// Output:
	// created: true longest message: 1048312 of 1048576
	// one
	// two
	// three
	// 3 <nil>
}

// A queue that is full loses messages, if that is better than waiting.
func ExampleQueue_TrySend() {
	q, err := channel.CreateQueue(`Local\Example-Full`, &channel.QueueOptions{Capacity: 4096})
	must(err)
	defer q.Close()
	sent := 0
	for err == nil {
		if err = q.TrySend(make([]byte, 1000)); err == nil {
			sent++
		}
	}
	fmt.Println(sent, errors.Is(err, channel.ErrFull))
	_, ok, err := q.TryReceive(nil)
	fmt.Println(ok, err)
	// Output:
	// 3 true
	// true <nil>
}

// Whoever leaves with messages in a queue may want to see that somebody else
// has it: they would be gone with the last one who has.
func ExampleQueue_Flush() {
	q, err := channel.CreateQueue(`Local\Example-Alone`, nil)
	must(err)
	defer q.Close()
	must(q.Send(context.Background(), []byte("read me")))

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	fmt.Println("lost by closing now:", errors.Is(q.Flush(ctx), context.DeadlineExceeded))
	// Output: lost by closing now: true
}

// A queue that somebody else is to make.
func ExampleAwaitQueue() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err := channel.AwaitQueue(ctx, `Local\Example-Nobody's`, nil)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// Telemetry for many readers, each of which wants the newest.
func ExampleLatest() {
	car, err := channel.CreateLatest(`Local\Example-Car`, 8, nil)
	must(err)
	defer car.Close()
	dashboard, err := channel.OpenLatest(`Local\Example-Car`, nil)
	must(err)
	defer dashboard.Close()

	must(car.Write([]byte("  80 kmh")))
	must(car.Write([]byte(" 120 kmh")))
	buffer := make([]byte, dashboard.Size())
	version, err := dashboard.Read(buffer)
	fmt.Println(version, string(buffer), err)

	go func() { must(car.Write([]byte(" 100 kmh"))) }()
	version, err = dashboard.Wait(context.Background(), version, buffer)
	fmt.Println(version, string(buffer), err)
	// Output:
	// 2  120 kmh <nil>
	// 3  100 kmh <nil>
}

// net/http over shared memory: only Listen and Dial differ.
func ExampleListener() {
	l, err := channel.Listen(`Local\Example-Web`, nil)
	must(err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "you asked for ", r.URL.Path)
	})}
	go func() { _ = server.Serve(l) }()
	defer server.Close()

	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return channel.Dial(ctx, `Local\Example-Web`, nil)
		},
	}}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://filemap/there")
	must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	fmt.Println(string(body), err)
	// Output: you asked for /there <nil>
}

// A question and an answer over a connection. The question's end is told by
// closing one direction.
func ExampleDial() {
	l, err := channel.Listen(`Local\Example-Echo`, &channel.ListenOptions{Capacity: 4096})
	must(err)
	defer l.Close()
	go func() {
		c, err := l.Accept()
		must(err)
		defer c.Close()
		question, err := io.ReadAll(c)
		must(err)
		fmt.Fprintf(c, "%q is a good question", question)
	}()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := channel.Dial(ctx, `Local\Example-Echo`, &channel.DialOptions{Wait: true})
	must(err)
	defer c.Close()
	_, err = c.Write([]byte("why?"))
	must(err)
	must(c.CloseWrite())
	answer, err := io.ReadAll(c)
	fmt.Println(string(answer), err, c.RemoteAddr())
	// Output: "why?" is a good question <nil> Local\Example-Echo
}

// A service that serves its own user's programs only, and logs which they are. The
// system tells no user on Windows, where ListenOptions.Security decides alone.
func ExampleConn_Peer() {
	l, err := channel.Listen(`Local\Example-Own`, nil)
	must(err)
	defer l.Close()
	client, err := channel.Dial(context.Background(), `Local\Example-Own`, nil)
	must(err)
	defer client.Close()

	c, err := l.AcceptConn(context.Background())
	must(err)
	defer c.Close()
	peer, err := c.Peer()
	must(err)
	if peer.UID != os.Geteuid() { // -1 on Windows, both
		log.Printf("%v: user %d may not use this service", c.RemoteAddr(), peer.UID)
		return
	}
	fmt.Println("it is this process:", peer.PID == os.Getpid())
	// Output: it is this process: true
}

// Whoever is not part of a channel can still look at it.
func ExampleInspect() {
	q, err := channel.CreateQueue(`Local\Example-Seen`, nil)
	must(err)
	defer q.Close()
	must(q.Send(context.Background(), []byte("12345")))
	info, err := channel.Inspect(`Local\Example-Seen`)
	ring := info.Rings[0]
	fmt.Println(info.Kind, ring.Sent, "sent", ring.SentBytes, "bytes", ring.Lag, "not received", err)
	// Output: queue 1 sent 5 bytes 1 not received <nil>
}
