package checkout

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Subjects of the desk tests: upper case letters are people, lower case
// letters devices, S a suspended person, L a lost badge, r a retired device, ? a
// tag that nobody knows, u one that can only be a device.
func deskSubject(c byte) Subject {
	s := Subject{ID: string(c), Tag: Tag{Bits: 26, Value: [16]byte{15: byte(c)}}}
	switch {
	case c == '?':
		s.ID = ""
	case c == 'u':
		s.ID, s.Fits = "", KindDevice
	case c >= 'A' && c <= 'Z':
		s.Kind = KindPerson
	default:
		s.Kind = KindDevice
	}
	switch c {
	case 'S':
		s.Status = Suspended
	case 'L':
		s.Status = LostBadge
	case 'r':
		s.Status = Retired
	}
	return s
}

// play runs a script of the form "0 A; 2 a; 3 a!": seconds and who taps. "*b"
// is a tap that the directory is asked about, "=b" the answer that it is b's,
// "=b?" that it is nobody's, "-" the timer, "#60" that devices are counted for so many seconds,
// "%" that nobody will bring the parts. After a Complete the pair is Done,
// with "!" it Failed, with "~" it is refused; with "+bc" it is a kit that came
// back, whose parts b and c are asked for. It returns the outcomes.
func play(t *testing.T, o DeskOptions, script string) string {
	t.Helper()
	d := NewDesk(o)
	var out []string
	var seq uint64
	asked := map[byte]time.Duration{}
	for step := range strings.SplitSeq(script, ";") {
		var sec float64
		var who string
		if _, err := fmt.Sscanf(strings.TrimSpace(step), "%f %s", &sec, &who); err != nil {
			t.Fatalf("%q: %v", step, err)
		}
		at := time.Duration(sec * float64(time.Second))
		var o Outcome
		switch who[0] {
		case '-':
			o.Kind = "-"
			if missed, ended := d.Expire(at); ended {
				o = Outcome{Kind: "timed-out", Missed: missed}
			}
		case '#':
			o.Kind = "counting"
			var window int
			fmt.Sscanf(who, "#%d", &window)
			d.Count(at, time.Duration(window)*time.Second)
		case '%':
			o = Outcome{Kind: "missing", Missed: d.Miss()}
		case '*':
			if o.Kind = Ignored; d.Asked(at, deskSubject(who[1]).Tag) {
				o.Kind = "asking"
				asked[who[1]] = at
			}
		case '=':
			s := deskSubject(who[1])
			if strings.HasSuffix(who, "?") {
				s = Subject{Tag: s.Tag}
			}
			o = d.Answer(asked[who[1]], s)
		default:
			o = d.Tap(at, deskSubject(who[0]))
		}
		s := string(o.Kind)
		if o.Result != nil {
			s += fmt.Sprint(" ", o.Result.Seq)
		}
		s = strings.TrimSpace(s + " " + o.Person.ID + o.Device.ID)
		if o.Ended.Kind != Unknown {
			s += " ends " + o.Ended.ID
		}
		if o.Back {
			s += " back"
		}
		out = append(out, misses(s, o.Missed))
		if o.Kind != Complete {
			continue
		}
		switch {
		case strings.HasSuffix(who, "!"):
			d.Failed()
		case strings.HasSuffix(who, "~"):
			d.Refuse()
		default:
			seq++
			ev := Event{Seq: seq}
			_, parts, _ := strings.Cut(who, "+")
			for _, p := range parts {
				ev.Asked = append(ev.Asked, deskSubject(byte(p)))
			}
			d.Done(ev)
		}
	}
	return strings.Join(out, "; ")
}

