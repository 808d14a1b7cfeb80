//go:build services

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/hub"
	"stump/internal/hub/hubtest"
	"stump/internal/hub/pgtest"
	"stump/internal/lab/wire"
	"stump/internal/sitekey"
)

func TestMain(m *testing.M) {
	if os.Getenv("STUMP_HUB_TEST") != "" {
		os.Exit(Main()) // a hub that is a process of its own
	}
	pgtest.Main(m)
}

// shell runs commands with a configuration.
type shell struct {
	testing.TB
	file string
}

// hub runs a command, and returns its exit status and its output.
func (x *shell) hub(args ...string) (int, string, string) {
	x.Helper()
	var out, errs bytes.Buffer
	cmd := root()
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(append([]string{"--config", x.file}, args...))
	status := report(&errs, cmd.ExecuteContext(x.Context()))
	return status, out.String(), errs.String()
}

// does wants a command to work.
func (x *shell) does(args ...string) string {
	x.Helper()
	status, out, errs := x.hub(args...)
	if status != 0 {
		x.Fatalf("%v: %d\n%s", args, status, errs)
	}
	return out
}

// fails wants a command to say what is wrong, and what to do.
func (x *shell) fails(status int, want, remedy string, args ...string) {
	x.Helper()
	got, _, errs := x.hub(args...)
	lines := strings.Split(strings.TrimRight(errs, "\n"), "\n")
	if got != status || len(lines) != 2 || !strings.HasPrefix(lines[0], "stump-hub: ") || !strings.Contains(lines[0], want) || !strings.Contains(lines[1], remedy) {
		x.Errorf("%v: %d\n%s\nwant %d, %q and %q", args, got, errs, status, want, remedy)
	}
}

func (x *shell) ok(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// pinned asks a hub that is known by its pin.
func pinned(pin []byte) *http.Client {
	check := func(raw [][]byte, _ [][]*x509.Certificate) error {
		cert, err := x509.ParseCertificate(raw[0])
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo); !bytes.Equal(sum[:], pin) {
			return fmt.Errorf("another hub answers")
		}
		return nil
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: check}}}
}

