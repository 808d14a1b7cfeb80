package decade

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/directory/directorytest"
	"stump/directory/mail/smtptest"
	"stump/internal/books"
	"stump/internal/clock"
)

// world is the lab and all that is in it: the station, the truth, and the dice.
type world struct {
	t       *testing.T
	seed    uint64
	dice    *rand.Rand
	dir     string
	disk    int // counts those that were lost in power cuts
	log     *log
	machine *machine
	st      *station // nil while it is off
	net     *network
	out     []outage
	snipe   directorytest.Snipe
	post    smtptest.Server

	pulled atomic.Pointer[time.Time] // see heard

	box      mailbox
	reminded map[*person]mailed // of each the last
	lent     []*lent            // those of the last months
	old      []oldLoan
	saved    *saved  // nil for none
	moves    []moved // since the last look at the history
	seen     string  // the last event of it
	restored string  // the day of the last restore, on which what was said is said again

	people  []*person
	devices []*device
	desk    desk
	cards   int // that were ever made

	fault    string    // of the cable; "" for none
	readable bool      // a card was read in spite of it
	worn     bool      // a commit was slow since the start of the daemon
	excused  time.Time // until when alarms of what was wrong may stand
	crash    crash
	verifier *verifier

	figures figures
	wrong   []string
	told    hash.Hash // all that was seen
}

// most is how many differences are listed before a life ends.
const most = 10

// memDir is a folder until the end of the test, in memory where that can be.
func memDir(t *testing.T) string {
	place := "/dev/shm"
	if _, err := os.Stat(place); err != nil {
		place = ""
	}
	dir, err := os.MkdirTemp(place, "decade")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newWorld(t *testing.T, seed uint64, dir string, v *verifier) *world {
	w := &world{t: t, seed: seed, dice: rand.New(rand.NewPCG(seed, 10)), dir: dir, log: new(log), verifier: v, cards: 20000, reminded: map[*person]mailed{}, told: sha256.New()}
	w.figures.began = used()
	w.machine = &machine{dice: rand.New(rand.NewPCG(seed, 1970))}
	clock.Simulated, boltfile.CrashHook = w.machine.stamp, w.crash.hook
	w.crash.was = make(chan error, 1)
	w.must(os.WriteFile(filepath.Join(dir, "holidays.ics"), []byte(holidays(begin(), begin().AddDate(12, 0, 0))), 0o600))
	w.must(os.WriteFile(w.token(), []byte("secret-token\n"), 0o600))
	w.post.SetScript(w.box.take)
	w.net = newNetwork(&w.snipe, w.post.Serve)
	sleep(begin())
	return w
}

// close ends the world.
func (w *world) close() {
	if w.st != nil {
		w.halt()
	}
	w.net.close()
	time.Sleep(time.Minute) // until the last call has given up
	boltfile.CrashHook = nil
}

// story is the same for the same life.
func (w *world) story() string {
	for _, e := range w.wrong {
		fmt.Fprintln(w.told, e)
	}
	return fmt.Sprintf("%x", w.told.Sum(nil)[:8])
}

// differ notes that the station is not as the oracle says.
func (w *world) differ(format string, args ...any) {
	w.t.Helper()
	s := fmt.Sprintf(format, args...)
	w.wrong = append(w.wrong, s)
	w.t.Logf("%s: %s", time.Now().Format("2006-01-02 15:04:05.000"), s)
	if len(w.wrong) == most {
		w.t.Logf("the log's end:\n%s", w.log)
		panic(fmt.Sprintf("seed %d: %d differences, no more are looked for", w.seed, most))
	}
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatalf("%s: %v\n%s", time.Now().Format(time.DateTime), err, w.log)
	}
}

// token is the file with the directory's token.
func (w *world) token() string { return filepath.Join(w.dir, "token") }

// delivered is whether nothing waits for the directory any more.
func (w *world) delivered() bool {
	p, err := w.st.Ledger.OutboxFrom(ledger.DirectorySink, ledger.RowKey{}, 1)
	w.must(err)
	return len(p.Rows) == 0
}

// checkDirectory compares the directory with the truth, when it could be told.
func (w *world) checkDirectory() {
	if w.reached() < 3*time.Hour {
		return
	}
	if !w.delivered() {
		w.differ("something still waits for the directory, which has been there for %v", w.reached())
	}
	for _, d := range w.inUse() {
		want := "nobody"
		if d.holder != nil {
			want = fmt.Sprint("user ", d.holder.n)
		}
		if got := w.snipe.Where(d.n); got != want {
			w.differ("%s is with %q by the directory, want %q", d.name, got, want)
		}
	}
	w.checkRegister()
	w.figures.directories++
}

// check compares the books with the truth.
func (w *world) check() {
	w.checkDirectory()
	w.checkHistory()
	w.checkErased()
	w.checkMails()
	w.checkSizes()
	w.checkRetention()
	w.verify()
	has, ends := map[string]string{}, map[string]time.Time{}
	for l, err := range w.st.Ledger.Loans(books.LoanFilter{}) {
		w.must(err)
		has[l.DeviceID], ends[l.DeviceID] = l.PersonID, l.Due
	}
	for _, d := range w.devices {
		want := ""
		if d.holder != nil {
			want = d.holder.id
		}
		if got := has[d.id]; got != want {
			w.differ("%s is with %q by the books, want %q", d.name, got, want)
		} else if want == "" {
			continue
		} else if end, off, ok := w.ends(d); ok && ends[d.id].Sub(end).Abs() > off {
			w.differ("%s with %s since %v is due %v by the books, want %v", d.name, want, d.since, ends[d.id], end)
		}
		delete(has, d.id)
	}
	w.checkOld(has)
	w.figures.checks++
}

// chance is true with a probability.
func (w *world) chance(p float64) bool { return w.dice.Float64() < p }

// between is a time between two.
func (w *world) between(a, b time.Duration) time.Duration {
	return a + time.Duration(w.dice.Int64N(int64(b-a)))
}

// pick is one of a list.
func pick[T any](w *world, all []T) T { return all[w.dice.IntN(len(all))] }

// newCard is a card that nobody had before.
func (w *world) newCard(facility int) string {
	w.cards++
	return fmt.Sprintf("H10301:%d:%d", facility, w.cards)
}

var firstNames = strings.Fields("Ann Ben Cem Dia Eve Fay Gil Hal Ida Jan Kim Leo Mia Ned Ola Pia Quinn Rob Sue Tom Uma Vic Wes Xia Yan Zoe")
