//go:build linux

package gpiosim

import (
	"bytes"
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
// because a reader shares nothing with the program under test, least of all its
// Go scheduler.
type Generator struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

const jobVariable = "GPIOSIM_JOB"

// Main does the work of a generator and exits, in a process that Generate has
// started. The program must call it first, in main or in TestMain.
func Main() {
	job := os.Getenv(jobVariable)
	if job == "" {
		return
	}
	if err := generate([]byte(job), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gpiosim:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func generate(text []byte, w io.Writer) error {
	var job Job
	if err := json.Unmarshal(text, &job); err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := realtime(); err != nil {
		return fmt.Errorf("real-time priority: %w", err)
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
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	g := &Generator{cmd: exec.Command(os.Args[0])}
	g.cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	g.cmd.Stdout, g.cmd.Stderr = &g.out, os.Stderr
	return g, g.cmd.Start()
}

// Wait waits for the end and returns all frames as they were sent.
func (g *Generator) Wait() (all []Sent, err error) {
	if err := g.cmd.Wait(); err != nil {
		return nil, err
	}
	for frames := json.NewDecoder(&g.out); ; {
		var s Sent
		if err := frames.Decode(&s); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return all, err
		}
		all = append(all, s)
	}
}
