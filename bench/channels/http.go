package channels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// httpCalls has each message be the body of a request, and of its answer.
func httpCalls(name string, n network) contestant {
	return n.contestant(contestant{
		name: name,
		only: roundTrip,
		open: func(_ end, name string) (messenger, error) {
			return &httpCaller{client: http.Client{Transport: &http.Transport{
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return n.dial(ctx, name)
				},
			}}}, nil
		},
		serve: func(name string, seen func([]byte)) error {
			l, err := n.listen(name)
			if err != nil {
				return err
			}
			return http.Serve(l, httpEcho(seen))
		},
	})
}

func httpEcho(seen func([]byte)) http.HandlerFunc {
	var body []byte // of one request after the other
	return func(w http.ResponseWriter, r *http.Request) {
		if int64(len(body)) < r.ContentLength {
			body = make([]byte, r.ContentLength)
		}
		body = body[:r.ContentLength]
		if _, err := io.ReadFull(r.Body, body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		seen(body)
		w.Header().Set("Content-Type", "application/octet-stream") // or it would look at the body
		_, _ = w.Write(body)                                       // the client notices
	}
}

// httpCaller is the client.
type httpCaller struct {
	client http.Client
	answer *http.Response
}

func (c *httpCaller) Send(p []byte) error {
	answer, err := c.client.Post("http://server/", "application/octet-stream", bytes.NewReader(p))
	c.answer = answer
	return err
}

func (c *httpCaller) Receive(buf []byte) ([]byte, error) {
	body := c.answer.Body
	defer body.Close()
	if c.answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answered %s", c.answer.Status)
	}
	n, err := io.ReadFull(body, buf)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return buf[:n], nil // a short message, which is for the caller to judge
	}
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, body) // its end, or the connection is not used again
	return buf, err
}

func (c *httpCaller) Close() error {
	c.client.CloseIdleConnections()
	return nil
}
