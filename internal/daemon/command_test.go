package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func shell(t *testing.T, limit time.Duration, script string) (string, error) {
	t.Helper()
	return runCommand(t.Context(), []string{"sh", "-c", script}, limit)
}

func TestRunCommand(t *testing.T) {
	for script, want := range map[string]string{
		"echo done; echo aside >&2": "done\naside",
		"cat":                       "", // no input
		"pwd":                       "/",
		`printf '\033[31mred\033[0m \033]0;title\007on\a'`: "red on",
		`printf 'one\rtwo\000three\377'`:                   "one two three?",
		"echo background; sleep 100 &":                     "background",
	} {
		begin := time.Now()
		out, err := shell(t, time.Minute, script)
		if err != nil || out != want || time.Since(begin) > 30*time.Second {
			t.Errorf("%s: %q, %v after %v; want %q", script, out, err, time.Since(begin), want)
		}
	}
	out, err := shell(t, time.Minute, "echo the disk is full >&2; exit 7")
	if err == nil || err.Error() != "exit status 7" || out != "the disk is full" {
		t.Errorf("a failure: %q, %v", out, err)
	}
	if _, err := runCommand(t.Context(), []string{"no-such-command-here"}, time.Minute); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("no command: %v", err)
	}
}

// TestRunCommandIsAlone: it has no file of ours open and none of our environment.
func TestRunCommandIsAlone(t *testing.T) {
	t.Setenv("STUMP_SECRET", "1234")
	t.Setenv("LANG", "C.UTF-8")
	// As a shell hands files on, without close-on-exec.
	file, err := os.Create(filepath.Join(t.TempDir(), "inherited"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	out, err := shell(t, time.Minute, `env | grep -v '^\(PATH\|HOME\|LANG\|PWD\|OLDPWD\|SHLVL\|_\)='; ls -l /proc/self/fd | grep -v ' /proc'`)
	if strings.Contains(out, "SECRET") || strings.Contains(out, "inherited") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = shell(t, time.Minute, `echo "$LANG $HOME"; ps -o sid= -o pid= -p $$`)
	fields := strings.Fields(strings.TrimPrefix(out, "C.UTF-8 "+os.Getenv("HOME")))
	if err != nil || len(fields) != 2 || fields[0] != fields[1] {
		t.Errorf("not in a session of its own: %v %q", err, out)
	}
}

// TestRunCommandHangs kills what hangs, with all that it has started.
func TestRunCommandHangs(t *testing.T) {
	alive := filepath.Join(t.TempDir(), "alive")
	script := `trap '' TERM INT; (while :; do echo x >>"` + alive + `"; sleep 0.05; done) & wait; sleep 100`
	begin := time.Now()
	_, err := shell(t, 500*time.Millisecond, script)
	if err == nil || err.Error() != "it was killed after 500ms" || time.Since(begin) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	size := func() int64 {
		st, err := os.Stat(alive)
		if err != nil {
			t.Fatal(err)
		}
		return st.Size()
	}
	before := size()
	time.Sleep(300 * time.Millisecond)
	if size() != before {
		t.Error("what it had started still runs")
	}
}

// TestRunCommandIsLoud keeps the end of a megabyte.
func TestRunCommandIsLoud(t *testing.T) {
	out, err := shell(t, time.Minute, `yes "so many words" | head -c 1000000; echo; echo the end`)
	if err != nil || len(out) > tailSize+10 || !strings.HasPrefix(out, "… ") || !strings.HasSuffix(out, "\nthe end") {
		t.Errorf("%d bytes, %v: %.40q … %.40q", len(out), err, out, out[max(0, len(out)-40):])
	}
}
