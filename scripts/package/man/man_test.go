package man

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// lamp is a program with a command, a group of commands, and one that nobody is told of.
func lamp() Program {
	run := func(*cobra.Command, []string) error { return nil }
	root := &cobra.Command{Use: "lamp", Short: "Light a lamp", RunE: run}
	root.PersistentFlags().String("socket", "", "the lamp at this `socket`")
	on := &cobra.Command{Use: "on COLOUR", Short: "Switch it on", RunE: run}
	on.Long = "Switch it on.\n.dots and 'quotes' and a\\slash stay.\n\n    as it   is\n\nThe end."
	on.Flags().IntP("watts", "w", 40, "this many `watts`")
	on.Flags().Bool("dim", false, "half of it")
	on.Flags().Bool("secret", false, "")
	_ = on.Flags().MarkHidden("secret")
	group := &cobra.Command{Use: "bulb", Short: "The bulbs", RunE: run, DisableFlagsInUseLine: true}
	group.AddCommand(&cobra.Command{Use: "change NAME", Short: "Take another", RunE: run})
	root.AddCommand(on, group, &cobra.Command{Use: "inner", Hidden: true, RunE: run})
	return Program{Root: root, Version: "1.2", See: []string{"lamp.toml(5)"}, Files: [][2]string{{"/etc/lamp-post", "Where it stands."}}}
}

func TestPages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := lamp().Write(dir); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"lamp.1": `.TH "LAMP" 1 "" "lamp 1.2" "lamp"
.ad l
.nh
.SH NAME
lamp \- light a lamp
.SH SYNOPSIS
.B lamp
.I command
[\fIarguments\fR] [\fIflags\fR]
.SH DESCRIPTION
Light a lamp.
.SH COMMANDS
.TP
.B lamp\-bulb(1)
The bulbs.
.TP
.B lamp\-on(1)
Switch it on.
.SH OPTIONS
.TP
.B \-\-socket socket
the lamp at this socket
.SH EXIT STATUS
0: done. 1: failed. 2: wrong usage. What else a command ends with is in its description.
.SH FILES
.TP
.B /etc/lamp\-post
Where it stands.
.SH SEE ALSO
.BR lamp.toml (5),
.BR lamp\-bulb (1),
.BR lamp\-on (1)
`,
		"lamp-on.1": `.TH "LAMP\-ON" 1 "" "lamp 1.2" "lamp"
.ad l
.nh
.SH NAME
lamp\-on \- switch it on
.SH SYNOPSIS
.B lamp on COLOUR [flags]
.br
.SH DESCRIPTION
Switch it on.
\&.dots and \(aqquotes\(aq and a\eslash stay.
.PP
.nf
    as it   is
.fi
.PP
The end.
.SH OPTIONS
.TP
.B \-\-dim
half of it
.TP
.B \-w, \-\-watts watts
this many watts (default 40)
.SH GLOBAL OPTIONS
.TP
.B \-\-socket socket
the lamp at this socket
.SH EXIT STATUS
0: done. 1: failed. 2: wrong usage. What else a command ends with is in its description.
.SH SEE ALSO
.BR lamp (1),
.BR lamp.toml (5)
`,
		"lamp-bulb.1": `.TH "LAMP\-BULB" 1 "" "lamp 1.2" "lamp"
.ad l
.nh
.SH NAME
lamp\-bulb \- the bulbs
.SH SYNOPSIS
.B lamp bulb change NAME
.br
.SH DESCRIPTION
The bulbs.
.SH COMMANDS
.SS lamp bulb change NAME
Take another.
.SH GLOBAL OPTIONS
.TP
.B \-\-socket socket
the lamp at this socket
.SH EXIT STATUS
0: done. 1: failed. 2: wrong usage. What else a command ends with is in its description.
.SH SEE ALSO
.BR lamp (1),
.BR lamp.toml (5)
`,
	}
	got := map[string]string{}
	files, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got[filepath.Base(f)] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestFilePage(t *testing.T) {
	t.Parallel()
	page := lamp().File("lamp.toml", "What a lamp is", "One key.", "# a comment\ncolour = \"red\"\n")
	for _, want := range []string{
		`.TH "LAMP.TOML" 5 `, "lamp.toml \\- what a lamp is\n", "One key.\n",
		".nf\n# a comment\ncolour = \\(dqred\\(dq\n.fi\n", ".BR lamp (1)\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	if err := lamp().Write(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("no error for a folder that is missing")
	}
}
