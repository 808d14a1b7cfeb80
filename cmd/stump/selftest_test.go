package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"stump/hw/selftest"
	"stump/internal/api"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/command/bookcmd"
	"stump/internal/station"
)

// lamp is an output that is always on.
type lamp struct{}

func (lamp) Set(bool) error { return nil }
func (lamp) String() string { return "GPIO5" }
func (lamp) Close() error   { return nil }

// TestSelfTestAnswers: the command types what the person answers; without an answer it ends
// the self-test.
func TestSelfTestAnswers(t *testing.T) {
	server := api.NewServer(api.Options{SelfTest: func(string, station.Holder) (*selftest.Env, error) {
		return &selftest.Env{Simulated: true, Outputs: []selftest.Lamp{{Name: "green light", Out: lamp{}}, {Name: "beeper", Out: lamp{}}}}, nil
	}})
	for _, tt := range []struct{ typed, want string }{
		{"y\n yes \n", `PASS  outputs      green light, beeper seen or heard`},
		{"y\nn\n", `FAIL  outputs      the beeper did not come on`},
		{"y\n\n", `FAIL  outputs      the beeper did not come on`},
		{"y\n", ""},
	} {
		var out, stderr bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		cmd.SetErr(&stderr)
		c := client.Local(server)
		s := &testSession{cmd: cmd, client: c, typed: bufio.NewReader(strings.NewReader(tt.typed))}
		s.printer.Columns = 80
		var test wire.SelfTest
		err := bookcmd.FollowTill(context.Background(), c, "selftest", wire.NewSelfTest{Ask: true}, &test, s.event)
		if (tt.want == "") != (err != nil && err.Error() == "no answer: EOF") || !strings.Contains(out.String(), tt.want) || (tt.want == "") != (test.Summary == nil) {
			t.Errorf("%q: %v, %+v\n%s", tt.typed, err, test.Summary, &out)
		}
		if !strings.Contains(stderr.String(), "  ?   Is the reader's beeper on now? [y/n] ") {
			t.Errorf("%q: %s", tt.typed, &stderr)
		}
		leases, err := c.Stream(context.Background(), "GET", "leases", nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if left, err := io.ReadAll(leases); err != nil || len(left) > 0 {
			t.Errorf("%q: it goes on: %s %v", tt.typed, left, err)
		}
		leases.Close()
	}
}
