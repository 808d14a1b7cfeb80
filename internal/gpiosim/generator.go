//go:build linux

package gpiosim

import (
	"bytes"
	"encoding/json"
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
	var all []Sent
	for _, frame := range job.Frames {
		all = append(all, c.Send(job.D0, job.D1, frame, job.Pulses))
		time.Sleep(job.Gap)
	}
	return json.NewEncoder(w).Encode(all)
}

// Generate starts a generator on the chip's lines: a process that plays the
// reader. A reader shares nothing with the program under test, least of all its
// Go scheduler. wait waits for its end and returns all frames as they were sent.
func (c *Chip) Generate(job Job) (wait func() ([]Sent, error), err error) {
	job.Sysfs = c.sysfs
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), jobVariable+"="+string(text))
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	return func() (all []Sent, err error) {
		if err := cmd.Wait(); err != nil {
			return nil, err
		}
		err = json.Unmarshal(out.Bytes(), &all)
		return all, err
	}, cmd.Start()
}