func TestDeskTable(t *testing.T) {
	batch := DeskOptions{Batch: 20 * time.Second}
	for _, c := range []struct {
		name   string
		o      DeskOptions
		script string
		want   string
	}{
		{"badge, device", DeskOptions{}, "0 A; 2 a", "wait-device A; complete Aa"},
		{"device, badge", DeskOptions{}, "0 a; 2 A", "wait-badge a; complete Aa"},
		{"another badge replaces", DeskOptions{}, "0 A; 2 B; 4 a", "wait-device A; wait-device B; complete Ba"},
		{"another device replaces", DeskOptions{}, "0 a; 2 b; 4 A", "wait-badge a; wait-badge b; complete Ab"},
		{"the same badge restarts the window", DeskOptions{}, "0 A; 50 A; 100 a", "wait-device A; wait-device A; complete Aa"},
		{"the window's last instant", DeskOptions{}, "0 A; 59.999 a", "wait-device A; complete Aa"},
		{"the window has ended", DeskOptions{}, "0 A; 60 a", "wait-device A; wait-badge a"},
		{"said once", DeskOptions{}, "0 A; 59.9 -; 60 -; 61 -", "wait-device A; -; timed-out; -"},
		{"a device times out", DeskOptions{}, "0 a; 60 -", "wait-badge a; timed-out"},
		{"nothing waits after a pair", DeskOptions{}, "0 A; 2 a; 4 b", "wait-device A; complete Aa; wait-badge b"},
		{"the reader repeats itself", DeskOptions{}, "0 A; 1 A; 2 A; 3 A; 4 a", "wait-device A; ignored; ignored; ignored; complete Aa"},
		{"more than 1.5 s later it is a tap", DeskOptions{}, "0 A; 1.5 A; 3.001 A", "wait-device A; ignored; wait-device A"},
		{"a repeat between others", DeskOptions{}, "0 A; 0.5 b; 1 A; 1.6 b", "wait-device A; complete Ab; ignored; ignored"},
		{"a reader repeats every 4 s", DeskOptions{Repeat: 4 * time.Second}, "0 A; 4.8 A; 9.601 A; 14 A", "wait-device A; ignored; wait-device A; ignored"},
		{"learned earlier", DeskOptions{Learned: 4 * time.Second}, "0 A; 4.8 A; 9.601 A", "wait-device A; ignored; wait-device A"},
		{"the interval is learned from four gaps", DeskOptions{}, "0 A; 2 A; 4.1 A; 6.1 A; 8.1 A; 10.4 A; 13 A",
			"wait-device A; wait-device A; wait-device A; wait-device A; ignored; ignored; wait-device A"},
		{"the same pair does not undo itself", DeskOptions{}, "0 A; 2 a; 4 A; 6 a", "wait-device A; complete Aa; wait-device A; repeat-result 1 Aa"},
		{"nothing waits after the repeat", DeskOptions{}, "0 A; 2 a; 4 A; 6 a; 6.5 B; 9.5 a", "wait-device A; complete Aa; wait-device A; repeat-result 1 Aa; wait-device B; complete Ba"},
		{"5 s later it does", DeskOptions{}, "0 A; 2 a; 4 A; 7 a", "wait-device A; complete Aa; wait-device A; complete Aa"},
		{"the guard knows each device's last pair", DeskOptions{}, "0 A; 1 a; 2 B; 4 a; 5 A; 7 a", "wait-device A; complete Aa; wait-device B; complete Ba; wait-device A; complete Aa"},

		{"a device left there", DeskOptions{}, "0 A; 1 a; 2.8 a; 4.6 a; 6.4 a; 6.5 B", "wait-device A; complete Aa; ignored; lies a; ignored; wait-device B"},
		{"and not for the next badge", DeskOptions{}, "0 A; 1 a; 2.8 a; 3 B; 4.6 a; 6.4 a; 7 b", "wait-device A; complete Aa; ignored; wait-device B; ignored; lies a; complete Bb"},
		{"said once while it is held there", DeskOptions{}, "0 A; 1 a; 2 a; 3 a; 4 a; 4.5 a; 5 a; 6 a; 7 a; 8 a; 9 a",
			"wait-device A; complete Aa; ignored; ignored; ignored; lies a; ignored; ignored; ignored; ignored; ignored"},
		{"and again after another answer", DeskOptions{}, "0 A; 1 a; 2 a; 3 a; 4 a; 4.5 a; 5 B; 6 a; 7 a; 8.1 a; 9 a",
			"wait-device A; complete Aa; ignored; ignored; ignored; lies a; wait-device B; ignored; ignored; lies a; ignored"},
		{"gone for 3 s", DeskOptions{}, "0 A; 1 a; 3.999 a; 6.999 a", "wait-device A; complete Aa; ignored; wait-badge a"},
		{"gone for two and a half intervals", DeskOptions{Repeat: 4 * time.Second}, "0 A; 1 a; 10.9 a; 20.9 a", "wait-device A; complete Aa; lies a; wait-badge a"},
		{"below the badge that came last", DeskOptions{}, "0 a; 2 A; 4 a; 5 B; 6.5 a; 9.5 a", "wait-badge a; complete Aa; ignored; wait-device B; ignored; complete Ba"},
		{"below a badge that is held there", DeskOptions{}, "0 A; 1 a; 1.5 B; 2.5 B; 3.5 B; 4.5 B; 4.6 a; 7.6 a",
			"wait-device A; complete Aa; wait-device B; ignored; ignored; ignored; lies a; complete Ba"},
		{"refused, and left there", DeskOptions{}, "0 A; 1 a~; 2.8 a; 3 B; 4.6 a", "wait-device A; complete Aa; ignored; wait-device B; ignored"},
		{"the result repeated, and left there", DeskOptions{}, "0 A; 1 a; 3 A; 5 a; 6.8 a; 7 B; 8.6 a", "wait-device A; complete Aa; wait-device A; repeat-result 1 Aa; ignored; wait-device B; ignored"},
		{"it disturbs no question", DeskOptions{}, "0 A; 1 a; 2 B; 2.5 *b; 2.8 a; 3 =b", "wait-device A; complete Aa; wait-device B; asking; ignored; complete Bb"},

		{"a stranger ends a person's turn", DeskOptions{}, "0 A; 2 ?; 4 a", "wait-device A; unknown-tag ends A; wait-badge a"},
		{"a stranger ends a device's turn", DeskOptions{}, "0 a; 2 ?; 4 A", "wait-badge a; unknown-tag ends a; wait-device A"},
		{"a suspended person ends a person's turn", DeskOptions{}, "0 A; 2 S; 4 a", "wait-device A; refused S ends A; wait-badge a"},
		{"a suspended person ends a device's turn", DeskOptions{}, "0 a; 2 S; 4 A", "wait-badge a; refused S ends a; wait-device A"},
		{"a lost badge ends a person's turn", DeskOptions{}, "0 A; 2 L; 4 a", "wait-device A; refused L ends A; wait-badge a"},
		{"a lost badge ends a device's turn", DeskOptions{}, "0 a; 2 L; 4 A", "wait-badge a; refused L ends a; wait-device A"},
		{"nobody's turn ends", DeskOptions{}, "0 ?; 2 S; 4 L", "unknown-tag; refused S; refused L"},
		{"a turn that was over", DeskOptions{}, "0 A; 60 ?; 60.3 -", "wait-device A; unknown-tag; -"},
		{"a strange device ends nothing", DeskOptions{}, "0 A; 2 u; 4 a", "wait-device A; unknown-tag; complete Aa"},
		{"a retired device ends nothing", DeskOptions{}, "0 A; 2 r; 4 a", "wait-device A; refused r; complete Aa"},
		{"nor does either end a device's turn", DeskOptions{}, "0 a; 2 r; 4 u; 6 A", "wait-badge a; refused r; unknown-tag; complete Aa"},
		{"a batch, too, is over", batch, "0 A; 2 a; 4 S; 6 b", "wait-device A; complete Aa; refused S ends A; wait-badge b"},
		{"not saved: bump it again", DeskOptions{}, "0 A; 2 a!; 2.5 a", "wait-device A; complete Aa; complete Aa"},
		{"not saved twice: it may only lie there", DeskOptions{}, "0 A; 2 a!; 2.5 a!; 3 a; 4.6 a", "wait-device A; complete Aa; complete Aa; ignored; complete Aa"},
		{"not saved: the window goes on", DeskOptions{}, "0 A; 2 a!; 59 -; 60 -", "wait-device A; complete Aa; -; timed-out"},
		{"refused: over, and no guard", DeskOptions{}, "0 A; 2 a~; 5 a; 6 A", "wait-device A; complete Aa; wait-badge a; complete Aa"},
		{"batch", batch, "0 A; 2 a; 4 b; 6 c", "wait-device A; complete Aa; complete Ab; complete Ac"},
		{"batch ends", batch, "0 A; 2 a; 21.9 -; 22 -; 23 b", "wait-device A; complete Aa; -; timed-out; wait-badge b"},
		{"batch: the next badge takes over", batch, "0 A; 2 a; 4 B; 6 b", "wait-device A; complete Aa; wait-device B; complete Bb"},
		{"batch: a device moves once", batch, "0 A; 2 a; 4 a; 7 a; 20 a; 21 b", "wait-device A; complete Aa; ignored; repeat-result 1 Aa; repeat-result 1 Aa; complete Ab"},
		{"batch: the next batch moves it back", batch, "0 A; 2 a; 5 A; 8 a", "wait-device A; complete Aa; wait-device A; complete Aa"},
		{"asked: a device completes", DeskOptions{}, "0 A; 2 *b; 2.9 =b", "wait-device A; asking; complete Ab"},
		{"asked: a badge completes", DeskOptions{}, "0 a; 2 *B; 2.9 =B", "wait-badge a; asking; complete Ba"},
		{"asked: a badge replaces", DeskOptions{}, "0 A; 2 *B; 2.9 =B; 4 a", "wait-device A; asking; wait-device B; complete Ba"},
		{"asked: nobody's ends the turn", DeskOptions{}, "0 A; 2 *b; 2.9 =b?; 4 a", "wait-device A; asking; unknown-tag ends A; wait-badge a"},
		{"asked: nobody's device ends nothing", DeskOptions{}, "0 A; 2 *u; 2.9 =u; 4 a", "wait-device A; asking; unknown-tag; complete Aa"},
		{"asked: a suspended person", DeskOptions{}, "0 a; 2 *S; 2.9 =S; 4 A", "wait-badge a; asking; refused S ends a; wait-device A"},
		{"asked: a later device takes no badge's place", DeskOptions{}, "0 A; 2 *b; 2.3 a; 2.9 =b; 4 B", "wait-device A; asking; wait-badge a; late; complete Ba"},
		{"asked: a later badge ends the pair", DeskOptions{}, "0 A; 2 *b; 2.3 B; 2.9 =b; 4 a", "wait-device A; asking; wait-device B; late; complete Ba"},
		{"asked: a later badge does not get the device", DeskOptions{}, "0 a; 2 *B; 2.3 A; 2.9 =B", "wait-badge a; asking; wait-device A; late"},
		{"asked: a refused tap is a tap", DeskOptions{}, "0 A; 2 *b; 2.3 S; 2.9 =b; 4 a", "wait-device A; asking; refused S; late; wait-badge a"},
		{"asked: a stranger's tap is a tap", DeskOptions{}, "0 A; 2 *b; 2.3 ?; 2.9 =b; 4 a", "wait-device A; asking; unknown-tag; late; wait-badge a"},
		{"asked: the newer question", DeskOptions{}, "0 A; 2 *b; 2.3 *B; 2.6 =b; 2.9 =B; 4 a", "wait-device A; asking; asking; late; wait-device B; complete Ba"},
		{"asked: the newer question, first answered", DeskOptions{}, "0 A; 2 *b; 2.3 *B; 2.6 =B; 2.9 =b; 4 a", "wait-device A; asking; asking; wait-device B; late; complete Ba"},
		{"asked: a repeat is no tap", DeskOptions{}, "0 A; 1 *b; 1.4 A; 1.6 b; 1.9 =b", "wait-device A; asking; ignored; ignored; complete Ab"},
		{"asked: it lies there afterwards", DeskOptions{}, "0 A; 1 *b; 1.9 =b; 2 b; 3 b", "wait-device A; asking; complete Ab; ignored; ignored"},
		{"asked: one question a tag", DeskOptions{}, "0 A; 1 *b; 4 *b; 7 b; 7.1 =b", "wait-device A; asking; ignored; ignored; complete Ab"},
		{"asked: a tag that has lost its owner", DeskOptions{}, "0 A; 1 *A; 1.4 *A; 1.9 =A?", "wait-device A; asking; ignored; unknown-tag ends A"},
		{"asked: the window is suspended", DeskOptions{}, "0 A; 59.5 *b; 60.2 -; 60.4 =b", "wait-device A; asking; -; complete Ab"},
		{"asked: the window goes on", DeskOptions{}, "0 A; 59.5 *u; 60.2 -; 60.4 =u; 60.4 -", "wait-device A; asking; -; unknown-tag; timed-out"},
		{"asked: too late for the window", DeskOptions{}, "0 A; 60 *b; 60.4 =b; 119.9 -; 120 -", "wait-device A; asking; wait-badge b; -; timed-out"},
		{"asked: the window counts from the tap", DeskOptions{}, "0 *A; 0.9 =A; 59.9 -; 60 -", "asking; wait-device A; -; timed-out"},
		{"asked: not saved, bump it again", DeskOptions{}, "0 A; 2 *b; 2.9 =b!; 3 b", "wait-device A; asking; complete Ab; complete Ab"},
		{"asked: refused", DeskOptions{}, "0 A; 2 *b; 2.9 =b~; 4 a", "wait-device A; asking; complete Ab; wait-badge a"},
		{"asked: batch", batch, "0 A; 2 a; 4 *b; 4.9 =b; 23 c", "wait-device A; complete Aa; asking; complete Ab; complete Ac"},
		{"asked: answered once", DeskOptions{}, "0 *A; 0.5 =A; 0.6 =A", "asking; wait-device A; late"},
	} {
		t.Run(c.name, func(t *testing.T) { want(t, c.script, play(t, c.o, c.script), c.want) })
	}
}

