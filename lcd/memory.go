package lcd

import "sync"

// Memory is a display without hardware: for a station without a display, for
// the simulated lab, and for tests. It shows letters as they are.
type Memory struct {
	size    Size
	charset *Charset

	mu     sync.Mutex
	frame  Frame
	ready  bool
	err    error
	inits  int
	writes int
}

// NewMemory returns a blank display of the size, which shows Unicode.
func NewMemory(s Size) *Memory {
	return &Memory{size: s, charset: Unicode, frame: NewFrame(s)}
}

// Size returns the display's size.
func (m *Memory) Size() Size { return m.size }

// Charset returns the letters that the display shows.
func (m *Memory) Charset() *Charset { return m.charset }

// String names the display.
func (m *Memory) String() string { return "no display, " + m.size.String() + " kept in memory" }

// Init blanks the display.
func (m *Memory) Init() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.ready, m.frame, m.inits = true, NewFrame(m.size), m.inits+1
	return nil
}

// Show keeps the frame.
func (m *Memory) Show(f Frame) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.err != nil:
		m.ready = false
		return m.err
	case !m.ready:
		return ErrClosed
	}
	m.frame, m.writes = f.clone(), m.writes+1
	return nil
}

// Refresh does nothing: memory doesn't forget.
func (m *Memory) Refresh() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Close makes Show fail until the next Init.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready = false
	return nil
}

// Frame returns what is shown.
func (m *Memory) Frame() Frame {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.frame
}

// Break makes every call fail with err, as an unplugged display does; nil
// plugs it in again, blank and not initialised.
func (m *Memory) Break(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err, m.ready = err, false
	m.frame = NewFrame(m.size)
}

// Counts returns how often the display was initialised and written to.
func (m *Memory) Counts() (inits, writes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.inits, m.writes
}
