//go:build linux

package gpiosim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// Job is what a generator sends: frames, one after the other.
type Job struct {
	D0, D1 int
	Frames []string // of '0' and '1', first bit first
	Pulses
	Gap time.Duration // silence after each frame

	Sysfs string // set by Generate
}

// Generator is a process that plays the reader. It is a process of its own
// because a reader shares nothing with the program under test, its Go
// scheduler least of all.
type Generator struct {
	cmd  *exec.Cmd
	sent chan Sent
	err  error // valid when sent is closed
}

const jobVariable = "GPIOSIM_JOB"

// Main does the work of a generator and exits, in a process that Generate has
// started. The program must call it first, in main or in TestMain.
func Main() {
	job := os.Getenv(jobVariable)
	if job == "" {
		return
	}
	if err := generate(job, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gpiosim:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func generate(file string, start io.Reader, w io.Writer) error {
	var job Job
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &job)
	}
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := realtime(); err != nil {
		return fmt.Errorf("real-time priority: %w", err)
	}
	if _, err := start.Read(make([]byte, 1)); err != nil {
		return err
	}
	c := &Chip{sysfs: job.Sysfs, pulls: make(map[int]int)}
	out := json.NewEncoder(w)
	for _, frame := range job.Frames {
		sent := c.Send(job.D0, job.D1, frame, job.Pulses)
		time.Sleep(job.Gap)
		if err := out.Encode(sent); err != nil {
			return err
		}
	}
	return nil
}

// Generate starts a generator on the chip's lines.
func (c *Chip) Generate(job Job) (*Generator, error) {
	job.Sysfs = c.sysfs
	b, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp("", "gpiosim-job")
	if err != nil {
		return nil, err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	g := &Generator{cmd: exec.Command(os.Args[0]), sent: make(chan Sent, len(job.Frames))}
	g.cmd.Env = append(os.Environ(), jobVariable+"="+f.Name())
	g.cmd.Stderr = os.Stderr
	start, err := g.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(g.sent)
		defer os.Remove(f.Name())
		lines := json.NewDecoder(bufio.NewReader(out))
		for {
			var s Sent
			if err := lines.Decode(&s); err != nil {
				break
			}
			g.sent <- s
		}
		g.err = g.cmd.Wait()
	}()
	_, err = start.Write([]byte{1})
	return g, err
}

// Sent yields each frame after it was sent; it is closed at the end.
func (g *Generator) Sent() <-chan Sent { return g.sent }

// Wait waits for the end and returns all frames that Sent has not yielded.
func (g *Generator) Wait() ([]Sent, error) {
	var all []Sent
	for s := range g.sent {
		all = append(all, s)
	}
	return all, g.err
}