// TestKitTable has the table of docs/loans.md: A has brought the kit a back, of which b and c
// are asked for.
func TestKitTable(t *testing.T) {
	batch := DeskOptions{Batch: 20 * time.Second}
	const begin, begun = "0 A; 2 a+bc; ", "wait-device A; complete Aa; "
	for _, c := range []struct {
		name   string
		o      DeskOptions
		script string
		want   string
	}{
		{"all of it", DeskOptions{}, "4 c; 6 b; 8 d; 68 -", "complete Ac back; complete Ab back; wait-badge d; timed-out"},
		{"each part restarts the window", DeskOptions{}, "61 b; 120 c", "complete Ab back; complete Ac back"},
		{"the window", DeskOptions{}, "4 b; 63.999 -; 64 -; 65 c", "complete Ab back; -; timed-out misses c; wait-badge c"},
		{"a part that comes too late", DeskOptions{}, "62 c", "wait-badge c misses bc"},
		{"a badge that comes too late", DeskOptions{}, "62 B; 64 -", "wait-device B misses bc; -"},
		{"the same badge ends it", DeskOptions{}, "4 b; 6 A; 8 c", "complete Ab back; wait-device A misses c; complete Ac"},
		{"another badge ends it", DeskOptions{}, "4 B; 6 b", "wait-device B misses bc; complete Bb"},
		{"a suspended person ends it", DeskOptions{}, "4 S; 6 b", "refused S misses bc; wait-badge b"},
		{"a lost badge ends it", DeskOptions{}, "4 L; 6 b", "refused L misses bc; wait-badge b"},
		{"an unknown tag ends it", DeskOptions{}, "4 ?; 6 b", "unknown-tag misses bc; wait-badge b"},
		{"an unknown device does not", DeskOptions{}, "4 u; 6 b", "unknown-tag; complete Ab back"},
		{"a retired device does not", DeskOptions{}, "4 r; 6 b", "refused r; complete Ab back"},
		{"another device does not", DeskOptions{}, "4 d; 6 b; 8 B; 11 d", "not-asked d; complete Ab back; wait-device B misses c; complete Bd"},
		{"nor the box", DeskOptions{}, "3 a; 7 a; 8 b", "ignored; not-asked a; complete Ab back"},
		{"a part that can't be saved", DeskOptions{}, "4 b!; 6 b; 66 -", "complete Ab back; complete Ab back; timed-out misses c"},
		{"a part that is refused", DeskOptions{}, "4 b~; 8 b; 64 -", "complete Ab back; not-asked b; timed-out misses c"},
		{"a question suspends it", DeskOptions{}, "4 *d; 63 -; 64 =d; 65 -", "asking; -; not-asked d; timed-out misses bc"},
		{"a tap meanwhile ends it", DeskOptions{}, "4 *B; 5 b; 6 =B", "asking; wait-badge b misses bc; late"},
		{"a question meanwhile ends it", DeskOptions{}, "4 *B; 5 *D; 6 -; 7 =D", "asking; asking; timed-out misses bc; wait-device D"},
		{"in a batch it takes others", batch, "4 d; 6 b; 25 e; 46 f; 48 c; 49 g", "complete Ad; complete Ab back; complete Ae; not-asked f; complete Ac back; complete Ag"},
		{"two kits of a batch", batch, "4 d+ef; 6 b; 10 e; 70 -", "complete Ad; complete Ab back; complete Ae back; timed-out misses cf"},
	} {
		if got := play(t, c.o, begin+c.script); got != begun+c.want {
			t.Errorf("%s: %s\n got %s\nwant %s", c.name, c.script, strings.TrimPrefix(got, begun), c.want)
		}
	}
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		holder string
		want   Kind
		ok     bool
	}{
		{"", "", Checkout, true},
		{PolicyRefuse, "", Checkout, true},
		{PolicyReturn, "", Checkout, true},
		{"", "p", Return, true},
		{PolicyRefuse, "p", Return, true},
		{PolicyReturn, "p", Return, true},
		{"", "q", Handover, true},
		{PolicyHandover, "q", Handover, true},
		{PolicyReturn, "q", Return, true},
		{PolicyRefuse, "q", "", false},
	} {
		kind, ok := Decide(c.policy, "p", c.holder)
		if kind != c.want || ok != c.ok {
			t.Errorf("Decide(%q, p, %q) = %q, %v", c.policy, c.holder, kind, ok)
		}
	}
}

