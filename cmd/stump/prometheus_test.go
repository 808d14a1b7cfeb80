//go:build services

package main

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stump/internal/testkit"
)

// prometheusTool is the path of a program of Debian's package prometheus.
func prometheusTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	testkit.Need(t, err == nil, name+", of Debian's package prometheus")
	return path
}

// TestFiguresForPromtool: promtool finds nothing wrong with the figures of a station at which
// something has happened, in form or in names.
func TestFiguresForPromtool(t *testing.T) {
	t.Parallel()
	promtool := prometheusTool(t, "promtool")
	s := &site{t: t, dir: t.TempDir()}
	if err := os.WriteFile(s.path("stump.toml"), []byte("station = \"lab-ü\"\n[[webhook]]\nname = \"away\"\nurl = \"http://127.0.0.1:1/\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.station("away")
	s.run("sim", "seed")
	for _, card := range []string{"ann", "ipad", "H10301:200:999", "bits:1010101010101010101010101"} {
		s.run("sim", "tap", card)
	}
	figures := s.figures()
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(figures)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s\nof\n%s", err, out, figures)
	}
	for _, want := range []string{`result="checkout"`, `fault="count"`, `place="away"`} {
		if !strings.Contains(figures, want) {
			t.Errorf("no %s in\n%s", want, figures)
		}
	}
}

// figures are those of the station, asked at its socket.
func (s *site) figures() string {
	s.t.Helper()
	out, err := exec.Command("curl", "--silent", "--fail", "--unix-socket", s.path("sock"), "http://stump/metrics").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return string(out)
}

// TestRules: promtool takes the rules, and plays each alert as it fires and as it does not.
func TestRules(t *testing.T) {
	t.Parallel()
	promtool, dir := prometheusTool(t, "promtool"), t.TempDir()
	for _, file := range []string{"../../docs/monitoring/stump.rules.yml", "testdata/monitoring/alerts.yml"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(readPage(t, file)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check", "rules", "--lint=all", "--lint-fatal", "stump.rules.yml"}, {"test", "rules", "alerts.yml"}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// watcher is a Prometheus that watches a station.
type watcher struct {
	t   *testing.T
	url string
}

// startWatcher starts a Prometheus that is set up as docs/operations.md says, but impatient. It gets
// the station's address, its certificate and a token.
func startWatcher(t *testing.T, address, certificate, token string) watcher {
	t.Helper()
	prometheus, dir := prometheusTool(t, "prometheus"), t.TempDir()
	block := regexp.MustCompile("(?s)```yaml\n(global: .*?)```").FindStringSubmatch(readPage(t, "../../docs/operations.md"))
	if block == nil {
		t.Fatal("docs/operations.md has no configuration of Prometheus")
	}
	config := strings.NewReplacer("30s", "1s", "/etc/prometheus", dir, `"stump.lab.example:8443"`, strconv.Quote(address), "stump.lab.example", "localhost").Replace(block[1])
	rules := regexp.MustCompile(`for: \w+`).ReplaceAllString(readPage(t, "../../docs/monitoring/stump.rules.yml"), "for: 1s")
	for name, text := range map[string]string{"prometheus.yml": config, "stump.rules.yml": rules, "stump-token": token, "stump.pem": certificate} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := watcher{t, "http://" + l.Addr().String()}
	l.Close()
	var says testkit.Log
	cmd := exec.Command(prometheus, "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+l.Addr().String())
	cmd.Stderr = &says
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Prometheus says\n%s", says.String())
		}
	})
	return w
}

// ask asks Prometheus, and reports whether it answers.
func (w watcher) ask(path string, query url.Values, into any) bool {
	resp, err := http.Get(w.url + "/api/v1/" + path + "?" + query.Encode())
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	answer := struct {
		Status string
		Data   any
	}{Data: into}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	return err == nil && answer.Status == "success"
}

// firing are the alerts that fire, each with its summary and remedy.
func (w watcher) firing() map[string]string {
	var got struct {
		Alerts []struct {
			State               string
			Labels, Annotations map[string]string
		}
	}
	w.ask("alerts", nil, &got)
	all := map[string]string{}
	for _, a := range got.Alerts {
		if a.State == "firing" {
			all[strings.TrimSuffix(a.Labels["alertname"]+" "+a.Labels["name"]+a.Labels["place"], " ")] = a.Annotations["summary"] + ": " + a.Annotations["remedy"]
		}
	}
	return all
}

// until waits until just these alerts fire.
func (w watcher) until(what string, want ...string) map[string]string {
	w.t.Helper()
	var got []string
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		firing := w.firing()
		if got = slices.Sorted(maps.Keys(firing)); slices.Equal(got, want) {
			return firing
		}
	}
	w.t.Fatalf("%s: %q fire, want %q", what, got, want)
	return nil
}

// TestStationWatched: a Prometheus by TLS, with a technician's token, sees a station come into
// trouble and out of it again; and it understands all that the dashboard asks.
func TestStationWatched(t *testing.T) {
	t.Parallel()
	place := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s := &site{t: t, dir: t.TempDir()}
	begin := func(also string) {
		config := fmt.Sprintf("station = \"lab\"\n[web]\nlisten = %q\nurl = \"https://localhost:8443\"\n[backup]\nalso = %q\n[[webhook]]\nname = \"hook\"\nurl = %q\n", address, also, place.URL)
		if err := os.WriteFile(s.path("stump.toml"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("stump", "--config", s.path("stump.toml"), "--state", s.path("state"), "--socket", s.path("sock"), "run", "--sim")
		cmd.Env = append(os.Environ(), firstDaily+"=1s")
		s.daemon = startProcess(t, cmd, s.path("sock"))
	}
	begin("")
	s.run("sim", "seed")
	s.run("sim", "tap", "ann")
	s.run("sim", "tap", "ipad")
	words := strings.Fields(s.run("token", "add", "prometheus", "--role", "technician"))
	block, _ := pem.Decode([]byte(readPage(t, s.path("state/web.pem"))))
	w := startWatcher(t, address, string(pem.EncodeToMemory(block)), words[len(words)-1])
	var targets struct {
		ActiveTargets []struct{ Health, LastError string }
	}
	for end := time.Now().Add(60 * time.Second); len(targets.ActiveTargets) != 1 || targets.ActiveTargets[0].Health != "up"; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the station is not scraped: %+v", targets)
		}
		w.ask("targets", nil, &targets)
	}
	s.eventually("a backup is made", func() bool { return strings.Contains(s.figures(), "stump_backup_timestamp_seconds") })
	w.until("all is well")
	w.understands(t)

	s.run("sim", "fault", "no-power")
	said := w.until("a reader without power", "StumpTrouble line-low")
	if want := "line-low at the reader stump of " + address + ": Run `stump status`"; !strings.HasPrefix(said["StumpTrouble line-low"], want) {
		t.Errorf("it says %q, want %q", said, want)
	}
	s.run("sim", "fault", "off")
	w.until("it has power again")

	place.Close()
	s.run("sim", "tap", "ben")
	s.run("sim", "tap", "ipad")
	w.until("a webhook away", "StumpPlaceAway hook")
	_ = s.daemon.cmd.Process.Kill()
	_ = s.daemon.cmd.Wait()
	w.until("the daemon was killed", "StumpDown")
	begin(s.path("state")) // which is on no disk of its own
	w.until("a backup that fails, too", "StumpPlaceAway hook", "StumpTrouble no-backup")
}

// understands asks Prometheus all that the dashboard does. What can only be at a board, with a
// directory or in a lab, or while something is wrong, has no answer.
func (w watcher) understands(t *testing.T) {
	t.Helper()
	elsewhere := regexp.MustCompile("stump_(under_voltage|pull|lab|trouble)|bad_reads")
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(readPage(t, "../../docs/monitoring/grafana.json")), &dashboard); err != nil || len(dashboard.Panels) < 10 {
		t.Fatalf("%d panels, %v", len(dashboard.Panels), err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			query := strings.NewReplacer("$instance", ".*", "$__rate_interval", "1m").Replace(target.Expr)
			var answer struct{ Result []any }
			for end := time.Now().Add(20 * time.Second); len(answer.Result) == 0; time.Sleep(200 * time.Millisecond) {
				if !w.ask("query", url.Values{"query": {query}}, &answer) {
					t.Errorf("%s: Prometheus does not understand %s", p.Title, query)
					break
				}
				if elsewhere.MatchString(query) {
					break
				}
				if time.Now().After(end) {
					t.Errorf("%s: %s has no answer", p.Title, query)
					break
				}
			}
		}
	}
}
