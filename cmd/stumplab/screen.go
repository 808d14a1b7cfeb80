package main

import (
	"context"
	"fmt"
	"image/color"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"stump/gpio"
	"stump/internal/api"
	"stump/internal/panel"
	"stump/internal/simlab"
)

// Keys of the lab: digits are badges, letters are devices.
const (
	badgeKeys  = "123456"
	deviceKeys = "abcdefghijkl"
)

// playScreen draws the lab until somebody leaves it.
func playScreen(ctx context.Context, l *lab) error {
	// Signals are main's: a program that is told to end by its own handler and
	// by its context at once waits for itself.
	p := tea.NewProgram(newScreen(ctx, l), tea.WithoutSignalHandler())
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

// screen is the lab as it is drawn.
type screen struct {
	ctx     context.Context
	lab     *lab
	panel   panel.State
	devices []api.Device
	events  []api.History
	fault   int // index into gpio.Faults, -1 when the wiring is whole
	problem string
	width   int
}

// contents is what the ledger says after a bump.
type contents struct {
	devices []api.Device
	events  []api.History
	err     error
}

func newScreen(ctx context.Context, l *lab) screen {
	return screen{ctx: ctx, lab: l, panel: l.display(), fault: -1, width: 80}
}

func (s screen) Init() tea.Cmd { return s.reload }

func (s screen) reload() tea.Msg {
	var c contents
	if c.devices, c.err = rows[api.Device](s.ctx, s.lab, "devices", nil); c.err != nil {
		return c
	}
	c.events, c.err = rows[api.History](s.ctx, s.lab, "history", nil)
	return c
}

func (s screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width = msg.Width
	case panel.State:
		s.panel = msg
	case contents:
		s.devices, s.events, s.problem = msg.devices, msg.events, ""
		if msg.err != nil {
			s.problem = msg.err.Error()
		}
	case tea.KeyPressMsg:
		return s.press(msg.String())
	}
	return s, nil
}

// press is a key: a bump, a broken wire, or the end.
func (s screen) press(key string) (tea.Model, tea.Cmd) {
	switch key {
	case "ctrl+c", "esc", "q":
		return s, tea.Quit
	case "x", "m":
		name := "off"
		if s.fault++; key == "m" || s.fault == len(gpio.Faults) {
			s.fault = -1
		} else {
			name = gpio.Faults[s.fault]
		}
		return s, func() tea.Msg {
			if err := s.lab.fault(s.ctx, name); err != nil {
				return contents{err: err}
			}
			return s.reload()
		}
	}
	if card, ok := cardOf(key); ok {
		return s, func() tea.Msg {
			if err := s.lab.tap(s.ctx, card.ID); err != nil {
				return contents{err: err}
			}
			return s.reload()
		}
	}
	return s, nil
}

// cardOf is the badge or device of a key.
func cardOf(key string) (simlab.Card, bool) {
	if i := strings.Index(badgeKeys, key); i >= 0 && len(key) == 1 {
		return simlab.People[i], true
	}
	if i := strings.Index(deviceKeys, key); i >= 0 && len(key) == 1 {
		return simlab.Devices[i], true
	}
	return simlab.Card{}, false
}

// The lab's colours: a green-yellow display as the cheap modules have, on
// whatever the terminal is.
var (
	lcdGlass = lipgloss.NewStyle().Background(lipgloss.Color("#9bbc0f")).Foreground(lipgloss.Color("#0f2f0f")).Bold(true)
	lcdCase  = lipgloss.NewStyle().Border(lipgloss.RoundedBorder()).BorderForeground(lipgloss.Color("240")).Padding(0, 1)
	title    = lipgloss.NewStyle().Bold(true)
	dim      = lipgloss.NewStyle().Foreground(lipgloss.Color("244"))
	keyCap   = lipgloss.NewStyle().Foreground(lipgloss.Color("39")).Bold(true)
	held     = lipgloss.NewStyle().Foreground(lipgloss.Color("214"))
	alarm    = lipgloss.NewStyle().Foreground(lipgloss.Color("203"))
)

const leftWidth = 34

func (s screen) View() tea.View {
	left := lipgloss.NewStyle().Width(leftWidth).Render(s.viewPanel() + "\n\n" + s.viewPeople())
	v := tea.NewView(lipgloss.JoinVertical(lipgloss.Left,
		title.Render("Stump")+dim.Render("  a lab to play with: the real daemon on simulated wires"),
		lipgloss.JoinHorizontal(lipgloss.Top, left, s.viewDevices()),
		"", s.viewEvents(), s.viewFooter()))
	v.AltScreen = true
	v.WindowTitle = "Stump"
	return v
}

// viewPanel is the display as a lit panel, and the reader's lights.
func (s screen) viewPanel() string {
	lamp := func(on bool, c color.Color) string {
		if on {
			return lipgloss.NewStyle().Foreground(c).Render("●")
		}
		return dim.Render("○")
	}
	glass := make([]string, len(s.panel.Rows))
	for i, row := range s.panel.Rows {
		glass[i] = lcdGlass.Render(" " + row + " ")
	}
	return lcdCase.Render(strings.Join(glass, "\n")) + "\n " +
		lamp(s.panel.Green, lipgloss.Color("46")) + " green  " + lamp(s.panel.Red, lipgloss.Color("196")) + " red  " +
		dim.Render(fmt.Sprintf("♪ %d", s.panel.Beeps))
}

func (s screen) viewPeople() string {
	lines := []string{title.Render("Badges")}
	for i, p := range simlab.People {
		lines = append(lines, keyCap.Render(string(badgeKeys[i]))+"  "+p.Name)
	}
	return strings.Join(lines, "\n")
}

func (s screen) viewDevices() string {
	holder := map[string]string{}
	for _, d := range s.devices {
		holder[d.ID] = or(d.Person, "")
	}
	lines := []string{title.Render("Devices")}
	for i, d := range simlab.Devices {
		with := dim.Render("in the lab")
		if h := holder[d.ID]; h != "" {
			with = held.Render("with " + h)
		}
		lines = append(lines, fmt.Sprintf("%s  %-15s %s", keyCap.Render(string(deviceKeys[i])), d.Name, with))
	}
	return strings.Join(lines, "\n")
}

func (s screen) viewEvents() string {
	lines := []string{title.Render("Last events")}
	const show = 4
	// That the seed gave everybody a tag is no news.
	events := slices.DeleteFunc(slices.Clone(s.events), func(e api.History) bool { return or(e.Actor, "") == "sim" })
	for _, e := range events[max(0, len(events)-show):] {
		at := ""
		if e.At != nil {
			at = e.At.Local().Format("15:04:05")
		}
		lines = append(lines, fmt.Sprintf("%s  %-9s %-15s %s", dim.Render(at), e.Kind, or(e.Device, ""), or(e.Person, "")))
	}
	for len(lines) <= show {
		lines = append(lines, "")
	}
	return strings.Join(lines, "\n")
}

func (s screen) viewFooter() string {
	if s.problem != "" {
		return alarm.Render(s.problem)
	}
	wiring := dim.Render("x break a wire")
	if s.fault >= 0 {
		wiring = alarm.Render("wiring: "+gpio.Faults[s.fault]) + dim.Render(" (x next, m mend)")
	}
	return dim.Render("bump a badge, then a device · ") + wiring + dim.Render(" · q quit") + "\n" +
		dim.Render("ask it: stump --socket "+s.lab.socket+" who")
}