func TestDeskForget(t *testing.T) {
	d := NewDesk(DeskOptions{})
	a := deskSubject('A')
	var got []OutcomeKind
	for i := range 3 {
		if i == 2 {
			d.Forget(a.Tag)
		}
		got = append(got, d.Tap(time.Duration(i)*time.Second, a).Kind)
	}
	want(t, "outcomes", fmt.Sprint(got), "[wait-device ignored wait-device]")
}

// TestDeskTimer runs the desk as the station does: a timer for the deadline,
// taps in between, all on one clock.
func TestDeskTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		now := func() time.Duration { return time.Since(begin) }
		taps := make(chan byte)
		var log []string
		go func() {
			defer close(taps)
			for _, s := range []struct {
				after time.Duration
				who   byte
			}{{0, 'A'}, {59 * time.Second, 'B'}, {59 * time.Second, 'a'}, {4 * time.Second, 'a'}, {90 * time.Second, 'A'}} {
				time.Sleep(s.after)
				taps <- s.who
			}
			time.Sleep(61 * time.Second)
		}()
		d := NewDesk(DeskOptions{})
		for open := true; open; {
			var timer <-chan time.Time
			if at, ok := d.Deadline(); ok {
				timer = time.After(at - now())
			}
			var o Outcome
			var who byte
			select {
			case who, open = <-taps:
				if !open {
					continue
				}
				o = d.Tap(now(), deskSubject(who))
				if o.Kind == Complete {
					d.Done(Event{})
				}
			case <-timer:
				o.Kind = "timed-out"
				if _, ended := d.Expire(now()); !ended {
					t.Error("the deadline had come and nothing expired")
				}
			}
			log = append(log, fmt.Sprintf("%v %v", now(), o.Kind))
		}
		want(t, "log", strings.Join(log, "; "), "0s wait-device; 59s wait-device; 1m58s complete; "+
			"2m2s wait-badge; 3m2s timed-out; 3m32s wait-device; 4m32s timed-out")
	})
}

