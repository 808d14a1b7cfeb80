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

	"stump/internal/api"
	"stump/internal/hint"
	"stump/internal/panel"
)

const help = `tap NAME      bump a badge or a device: ann ben cem dia eve fay, ipad pixel kindle …
              (also a credential such as H10301:17:4711, or bits:0101…)
wait 6s       let time pass
who           who holds which device
history       what happened
fault NAME    break the wiring (d0-open, swapped, hum …), fault off mends it
quit          end`

// playLines reads commands and prints every change of the display.
func playLines(ctx context.Context, l *lab, in io.Reader, out io.Writer) error {
	p := &printer{w: out, display: l.display}
	changes, cancel := l.daemon.Panel.Subscribe()
	defer cancel()
	p.look()
	go func() {
		for range changes {
			p.look()
		}
	}()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for sc := bufio.NewScanner(in); sc.Scan(); {
			select {
			case lines <- sc.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, more := <-lines:
			if !more {
				return nil
			}
			quit, err := l.obey(ctx, p, strings.Fields(line))
			if err != nil {
				p.printf("error: %v\n", err)
				if h := hint.Of(err); h != "" {
					p.printf("%s\n", h)
				}
			}
			if quit {
				return nil
			}
		}
	}
}

// obey carries out one command line.
func (l *lab) obey(ctx context.Context, p *printer, words []string) (quit bool, err error) {
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return false, nil
	}
	arg := strings.Join(words[1:], " ")
	switch words[0] {
	case "tap":
		before := p.count()
		err := l.tap(ctx, arg)
		p.look()
		if err == nil && p.count() == before {
			p.printf("the display stays as it is: within 1.5 s the same card is the reader repeating itself\n")
		}
		return false, err
	case "wait":
		d, err := time.ParseDuration(arg)
		if err != nil {
			return false, hint.Errorf("write wait 6s, or wait 1m30s", "%q is no time", arg)
		}
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		return false, nil
	case "who":
		return false, l.printWho(ctx, p)
	case "history":
		return false, l.printHistory(ctx, p)
	case "fault":
		return false, l.fault(ctx, arg)
	case "help":
		p.printf("%s\n", help)
		return false, nil
	case "quit", "exit":
		return true, nil
	}
	return false, hint.Errorf("type help for the commands", "%q is no command", words[0])
}

func (l *lab) printWho(ctx context.Context, p *printer) error {
	loans, err := rows[api.Who](ctx, l, "who", nil)
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

func (l *lab) printHistory(ctx context.Context, p *printer) error {
	events, err := rows[api.History](ctx, l, "history", nil)
	if err != nil {
		return err
	}
	for _, e := range events {
		p.printf("%4d %-9s %-16s %s\n", e.Seq, e.Kind, or(e.Device, ""), or(e.Person, ""))
	}
	return nil
}

// printer keeps the display's changes and the answers apart.
type printer struct {
	mu      sync.Mutex
	w       io.Writer
	display func() panel.State
	last    []string
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

// look prints the display if it has changed.
func (p *printer) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.display()
	if slices.Equal(s.Rows, p.last) || len(s.Rows) == 0 {
		return
	}
	p.last = slices.Clone(s.Rows)
	p.shown++
	edge := strings.Repeat("─", len([]rune(s.Rows[0])))
	fmt.Fprintf(p.w, "┌%s┐\n", edge)
	for _, row := range s.Rows {
		fmt.Fprintf(p.w, "│%s│\n", row)
	}
	fmt.Fprintf(p.w, "└%s┘\n", edge)
}
