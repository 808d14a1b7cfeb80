package command

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCellWidth(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "Ann": 3, "李雷": 4, "김민준": 6, "ｱﾝ": 2, "アン": 4, "Zoe\u0308": 3, "Zoë": 3, "💡": 2, "👩‍🚀 Ann": 6, "–": 1, "…": 1, "محمد": 4, "\u202eabc": 3,
	} {
		if got := cellWidth(s); got != want {
			t.Errorf("%q takes %d columns, want %d", s, got, want)
		}
	}
}

func TestTableColumns(t *testing.T) {
	rows := [][]string{
		{"DEVICE", "PERSON", "SINCE"},
		{"iPad", "李雷", "10:00"},
		{"Füller №5 💡", "👩‍🚀 Ann", "11:00"},
		{"x", "김민준", ""},
	}
	want := "DEVICE        PERSON  SINCE\n" +
		"iPad          李雷    10:00\n" +
		"Füller №5 💡  👩‍🚀 Ann  11:00\n" +
		"x             김민준\n"
	if got := tableOf(t, 0, rows...); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func tableOf(t *testing.T, limit int, rows ...[]string) string {
	t.Helper()
	var b bytes.Buffer
	tab := &Table{w: &b, limit: limit}
	for _, r := range rows {
		if err := tab.Add(r); err != nil {
			t.Fatal(err)
		}
		if len(tab.rows) > tableBlock {
			t.Fatalf("%d rows are kept", len(tab.rows))
		}
	}
	if err := tab.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestNarrowTable: on a terminal a table is cut to its width, in long names and
// notes only.
func TestNarrowTable(t *testing.T) {
	got := tableOf(t, 45, []string{"SEQ", "DEVICE", "PERSON"}, []string{"1", strings.Repeat("long ", 20), "Ann Okafor"}, []string{"2", strings.Repeat("李", 50), "Ben"})
	for line := range strings.Lines(got) {
		if n := cellWidth(strings.TrimSuffix(line, "\n")); n > 45 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if !strings.Contains(got, "…  Ann Okafor\n") || !strings.Contains(got, "李…") {
		t.Errorf("got\n%s", got)
	}
	for _, tt := range []struct {
		widths []int
		limit  int
		whole  int
		want   []int
	}{
		{[]int{3, 30, 18}, 0, 0, []int{3, 30, 18}},
		{[]int{3, 30, 18}, 55, 0, []int{3, 30, 18}},
		{[]int{3, 30, 18}, 50, 0, []int{3, 25, 18}},
		{[]int{3, 30, 18}, 10, 0, []int{3, 20, 18}},
		{[]int{40, 30}, 55, 0, []int{26, 27}},
		{[]int{40, 30}, 65, 1, []int{40, 23}},
		{[]int{30}, 10, 1, []int{30}},
	} {
		if got := fitColumns(slices.Clone(tt.widths), tt.limit, tt.whole); !slices.Equal(got, tt.want) {
			t.Errorf("%v in %d: %v, want %v", tt.widths, tt.limit, got, tt.want)
		}
	}
}

// TestLongTable goes on in blocks, whose columns stay in line.
func TestLongTable(t *testing.T) {
	var rows [][]string
	for i := range 2*tableBlock + 10 {
		rows = append(rows, []string{fmt.Sprint(i), "x", "y"})
	}
	lines := strings.Split(tableOf(t, 0, rows...), "\n")
	if len(lines) != 2*tableBlock+11 || lines[0] != "0    x  y" || lines[2*tableBlock] != "2000  x  y" {
		t.Errorf("%d lines, the first %q, the 2,001st %q", len(lines), lines[0], lines[2*tableBlock])
	}
}

// A time that is not known is said by what is: that it was before another.
func TestWhenBefore(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.Local)
	wrong, today, monday := time.Unix(0, 0), now.Add(-168*time.Minute), now.Add(-5*24*time.Hour)
	for _, c := range []struct {
		trusted bool
		before  *time.Time
		want    string
	}{
		{false, &today, "before 09:12"},
		{false, &monday, "before 2026-11-16 12:00"},
		{false, nil, wrong.Local().Format("2006-01-02 15:04") + " ?"},
		{true, nil, wrong.Local().Format("2006-01-02 15:04")},
	} {
		if got := WhenBefore(&wrong, c.trusted, c.before, now); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
