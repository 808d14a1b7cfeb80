// Package man writes the manual pages of a command line: one of the program, and one of
// each of its commands with all that is below it. A program is built with it under the
// tag man alone, so that no page is in what boards run.
package man

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Program is what the pages of a command line have in common.
type Program struct {
	Root    *cobra.Command
	Version string      // at the foot of each page
	Files   [][2]string // paths, and what they are
	See     []string    // further pages, as "stump.toml(5)"
}

// Write writes all pages into a folder, which must exist.
func (p Program) Write(dir string) error {
	pages := map[string]string{p.Root.Name() + ".1": p.whole()}
	for _, c := range visible(p.Root) {
		pages[pageName(c)+".1"] = p.command(c)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// File is the page of a file's form, section 5: what the file is, and an example of it.
func (p Program) File(name, short, text, example string) string {
	var w page
	w.head(name, 5, short, p)
	w.section("DESCRIPTION")
	w.prose(text)
	w.section("EXAMPLE")
	w.asIs(example)
	w.section("SEE ALSO")
	w.see(p.Root.Name() + "(1)")
	return w.String()
}

func pageName(c *cobra.Command) string { return strings.ReplaceAll(c.CommandPath(), " ", "-") }

// visible are the commands below c that people type.
func visible(c *cobra.Command) (all []*cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			all = append(all, sub)
		}
	}
	return all
}

// whole is the page of the program.
func (p Program) whole() string {
	var w page
	w.head(p.Root.Name(), 1, p.Root.Short, p)
	w.section("SYNOPSIS")
	w.line(".B " + escape(p.Root.Name()) + "\n.I command\n[\\fIarguments\\fR] [\\fIflags\\fR]")
	w.section("DESCRIPTION")
	w.prose(about(p.Root))
	w.section("COMMANDS")
	see := p.See
	for _, c := range visible(p.Root) {
		w.item(pageName(c)+"(1)", c.Short+".")
		see = append(see, pageName(c)+"(1)")
	}
	w.section("OPTIONS")
	w.flags(p.Root.Flags())
	w.flags(p.Root.PersistentFlags())
	w.exit()
	if len(p.Files) > 0 {
		w.section("FILES")
		for _, f := range p.Files {
			w.item(f[0], f[1])
		}
	}
	w.section("SEE ALSO")
	w.see(see...)
	return w.String()
}

// command is the page of a command and of all below it.
func (p Program) command(c *cobra.Command) string {
	var w page
	w.head(pageName(c), 1, c.Short, p)
	w.section("SYNOPSIS")
	w.synopsis(c)
	w.section("DESCRIPTION")
	w.prose(about(c))
	var options page
	options.flags(c.LocalFlags())
	if options.Len() > 0 {
		w.section("OPTIONS")
		w.WriteString(options.String())
	}
	if len(visible(c)) > 0 {
		w.section("COMMANDS")
		w.below(c)
	}
	w.section("GLOBAL OPTIONS")
	w.flags(p.Root.PersistentFlags())
	w.exit()
	w.section("SEE ALSO")
	w.see(append([]string{p.Root.Name() + "(1)"}, p.See...)...)
	return w.String()
}

// about is what a command does.
func about(c *cobra.Command) string {
	if c.Long != "" {
		return c.Long
	}
	return c.Short + "."
}

// page is a page in the man macros of roff.
type page struct{ strings.Builder }

func (w *page) line(s string)       { w.WriteString(s + "\n") }
func (w *page) section(name string) { w.line(".SH " + name) }

func (w *page) head(name string, section int, short string, p Program) {
	w.line(fmt.Sprintf(`.TH "%s" %d "" "%s" "%s"`, escape(strings.ToUpper(name)), section, escape(p.Root.Name()+" "+p.Version), escape(p.Root.Name())))
	w.line(".ad l\n.nh") // as in a terminal: words are neither spread nor parted
	w.section("NAME")
	w.line(escape(name) + ` \- ` + escape(strings.ToLower(short[:1])+short[1:]))
}

// synopsis is the line that is typed of a command, or of each below it.
func (w *page) synopsis(c *cobra.Command) {
	// A group that only has commands below it says so by a line without flags.
	if group := !c.Runnable() || c.HasSubCommands() && c.DisableFlagsInUseLine; !group {
		w.line(".B " + escape(c.UseLine()) + "\n.br")
	}
	for _, sub := range visible(c) {
		w.synopsis(sub)
	}
}

// below describes the commands below c.
func (w *page) below(c *cobra.Command) {
	for _, sub := range visible(c) {
		w.line(".SS " + escape(strings.TrimSuffix(sub.UseLine(), " [flags]")))
		w.prose(about(sub))
		w.flags(sub.LocalNonPersistentFlags())
		w.below(sub)
	}
}

// flags lists flags, but for --help, which each command has.
func (w *page) flags(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		value, usage := pflag.UnquoteUsage(f)
		if value != "" {
			name += " " + value
		}
		if d := f.DefValue; d != "" && d != "false" && d != "0" && d != "0s" && d != "[]" {
			usage += " (default " + d + ")"
		}
		w.item(name, usage)
	})
}

func (w *page) exit() {
	w.section("EXIT STATUS")
	w.line("0: done. 1: failed. 2: wrong usage. What else a command ends with is in its description.")
}

func (w *page) item(what, text string) {
	w.line(".TP\n.B " + escape(what) + "\n" + escape(text))
}

func (w *page) see(pages ...string) {
	for i, p := range pages {
		name, section, _ := strings.Cut(p, "(")
		end := ","
		if i == len(pages)-1 {
			end = ""
		}
		w.line(".BR " + escape(name) + " (" + section + end)
	}
}

// prose is text in paragraphs; lines that are indented stay as they are.
func (w *page) prose(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			w.line(".PP")
		}
		if strings.HasPrefix(paragraph, " ") || strings.Contains(paragraph, "\n ") {
			w.asIs(paragraph)
			continue
		}
		w.line(escape(paragraph))
	}
}

func (w *page) asIs(text string) {
	w.line(".nf\n" + escape(strings.TrimRight(text, "\n")) + "\n.fi")
}

var special = strings.NewReplacer(`\`, `\e`, "-", `\-`, "~", `\(ti`, "^", `\(ha`, "`", `\(ga`, "'", `\(aq`, `"`, `\(dq`)

// escape writes text so that roff prints it as it is.
func escape(text string) string {
	lines := strings.Split(special.Replace(text), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}