// TestCounting has the table of docs/loans.md: a stock-taking at a desk.
func TestCounting(t *testing.T) {
	batch := DeskOptions{Batch: 20 * time.Second}
	for _, c := range []struct {
		name   string
		o      DeskOptions
		script string
		want   string
	}{
		{"devices are counted", DeskOptions{}, "0 #90; 2 a; 4 b; 6 a", "counting; counted a; counted b; counted a"},
		{"the reader repeats itself", DeskOptions{}, "0 #90; 2 a; 3 a; 4 a; 5 b", "counting; counted a; ignored; ignored; counted b"},
		{"a retired one, too", DeskOptions{}, "0 #90; 2 r", "counting; counted r"},
		{"each goes on with it", DeskOptions{}, "0 #90; 80 a; 160 b; 249 a; 338 b; 428 a", "counting; counted a; counted b; counted a; counted b; wait-badge a"},
		{"the window has ended", DeskOptions{}, "0 #90; 90 a; 92 A", "counting; wait-badge a; complete Aa"},
		{"the end of it", DeskOptions{}, "0 #90; 2 a; 3 #0; 4 a", "counting; counted a; counting; wait-badge a"},
		{"a badge has its pair", DeskOptions{}, "0 #90; 2 A; 4 a; 6 b; 9 a", "counting; wait-device A; complete Aa; counted b; counted a"},
		{"a badge goes", DeskOptions{}, "0 #300; 2 A; 62 a", "counting; wait-device A; counted a"},
		{"another badge", DeskOptions{}, "0 #90; 2 A; 4 B; 6 a; 7 b", "counting; wait-device A; wait-device B; complete Ba; counted b"},
		{"a refused badge", DeskOptions{}, "0 #90; 2 A; 4 S; 6 a", "counting; wait-device A; refused S ends A; counted a"},
		{"an unknown tag", DeskOptions{}, "0 #90; 2 ?; 4 u; 6 a", "counting; unknown-tag; unknown-tag; counted a"},
		{"a device waited before", DeskOptions{}, "0 a; 2 #90; 4 b; 6 A", "wait-badge a; counting; counted b; wait-device A"},
		{"what was completed lies there", DeskOptions{}, "0 #90; 2 A; 4 a; 6 a; 9.5 a", "counting; wait-device A; complete Aa; ignored; counted a"},
		{"a batch", batch, "0 #90; 2 A; 4 a; 6 b; 26 c", "counting; wait-device A; complete Aa; complete Ab; counted c"},
		{"a kit that is asked for", DeskOptions{}, "0 #90; 2 A; 4 x+ab; 6 c; 8 a; 10 B; 12 b", "counting; wait-device A; complete Ax; not-asked c; complete Aa back; wait-device B misses b; complete Bb"},
		{"nobody brings the parts", DeskOptions{}, "2 A; 4 x+ab; 6 %; 8 a", "wait-device A; complete Ax; missing misses ab; wait-badge a"},
		{"in a batch the badge waits on", batch, "2 A; 4 x+ab; 6 %; 8 a; 10 %", "wait-device A; complete Ax; missing misses ab; complete Aa; missing"},
	} {
		if got := play(t, c.o, c.script); got != c.want {
			t.Errorf("%s: %q\n got %s\nwant %s", c.name, c.script, got, c.want)
		}
	}
}