// freeAddr is an address that nobody listens at.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestHub is a lab from its beginning, as an admin and two stations see it.
func TestHub(t *testing.T) {
	addr := freeAddr(t)
	x := &shell{t, filepath.Join(t.TempDir(), "stump-hub.toml")}
	x.fails(1, "there is no configuration", "docs/hub.md", "run")
	x.ok(os.WriteFile(x.file, []byte("[database]\nulr = 1\n"), 0o600))
	x.fails(1, "database.ulr", "known are", "check")
	x.ok(os.WriteFile(x.file, []byte("[database]\nurl = \"postgres:///x?host=/nowhere\"\n"), 0o600))
	x.fails(1, "can't be reached", "is PostgreSQL running", "check")
	x.fails(2, "one argument too many", "usage", "check", "all")
	url := pgtest.Shared(t).Database(t, func(string) error { return nil })
	config := fmt.Sprintf("[database]\nurl = %q\n[web]\nlisten = %q\nurl = \"https://%s\"\n[hub]\nname = \"berlin\"\n", url, addr, addr)
	x.ok(os.WriteFile(x.file, []byte(config), 0o600))
	x.fails(1, "the tables of the database are not those", "stump-hub setup", "check")
	x.fails(1, "the tables of the database are not those", "stump-hub setup", "run")
	if out := x.does("setup"); !strings.Contains(out, "the tables were made") || !strings.Contains(out, "berlin") {
		t.Errorf("setup: %s", out)
	}
	if out := x.does("setup"); !strings.Contains(out, "are those of this version") {
		t.Errorf("setup, again: %s", out)
	}
	x.does("migrate")
	x.fails(1, `no lab "paris"`, "stump-hub setup", "join-code", "--lab", "paris")

	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	cfg, err := hub.LoadConfig(x.file)
	x.ok(err)
	go func() { ended <- serve(ctx, &cfg, slog.New(slog.DiscardHandler)) }()
	defer func() { stop(); x.ok(<-ended) }()

	north, south := x.join("north"), x.join("south")
	b := hubtest.New("north", time.Now())
	took := b.Bump("ipad", "ann", "", checkout.Place{})
	b.Bump("pixel", "ben", "", checkout.Place{})
	p := b.Next(0, 0)
	p.Patches = []wire.Patch{{Kind: "device", ID: "ipad", Fields: map[string]string{"name": "The iPad"}}, {Kind: "person", ID: "ann", Fields: map[string]string{"name": "Ann Okafor"}}}
	north.asks("POST", wire.PathAppend, p)
	c := hubtest.New("south", time.Now())
	c.Bump("ipad", "ann", "", checkout.Place{}) // did not know, and so she has probably brought it back
	south.asks("POST", wire.PathAppend, c.Next(0, 0))

	var who []map[string]any
	x.lines(x.does("who", "--json"), &who)
	if len(who) != 2 || who[0]["device"] != "The iPad" || who[0]["person"] != "Ann Okafor" || who[0]["station"] != "south" || who[0]["doubtful"] != true || who[1]["device_id"] != "pixel" || len(who[0]) != 12 {
		t.Errorf("who: %v", who)
	}
	if out := x.does("who"); !strings.Contains(out, "The iPad") {
		t.Errorf("who: %s", out)
	}
	var conflicts []struct {
		ID           int64
		Kind         string
		DeviceID     string `json:"device_id"`
		Before, Then struct {
			Station string
			Seq     uint64
			Person  string
		}
	}
	x.lines(x.does("conflicts", "--json"), &conflicts)
	if len(conflicts) != 1 || conflicts[0].DeviceID != "ipad" || conflicts[0].Kind != "doubtful" || conflicts[0].Before.Seq != took.Seq || conflicts[0].Before.Station != "north" || conflicts[0].Then.Station != "south" {
		t.Errorf("conflicts: %+v", conflicts)
	}
	if out := x.does("conflicts"); !strings.Contains(out, "checkout ann's name at north") {
		t.Errorf("conflicts: %s", out)
	}
	var past []map[string]any
	x.lines(x.does("history", "--device", "The iPad", "--json"), &past)
	if len(past) != 2 || past[0]["station"] != "north" || past[1]["station"] != "south" || past[0]["kind"] != "checkout" || past[0]["person_id"] != "ann" || len(past[0]) != 17 {
		t.Errorf("history: %v", past)
	}
	if out := x.does("history", "--person", "ann"); strings.Count(out, "\n") != 3 || strings.Contains(out, "pixel") {
		t.Errorf("history of ann:\n%s", out)
	}
	x.fails(1, `device "toaster": not in the register`, "", "history", "--device", "toaster")
	x.fails(2, "is no time", "write it as", "history", "--since", "soon")
	id := fmt.Sprint(conflicts[0].ID)
	x.does("conflicts", "accept", id)
	if out := x.does("conflicts"); out != "there are none\n" {
		t.Errorf("conflicts that are left: %s", out)
	}
	x.lines(x.does("who", "--json"), &who)
	if who[0]["doubtful"] != false {
		t.Errorf("who, after it was accepted: %v", who)
	}
	var changed wire.Changes
	x.ok(json.Unmarshal(south.asks("GET", wire.PathChanges+"?epoch=0&since=0", nil), &changed))
	if last := changed.Loans[len(changed.Loans)-1]; last.Device != "ipad" || last.Doubtful {
		t.Errorf("stations get %+v", changed.Loans)
	}
	x.fails(1, "there is no conflict "+id, "stump-hub conflicts", "conflicts", "accept", id)
	x.fails(2, "is no ID", "stump-hub conflicts", "conflicts", "accept", "all")
	x.fails(2, "ID is missing", "usage", "conflicts", "accept")
	var stations []struct {
		Name, Version string
		Heard         time.Time `json:"last_heard"`
		Lag           uint64
		Office        bool
	}
	x.lines(x.does("stations", "--json"), &stations)
	if len(stations) != 3 || !stations[0].Office || stations[1].Name != "north" || stations[1].Office || stations[1].Version != "1" || time.Since(stations[1].Heard) > time.Minute || stations[1].Lag != 4 {
		t.Errorf("stations: %+v", stations)
	}
	if out := x.does("stations"); !strings.Contains(out, "an office of the hub") {
		t.Errorf("stations:\n%s", out)
	}
	if out := x.does("check"); !regexp.MustCompile(`(?s)configuration +right\ndatabase +PostgreSQL .*\ntables +version \d+\nlabs +1, with 3 stations\ncertificate +made here.*\nsite key +there\n`).MatchString(out) {
		t.Errorf("check: %s", out)
	}
	if out := x.does("version"); !strings.HasPrefix(out, "stump-hub ") {
		t.Error(out)
	}
}

// lines reads an object a line.
func (x *shell) lines(text string, into any) {
	x.Helper()
	x.ok(json.Unmarshal([]byte("["+strings.ReplaceAll(strings.TrimSpace(text), "\n", ",")+"]"), into))
}

// caller is a station that has joined.
type caller struct {
	*shell
	code  wire.Code
	token string
}

// join lets a station join with a code that is printed.
func (x *shell) join(name string) *caller {
	x.Helper()
	words := strings.Fields(x.does("join-code"))
	code, err := wire.ParseCode(words[len(words)-1])
	x.ok(err)
	c := &caller{x, code, code.Bearer()}
	var joined wire.Joined
	x.ok(json.Unmarshal(c.asks("POST", wire.PathJoin, wire.Join{Name: name, Version: "1", Key: code.Seal(sitekey.New())}), &joined))
	c.token = joined.Token
	return c
}

func (c *caller) asks(method, path string, body any) []byte {
	c.Helper()
	raw, err := json.Marshal(body)
	c.ok(err)
	var got *http.Response
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequest(method, c.code.URL+path, bytes.NewReader(raw))
		c.ok(err)
		req.Header.Set("Authorization", "Bearer "+c.token)
		if got, err = pinned(c.code.Pin).Do(req); err == nil {
			break
		}
		if time.Now().After(end) {
			c.Fatal(err)
		}
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	c.ok(err)
	if got.StatusCode != http.StatusOK {
		c.Fatalf("%s %s: %d %s", method, path, got.StatusCode, b)
	}
	return b
}
