package slack

import (
	"testing"
	"time"

	"ferry/failover"
)

type delivery struct{ op failover.Operation }

func (d delivery) Operation() failover.Operation { return d.op }
func (delivery) Ack() error                      { return nil }

func state(seq uint64) delivery {
	return delivery{failover.Operation{ID: "op-aaaaaaaa", Phase: failover.Running, Seq: seq}}
}

func TestBoardKeepsTheNewestState(t *testing.T) {
	b := newBoard()
	for _, seq := range []uint64{2, 3, 1} {
		b.offer(state(seq), time.Now())
	}
	if got := b.lagging(); len(got) != 1 || got[0].op.Seq != 3 || len(got[0].updates) != 3 {
		t.Errorf("lagging: %+v", got)
	}
}

func TestBoardHandsNothingOutBeforeTheNewestStateIsShown(t *testing.T) {
	b := newBoard()
	b.offer(state(1), time.Now())
	c := b.lagging()[0].card
	b.offer(state(2), time.Now())
	if early := b.take(c, 1); len(early) != 0 {
		t.Errorf("%d handed out while 1 is shown", len(early))
	}
	if done := b.take(c, 2); len(done) != 2 || len(b.lagging()) != 0 {
		t.Errorf("%d handed out, lagging: %v", len(done), b.lagging())
	}
}

func TestBoardForgetsTheOldestDeliveriesFirst(t *testing.T) {
	b := newBoard()
	for seq := range uint64(maxUnacked + 10) {
		b.offer(state(seq+1), time.Now())
	}
	got := b.lagging()[0].updates
	if len(got) != maxUnacked || got[len(got)-1].Operation().Seq != maxUnacked+10 {
		t.Errorf("%d kept, the newest is %d", len(got), got[len(got)-1].Operation().Seq)
	}
}

// A bot that may not set the topic looks no more at what it heard, and so keeps none of it.
func TestTopicThatIsBarredKeepsNothing(t *testing.T) {
	topic := newTopic(&Bot{opts: Options{Topic: true}})
	hear := func(id failover.OpID) { topic.hear(failover.Operation{ID: id, Seq: 1, Phase: failover.Cancelled}) }
	hear("op-aaaaaaaa")
	topic.bar()
	hear("op-bbbbbbbb")
	if len(topic.heard) != 0 {
		t.Errorf("kept: %v", topic.heard)
	}
}