// TestAlone has the table of docs/loans.md: a box into which devices are put.
func TestAlone(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"devices come back", "0 a; 2 b", "complete a; complete b"},
		{"the reader repeats itself", "0 a; 1 a; 2.4 a", "complete a; ignored; ignored"},
		{"it lies there", "0 a; 2 a; 4 a; 5.5 a", "complete a; ignored; lies a; ignored"},
		{"it comes again", "0 a; 10 a", "complete a; complete a"},
		{"at once", "0 a; 4 a", "complete a; repeat-result 1 a"},
		{"it is refused", "0 a~; 2 b", "complete a; complete b"},
		{"it can't be saved", "0 a!; 0.5 a; 5 b", "complete a; complete a; complete b"},
		{"badges do nothing", "0 A; 2 a; 4 B", "returns-only A; complete a; returns-only B"},
		{"whose badge is refused", "0 S; 2 a", "refused S; complete a"},
		{"a retired one", "0 r; 2 a", "refused r; complete a"},
		{"an unknown tag", "0 ?; 2 u; 4 a", "unknown-tag; unknown-tag; complete a"},
		{"a question", "0 *a; 0.5 =a; 2 b", "asking; complete a; complete b"},
		{"stock-taking at a box", "0 #90; 2 a; 4 A; 6 b", "counting; counted a; returns-only A; counted b"},
	} {
		for _, batch := range []time.Duration{0, 20 * time.Second} {
			if got := play(t, DeskOptions{Alone: true, Batch: batch}, c.script); got != c.want {
				t.Errorf("%s: %q\n got %s\nwant %s", c.name, c.script, got, c.want)
			}
		}
	}
}

