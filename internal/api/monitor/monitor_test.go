package monitor

import "testing"

func TestRow(t *testing.T) {
	p := &page{}
	p.gauge("stump_a", "A.", 1.5, "name", "a \"b\"\\\n")
	p.gauge("stump_a", "A.", 1e9, "name", "c", "more", "")
	p.counter("stump_b", "B.", 0)
	want := "# HELP stump_a A.\n# TYPE stump_a gauge\nstump_a{name=\"a \\\"b\\\"\\\\\\n\"} 1.5\nstump_a{name=\"c\",more=\"\"} 1e+09\n" +
		"# HELP stump_b B.\n# TYPE stump_b counter\nstump_b 0\n"
	if got := p.b.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
