package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"stump/gpio"
	"stump/hw/diagnose"
	"stump/internal/api/wire"
	"stump/internal/hint"
	"stump/internal/panel"
)

// playScreen draws the lab until the user quits or ctx ends.
func playScreen(ctx context.Context, l *lab) error {
	// main handles signals: a program that its own handler and its context end
	// at once deadlocks.
	s := newScreen(ctx, l)
	s.note = l.page(ctx)
	p := tea.NewProgram(s, tea.WithoutSignalHandler())
	defer context.AfterFunc(ctx, p.Quit)()
	changes, cancel := l.daemon.Panel.Subscribe()
	defer cancel()
	go func() {
		for s := range changes {
			p.Send(s)
		}
	}()
	_, err := p.Run()
	return err
}

// screen is what is drawn: the state of bubbletea's model.
type screen struct {
	ctx     context.Context
	lab     *lab
	panel   panel.State
	devices []wire.Device
	events  []wire.History
	commits uint64 // of the ledger, when devices and events were read
	fault   string // in the wiring, "" for none
	bump    bump   // the newest
	card    string // its key
	note    string // about it
	alarm   bool   // the note is about a failure
	typing  bool   // a name
	name    string // as far as it is typed
	help    bool
	scroll  int // lines of the help above the top of the screen

	width, height int
	dark          bool
	colours       lipgloss.CompleteFunc
	palette
}

// contents is a reading of the ledger and the wiring.
type contents struct {
	devices []wire.Device
	events  []wire.History
	commits uint64
	fault   string
}

// look is the tick that looks for changes from outside, such as a command's.
type look struct{}

func lookAgain() tea.Cmd { return tea.Tick(time.Second, func(time.Time) tea.Msg { return look{} }) }

func newScreen(ctx context.Context, l *lab) screen {
	return screen{
		ctx: ctx, lab: l, panel: l.display(), width: 80, height: 24,
		dark: true, colours: fullColour, palette: newPalette(true, fullColour),
	}
}

func (s screen) Init() tea.Cmd { return tea.Batch(s.reload, lookAgain(), tea.RequestBackgroundColor) }

func (s screen) reload() tea.Msg {
	c := contents{fault: s.lab.fault(), commits: s.lab.commits()}
	var err error
	if c.devices, err = rows[wire.Device](s.ctx, s.lab, "devices"); err != nil {
		return err
	}
	if c.events, err = s.lab.events(s.ctx); err != nil {
		return err
	}
	return c
}

func (s screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		s.dark = msg.IsDark()
		s.palette = newPalette(s.dark, s.colours)
	case tea.ColorProfileMsg:
		s.colours = lipgloss.Complete(msg.Profile)
		s.palette = newPalette(s.dark, s.colours)
	case panel.State:
		s.panel = msg
	case look:
		if s.lab.commits() == s.commits && s.lab.fault() == s.fault {
			return s, lookAgain()
		}
		return s, tea.Batch(s.reload, lookAgain())
	case contents:
		s.devices, s.events, s.fault, s.commits = msg.devices, msg.events, msg.fault, msg.commits
	case bump:
		s.bump, s.note, s.alarm = msg, msg.why, msg.why != ""
		if !s.alarm {
			s.note = fmt.Sprintf("%s: %d bits in %d ms", msg.number, len(msg.edges), msg.span().Milliseconds())
		}
		return s, s.reload
	case error:
		s.note, s.alarm = msg.Error(), true
		if h := hint.Of(msg); h != "" {
			s.note += ": " + h
		}
	case tea.KeyPressMsg:
		return s.pressed(msg)
	}
	return s, nil
}

// pressed handles a key.
func (s screen) pressed(msg tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	key := strings.ToLower(msg.String()) // Caps Lock doesn't matter
	switch {
	case s.typing:
		return s.typeKey(msg)
	case s.help:
		return s.pressInHelp(key)
	}
	return s.press(key)
}

// press handles a key outside the help.
func (s screen) press(key string) (tea.Model, tea.Cmd) {
	switch key {
	case "ctrl+c", "q":
		return s, tea.Quit
	case "ctrl+z":
		return s, tea.Suspend
	case "?":
		s.help, s.scroll = true, 0
		return s, nil
	case "x":
		return s.wire(gpio.Faults[(slices.Index(gpio.Faults, s.fault)+1)%len(gpio.Faults)])
	case "m":
		return s.wire("off")
	case "w":
		s.note, s.alarm = s.lab.page(s.ctx), false
		return s, nil
	case nameKey:
		s.typing, s.name = true, ""
		return s.showName(), nil
	}
	card, ok := cardOf(key)
	if !ok {
		if lipgloss.Width(key) == 1 {
			s.note, s.alarm = fmt.Sprintf("%s is not a key here; ? lists them", key), false
		}
		return s, nil
	}
	name := card.ID
	if key == strangerKey {
		name = card.Credential // by enrolling it may have an owner now
	}
	s.card, s.note, s.alarm = key, "Showing "+card.Name+" …", false
	return s, func() tea.Msg {
		b, err := s.lab.tap(s.ctx, name)
		if err != nil {
			return err
		}
		return b
	}
}

// typeKey handles a key while a name is typed.
func (s screen) typeKey(msg tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	switch key := msg.String(); {
	case key == "ctrl+c":
		return s, tea.Quit
	case key == "esc":
		s.typing, s.note = false, ""
		return s, nil
	case key == "enter":
		s.typing, s.note = false, ""
		name := s.name
		return s, func() tea.Msg {
			if err := s.lab.typeName(s.ctx, name); err != nil {
				return err
			}
			return s.reload()
		}
	case key == "backspace":
		letters := []rune(s.name)
		s.name = string(letters[:max(0, len(letters)-1)])
	case msg.Text != "" && len(s.name) < 60:
		s.name += msg.Text
	}
	return s.showName(), nil
}

// showName shows the name as it is typed.
func (s screen) showName() screen {
	s.note, s.alarm = "Name, then Enter: "+s.name+"_", false
	return s
}

// wire sets the wiring fault; "off" mends it.
func (s screen) wire(fault string) (tea.Model, tea.Cmd) {
	s.fault, s.alarm = fault, false
	if s.note = "Now bump a card and see"; fault == "off" {
		s.fault, s.note = "", "The wiring is mended"
	}
	return s, func() tea.Msg {
		if err := s.lab.setFault(s.ctx, fault); err != nil {
			return err
		}
		return s.reload()
	}
}

// pressInHelp handles a key while the help is open.
func (s screen) pressInHelp(key string) (tea.Model, tea.Cmd) {
	switch key {
	case "ctrl+c", "q":
		return s, tea.Quit
	case "ctrl+z":
		return s, tea.Suspend
	case "?", "esc", "enter":
		s.help = false
	case "down", "j":
		s.scrollBy(1)
	case "up", "k":
		s.scrollBy(-1)
	case "space", "pgdown":
		s.scrollBy(s.helpRows() - 1)
	case "pgup":
		s.scrollBy(1 - s.helpRows())
	}
	return s, nil
}

// scrollBy scrolls the help. The start is clamped too: a larger screen shows more.
func (s *screen) scrollBy(lines int) {
	s.scroll = max(0, min(s.scroll, s.helpBelow())+lines)
	s.scroll = min(s.scroll, s.helpBelow())
}

// wiring describes the fault.
func (s screen) wiring() string { return s.fault + " (" + diagnose.Label(s.fault) + ")" }
