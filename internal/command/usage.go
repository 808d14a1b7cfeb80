// Package command is what the command lines of all programs have in common: strict
// arguments, errors of two lines, tables for people, JSON and CSV for programs.
package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stump/internal/hint"
)

// New returns a command. Its arguments are the words of use after the first:
// [X] may be left out, [X…] repeated.
func New(use, short string, run func(*cobra.Command, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, RunE: run}
}

// UsageError is a command line that is wrong: exit status 2.
type UsageError struct{ Err error }

func (u UsageError) Error() string { return u.Err.Error() }

func (u UsageError) Unwrap() error { return u.Err }

// Misuse says what is wrong with a command line, and what to do.
func Misuse(remedy, format string, args ...any) error {
	return UsageError{Err: hint.Errorf(remedy, format, args...)}
}

// Strict checks the command lines of cmd and of all commands below it. Cobra's own
// errors have another exit status, and a command that is left out is no error to it.
func Strict(cmd *cobra.Command) {
	cmd.Args = checkArgs
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.DisableFlagsInUseLine = true
		cmd.RunE = func(c *cobra.Command, _ []string) error {
			return Misuse("add one of "+strings.Join(Names(c), ", "), "`%s` is not a whole command", c.CommandPath())
		}
	}
	for _, sub := range cmd.Commands() {
		Strict(sub)
	}
}

// checkArgs refuses unknown commands, and arguments that are empty, missing or too
// many.
func checkArgs(c *cobra.Command, args []string) error {
	usage := "usage: " + c.UseLine()
	var wanted []string
	most := 0
	for _, word := range strings.Fields(c.Use)[1:] {
		most++
		if !strings.HasPrefix(word, "[") {
			wanted = append(wanted, word)
		} else if strings.HasSuffix(word, "…]") {
			most = len(args)
		}
	}
	switch missing := wanted[min(len(args), len(wanted)):]; {
	case len(args) > 0 && c.HasSubCommands():
		return unknownCommand(c, args[0])
	case slices.Contains(args, ""):
		return Misuse(usage, "an argument is empty") // in a script, an unset variable
	case emptyFlag(c) != "":
		return Misuse("leave it out, or give it a value", "--%s is empty", emptyFlag(c))
	case len(missing) == 1:
		return Misuse(usage, "%s is missing", missing[0])
	case len(missing) > 1:
		return Misuse(usage, "%s are missing", strings.Join(missing, " and "))
	case len(args) > most && most > 0:
		return Misuse("write a name that has spaces in quotes; "+usage, "%q is one argument too many", args[most])
	case len(args) > most:
		return Misuse(usage, "%q is one argument too many", args[0])
	}
	return nil
}

// emptyFlag is a flag that was given an empty value. It would then select any daemon
// instead of one, or everybody instead of one person.
func emptyFlag(c *cobra.Command) (name string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains([]string{"config", "state", "socket", "person", "device", "since"}, f.Name) && f.Value.String() == "" {
			name = f.Name
		}
	})
	return name
}

func unknownCommand(c *cobra.Command, word string) error {
	near := hint.Nearest(word, Names(c))
	for _, sub := range c.Commands() {
		if slices.Contains(sub.SuggestFor, word) {
			near = sub.Name()
		}
	}
	remedy := "see `" + c.CommandPath() + " --help`"
	if near != "" {
		remedy = "did you mean `" + c.CommandPath() + " " + near + "`?"
	} else if c.HasParent() {
		remedy = "use one of " + strings.Join(Names(c), ", ")
	}
	return Misuse(remedy, "%q is not a command of `%s`", word, c.CommandPath())
}

// Names are the commands below c.
func Names(c *cobra.Command) []string {
	var list []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			list = append(list, sub.Name())
		}
	}
	return list
}

// Help is the command that explains the others.
func Help() *cobra.Command {
	return New("help [COMMAND…]", "Explain a command", func(cmd *cobra.Command, args []string) error {
		c := cmd.Root()
		for _, word := range args {
			i := slices.IndexFunc(c.Commands(), func(sub *cobra.Command) bool { return sub.Name() == word })
			if i < 0 {
				return unknownCommand(c, word)
			}
			c = c.Commands()[i]
		}
		c.InitDefaultHelpFlag()
		return c.Help()
	})
}
