package patience

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// sink is an answer whose reader waits before it takes a part.
type sink struct {
	http.ResponseWriter
	wait time.Duration
	n    atomic.Int64 // bytes
}

func (s *sink) Write(b []byte) (int, error) {
	time.Sleep(s.wait)
	s.n.Add(int64(len(b)))
	return len(b), nil
}

// TestTurns: one works at a time, each gets a turn for every part, and who doesn't read
// keeps nobody waiting.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := make(Turns, 1)
		begin := time.Now()
		var working, most, ended atomic.Int32
		answer := func(w http.ResponseWriter, size int) {
			err := turns.Serve(t.Context(), w, func(w http.ResponseWriter) error {
				for range size >> 10 {
					most.Store(max(most.Load(), working.Add(1)))
					time.Sleep(time.Millisecond) // a kB
					working.Add(-1)
					if n, err := w.Write([]byte(strings.Repeat("x", 1<<10))); n != 1<<10 || err != nil {
						t.Error(n, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			ended.Add(1)
		}
		long, short, slow := &sink{}, &sink{}, &sink{wait: time.Hour}
		go answer(slow, 40<<10)
		time.Sleep(20 * time.Millisecond) // it has filled a part
		go answer(long, 100<<10)
		synctest.Wait()
		go answer(short, 1<<10)
		time.Sleep(30 * time.Millisecond)
		synctest.Wait()
		if short.n.Load() != 1<<10 {
			t.Errorf("the short answer waits for the long one: %d bytes after %v", short.n.Load(), time.Since(begin))
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if long.n.Load() != 100<<10 || slow.n.Load() != 0 {
			t.Errorf("%d bytes of the long answer, %d of the one that is not read", long.n.Load(), slow.n.Load())
		}
		time.Sleep(4 * time.Hour)
		synctest.Wait()
		if slow.n.Load() != 40<<10 || ended.Load() != 3 || most.Load() != 1 {
			t.Errorf("%d bytes of the slow answer, %d ended, %d at once", slow.n.Load(), ended.Load(), most.Load())
		}
		if len(turns) != 0 {
			t.Error("a turn is lost")
		}
	})
}

// TestRest: who works long on a part lets others work in between.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, ended := make(Turns, 1), make(chan string, 2)
		answer := func(name string, pieces int) {
			err := turns.Serve(t.Context(), &sink{}, func(w http.ResponseWriter) error {
				for range pieces {
					time.Sleep(time.Second)
					if err := Rest(w); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			ended <- name
		}
		go answer("long", 10)
		synctest.Wait()
		go answer("short", 1)
		if first := <-ended; first != "short" {
			t.Error("the short one waits for all of the long one")
		}
		<-ended
		if err := Rest(httptest.NewRecorder()); err != nil || len(turns) != 0 {
			t.Errorf("without turns: %v, %d taken", err, len(turns))
		}
	})
}

// TestTurnsFail: of an answer that fails nothing is sent that was not yet on its way, and
// nobody waits for a turn longer than for the answer.
func TestTurnsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns, broken := make(Turns, 1), errors.New("broken")
		w := httptest.NewRecorder()
		err := turns.Serve(t.Context(), w, func(w http.ResponseWriter) error {
			_, _ = w.Write([]byte("half"))
			return broken
		})
		if !errors.Is(err, broken) || w.Body.Len() > 0 || len(turns) != 0 {
			t.Errorf("%v, %q sent, %d turns taken", err, w.Body, len(turns))
		}
		turns <- struct{}{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = turns.Serve(ctx, w, func(http.ResponseWriter) error { t.Error("it works out of turn"); return nil })
		if !errors.Is(err, context.DeadlineExceeded) || len(turns) != 1 {
			t.Errorf("%v, %d turns taken", err, len(turns))
		}
	})
}
