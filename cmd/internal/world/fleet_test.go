package world

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ferry/cmd/internal/app"
)

// restartAfter is how long a supervisor waits before it starts a process again.
const restartAfter = 2 * time.Second

// fleet is the processes of a world, each kept alive by a supervisor as systemd or Kubernetes would.
type fleet struct {
	world *world
	seats []*seat
	ends  func(*seat)    // is told of each end of a process but the last; may be nil
	ended chan struct{}  // closed by close
	tasks sync.WaitGroup // supervisors, and what is left of killed processes
}

// seat is one replica: the life that it lives now, and how many it had.
type seat struct {
	name  string
	roles []app.Role
	dies  *point // of its first life; nil: when it is killed

	mu    sync.Mutex
	life  *process
	lives int
}

// newFleet prepares the processes: bots and executors around the world's NATS server, or with none of them one process that
// is both and has its own.
func (w *world) newFleet(bots, executors int) *fleet {
	f := &fleet{world: w, ended: make(chan struct{})}
	if bots+executors == 0 {
		f.seats = []*seat{{name: "up", roles: []app.Role{app.Bot, app.Executor}}}
	} else if w.nats == nil {
		w.serveNATS()
	}
	for i := range bots {
		f.seats = append(f.seats, &seat{name: fmt.Sprintf("bot-%d", i+1), roles: []app.Role{app.Bot}})
	}
	for i := range executors {
		f.seats = append(f.seats, &seat{name: fmt.Sprintf("executor-%d", i+1), roles: []app.Role{app.Executor}})
	}
	return f
}

// start starts the processes.
func (f *fleet) start() {
	for _, s := range f.seats {
		f.tasks.Go(func() { f.supervise(s) })
	}
}

// supervise gives a seat one life after another.
func (f *fleet) supervise(s *seat) {
	for {
		p := s.next(f.world)
		if f.isOver() { // and whoever closes after this sees the new life
			return
		}
		err := p.start()
		up := err == nil
		if err == nil {
			select {
			case err = <-p.app.Failed():
			case <-p.cut.died:
			case <-p.drained:
			}
		}
		if f.isOver() {
			p.stop()
			return
		}
		if f.ends != nil && up {
			f.ends(s)
		}
		f.world.log.Info("a process ended", slog.String("name", s.name), slog.Any("error", err))
		if p.isDraining() {
			p.stop()
		}
		p.kill()
		if len(s.roles) > 1 { // its store is free again only then
			p.stop()
		} else {
			f.tasks.Go(p.stop)
		}
		select {
		case <-time.After(restartAfter):
		case <-f.ended:
			return
		}
	}
}

func (s *seat) next(w *world) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives++
	s.life = w.newProcess(fmt.Sprintf("%s.%d", s.name, s.lives), s.dies, s.roles...)
	s.dies = nil
	return s.life
}

// now is the life of this moment, and how many there were with it.
func (s *seat) now() (*process, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life, s.lives
}

func (f *fleet) isOver() bool {
	select {
	case <-f.ended:
		return true
	default:
		return false
	}
}

// close ends all processes in good order.
func (f *fleet) close() {
	close(f.ended)
	for _, s := range f.seats {
		if life, _ := s.now(); life != nil {
			life.drain()
		}
	}
	f.tasks.Wait()
}
