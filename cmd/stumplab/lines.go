package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"charm.land/lipgloss/v2"

	"stump/gpio"
	"stump/internal/api/wire"
	"stump/internal/hint"
	"stump/internal/panel"
	"stump/internal/simlab"
)

// command is what a line can ask for.
type command struct {
	name, arg, about string
	run              func(ctx context.Context, l *lab, p *printer, arg string) error
}

// commands returns all commands. As a variable it would refer to itself, through help.
func commands() []command {
	return []command{
		{"tap", "NAME", "bump a badge, " + ids(simlab.People) + ", or a device,\n" +
			ids(simlab.Devices[:6]) + "\n" + ids(simlab.Devices[6:]) + ";\n" +
			"also a credential such as " + simlab.Stranger.Credential + ", or bits:0101…", runTap},
		{"type", "NAME", "type a name, the owner's of an unknown badge", runType},
		{"who", "", "who has which device", runWho},
		{"history", "", "every event, oldest first", runHistory},
		{"wait", "6s", "let time pass", runWait},
		{"fault", "NAME", "break the wiring; off mends it:\n" + strings.Join(gpio.Faults[:8], " ") + "\n" +
			strings.Join(gpio.Faults[8:14], " ") + "\n" + strings.Join(gpio.Faults[14:], " "), runFault},
		{"help", "", "this list", runHelp},
		{"quit", "", "leave the lab", nil},
	}
}

// playLines obeys commands line by line, and prints the display when it changes.
func playLines(ctx context.Context, l *lab, in io.Reader, out io.Writer) error {
	p := &printer{w: out, display: l.display}
	changes, cancel := l.daemon.Panel.Subscribe()
	var looking sync.WaitGroup
	defer looking.Wait() // after that nothing writes to out
	defer cancel()
	p.look()
	looking.Go(func() {
		for range changes {
			p.look()
		}
	})
	lines := make(chan string)
	var readErr error // valid once lines is closed
	go func() {
		defer close(lines)
		sc := bufio.NewScanner(in)
		for sc.Scan() {
			select {
			case lines <- sc.Text():
			case <-ctx.Done():
				return
			}
		}
		readErr = sc.Err()
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, more := <-lines:
			if !more {
				return readErr
			}
			if quit := l.obey(ctx, p, line); quit {
				return nil
			}
		}
	}
}

// obey runs one command line and prints its error.
func (l *lab) obey(ctx context.Context, p *printer, line string) (quit bool) {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return false
	}
	c, arg, err := parse(words)
	switch {
	case err == nil && c.run == nil:
		return true
	case err == nil:
		err = c.run(ctx, l, p, arg)
	}
	if err != nil && ctx.Err() == nil {
		p.printf("error: %v\n", err)
		if h := hint.Of(err); h != "" {
			p.printf("%s\n", h)
		}
	}
	return false
}

// parse finds the command that the words ask for.
func parse(words []string) (command, string, error) {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	name, arg := strings.ToLower(words[0]), strings.Join(words[1:], " ")
	if name == "exit" {
		name = "quit"
	}
	i := slices.Index(names, name)
	if i < 0 {
		remedy := "the commands are " + strings.Join(names, ", ")
		if near := hint.Nearest(name, names); near != "" {
			remedy = "did you mean " + near + "? " + remedy
		}
		return command{}, "", hint.Errorf(remedy, "%q is not a command", words[0])
	}
	if c := commands()[i]; c.arg != "" || arg == "" {
		return c, arg, nil
	}
	return command{}, "", hint.Errorf("write only "+name, "%s takes no argument, but got %q", name, arg)
}

func runTap(ctx context.Context, l *lab, p *printer, card string) error {
	if card == "" {
		return hint.Errorf("write tap ann, then tap ipad", "tap needs a name")
	}
	before := p.count()
	b, err := l.tap(ctx, card)
	if err != nil {
		return err
	}
	p.look()
	switch {
	case b.why != "":
		p.printf("%s\n", b.why)
	case p.count() == before: // same text as before
		p.show()
	}
	return nil
}

func runType(ctx context.Context, l *lab, p *printer, name string) error {
	if name == "" {
		return hint.Errorf("write tap "+simlab.Stranger.Credential+", then type Zoe", "type needs a name")
	}
	if err := l.typeName(ctx, name); err != nil {
		return err
	}
	p.look()
	return nil
}

func runWait(ctx context.Context, _ *lab, _ *printer, arg string) error {
	d, err := time.ParseDuration(arg)
	switch {
	case err != nil:
		return hint.Errorf("write wait 6s, or wait 1m30s", "%q is not a duration", arg)
	case d < 0:
		return hint.Errorf("write wait 6s, or wait 1m30s", "%s is negative", arg)
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
	return nil
}

func runWho(ctx context.Context, l *lab, p *printer, _ string) error {
	loans, err := rows[wire.Who](ctx, l, "who")
	if err != nil {
		return err
	}
	if len(loans) == 0 {
		p.printf("nobody holds a device\n")
	}
	for _, w := range loans {
		p.printf("%-16s %s\n", or(w.Device, "?"), or(w.Person, "?"))
	}
	return nil
}

func runHistory(ctx context.Context, l *lab, p *printer, _ string) error {
	events, err := l.events(ctx)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		p.printf("nothing yet: tap a badge, then a device\n")
	}
	for _, e := range events {
		p.printf("%4d %-9s %-16s %s\n", e.Seq, e.Kind, or(e.Device, ""), parties(e))
	}
	return nil
}

func runFault(ctx context.Context, l *lab, p *printer, name string) error {
	name = strings.ToLower(name)
	if name == "" {
		return hint.Errorf("write fault and one of "+strings.Join(gpio.Faults, ", ")+"; fault off mends it", "fault needs a name")
	}
	return l.setFault(ctx, name)
}

func runHelp(_ context.Context, _ *lab, p *printer, _ string) error {
	for _, c := range commands() {
		about := strings.ReplaceAll(c.about, "\n", "\n"+strings.Repeat(" ", 14))
		p.printf("%-13s %s\n", strings.TrimSpace(c.name+" "+c.arg), about)
	}
	return nil
}

// printer writes the display's texts and the answers, one at a time.
type printer struct {
	mu      sync.Mutex
	w       io.Writer
	display func() panel.State
	message message
	shown   int // displays printed
}

func (p *printer) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown
}

func (p *printer) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, format, args...)
}

// look prints the display if it has a new text.
func (p *printer) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.display(); p.message.changed(s.Rows) {
		p.draw(s)
	}
}

// show prints the display.
func (p *printer) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw(p.display())
}

func (p *printer) draw(s panel.State) {
	p.shown++
	edge := strings.Repeat("─", len([]rune(s.Rows[0])))
	fmt.Fprintf(p.w, "┌%s┐\n", edge)
	for _, row := range s.Rows {
		fmt.Fprintf(p.w, "│%s│\n", fit(row, lipgloss.Width(edge)))
	}
	fmt.Fprintf(p.w, "└%s┘\n", edge)
}
