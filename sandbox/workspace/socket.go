package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

const (
	pingInterval = 10 * time.Second // clients give a connection up after 30 s without a PING
	pongWait     = 3 * pingInterval
	writeWait    = 10 * time.Second
	frameQueue   = 64      // frames; a client that does not read for this long is dropped
	maxAck       = 1 << 17 // bytes
)

// socket is one Socket Mode connection. Only its write loop writes frames, so nobody else ever waits for a slow client.
type socket struct {
	conn *websocket.Conn
	out  chan frame
	done chan struct{}
	shut func()
}

type frame struct {
	body  any
	sent  chan<- error  // told once, unless the socket closes first; may be nil
	last  bool          // close the socket ...
	grace time.Duration // ... this long after this frame
}

// ack is what a client sends for an envelope.
type ack struct {
	EnvelopeID string          `json:"envelope_id"`
	Payload    json.RawMessage `json:"payload"`
}

// send does not wait: a client whose queue is full is as good as gone.
func (s *socket) send(f frame) {
	select {
	case s.out <- f:
	default:
		s.shut()
	}
}

// write ends when the socket is shut or the client is found dead.
func (s *socket) write() {
	defer func() { _ = s.conn.Close() }()
	defer s.shut()
	ping := time.NewTicker(pingInterval)
	defer ping.Stop()
	var retire <-chan time.Time
	for {
		var err error
		select {
		case f := <-s.out:
			err = s.writeFrame(f)
			if f.last {
				retire = time.After(f.grace)
			}
		case <-ping.C:
			err = s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWait))
		case <-retire:
			return
		case <-s.done:
			return
		}
		if err != nil {
			return
		}
	}
}

func (s *socket) writeFrame(f frame) error {
	body, err := encode(f.body)
	if err == nil {
		err = errors.Join(
			s.conn.SetWriteDeadline(time.Now().Add(writeWait)),
			s.conn.WriteMessage(websocket.TextMessage, body),
		)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrDispatchFailed, err)
	}
	if f.sent != nil {
		f.sent <- err
	}
	return err
}

// read passes acknowledgements on until the connection ends; a frame that is not JSON is skipped, as clients may send any.
func (s *socket) read(acknowledge func(ack)) {
	defer s.shut()
	s.conn.SetReadLimit(maxAck)
	alive := func(string) error { return s.conn.SetReadDeadline(time.Now().Add(pongWait)) }
	s.conn.SetPongHandler(alive)
	_ = alive("") // a deadline that cannot be set shows in the next read
	for {
		_, body, err := s.conn.ReadMessage()
		if err != nil {
			return
		}
		var a ack
		if json.Unmarshal(body, &a) == nil {
			acknowledge(a)
		}
	}
}