// TestMovedMeanwhile: the result of a pair is said again only while it is still so.
func TestMovedMeanwhile(t *testing.T) {
	ann := Subject{Kind: KindPerson, ID: "ann", Tag: Tag{Bits: 26, Value: [16]byte{15: 1}}}
	took, brought := Event{Kind: Checkout, Person: "ann", Device: "ipad"}, Event{Kind: Return, Person: "ann", Device: "ipad"}
	pending := Event{Kind: Checkout, Person: PendingPrefix + "1", Device: "ipad"}
	for _, tt := range []struct {
		name   string
		event  Event
		holder string // when the pair is bumped again
		want   OutcomeKind
	}{
		{"taken, and still out", took, "ann", RepeatResult},
		{"taken, and brought back elsewhere", took, "", Complete},
		{"taken, and with somebody else now", took, "ben", Complete},
		{"brought back, and still free", brought, "", RepeatResult},
		{"brought back, and taken elsewhere", brought, "ann", Complete},
		{"taken by somebody whose badge has a name by now", pending, "ann", RepeatResult},
		{"taken by somebody without a name, and brought back", pending, "", Complete},
	} {
		d := NewDesk(DeskOptions{})
		ipad := Subject{Kind: KindDevice, ID: "ipad", Tag: Tag{Bits: 26, Value: [16]byte{15: 2}}}
		d.Tap(0, ann)
		d.Tap(time.Second, ipad)
		d.Done(tt.event)
		d.Tap(3*time.Second, ann)
		ipad.Holder = tt.holder
		if got := d.Tap(5*time.Second, ipad); got.Kind != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got.Kind, tt.want)
		}
	}
}
