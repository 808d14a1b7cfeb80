package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"stump/internal/hint"
)

// strict makes every command line that can't be meant wrong usage, in cmd and
// in all commands below it. Cobra by itself ends with the same status whatever
// is wrong, and with 0 when a command is left out.
func strict(cmd *cobra.Command) {
	cmd.Args = checkedArgs(cmd.Args)
	if cmd.HasParent() && cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.DisableFlagsInUseLine = true
		cmd.RunE = func(c *cobra.Command, _ []string) error {
			return usageError{hint.Errorf("add one of "+strings.Join(names(c), ", "), "`%s` is not a whole command", c.CommandPath())}
		}
	}
	// Cobra checks the flags after this, and would not call it wrong usage.
	cmd.PreRunE = func(c *cobra.Command, _ []string) error {
		err := c.ValidateRequiredFlags()
		if err == nil {
			err = c.ValidateFlagGroups()
		}
		if err != nil {
			return usageError{hint.Wrap(err, "see `"+c.CommandPath()+" --help`")}
		}
		return nil
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}

// checkedArgs makes wrong arguments and unknown commands wrong usage. No
// argument of any command can be empty: a script's variable was.
func checkedArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		usage := "usage: " + c.UseLine()
		switch {
		case len(args) > 0 && c.HasSubCommands():
			return unknownCommand(c, args[0])
		case slices.Contains(args, ""):
			return usageError{hint.Errorf(usage, "an argument is empty")}
		case emptyFlag(c) != "":
			return usageError{hint.Errorf("leave it out, or give it a value", "--%s is empty", emptyFlag(c))}
		case check == nil:
			return nil
		}
		if err := check(c, args); err != nil {
			return usageError{wrongCount(c, args, usage)}
		}
		return nil
	}
}

// emptyFlag is a flag that was given an empty value and would then mean nothing:
// any daemon instead of this one, everybody instead of one person.
func emptyFlag(c *cobra.Command) (name string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "config", "state", "socket", "person", "device", "since":
			if f.Value.String() == "" {
				name = f.Name
			}
		}
	})
	return name
}

// wrongCount says which arguments are missing or too many.
func wrongCount(c *cobra.Command, args []string, usage string) error {
	var wanted []string
	for _, w := range strings.Fields(c.Use)[1:] {
		if !strings.HasPrefix(w, "[") {
			wanted = append(wanted, w)
		}
	}
	switch missing := wanted[min(len(args), len(wanted)):]; len(missing) {
	case 0:
	case 1:
		return hint.Errorf(usage, "%s is missing", missing[0])
	default:
		return hint.Errorf(usage, "%s are missing", strings.Join(missing, " and "))
	}
	if len(wanted) > 0 {
		usage = "write a name that has spaces in quotes; " + usage
	}
	return hint.Errorf(usage, "%q is one argument too many", args[min(len(wanted), len(args)-1)])
}

func unknownCommand(c *cobra.Command, word string) error {
	remedy := "see `" + c.CommandPath() + " --help`"
	near := hint.Nearest(word, names(c))
	for _, sub := range c.Commands() {
		if slices.Contains(sub.SuggestFor, word) {
			near = sub.Name()
		}
	}
	if near == "" && c.HasParent() {
		remedy = "use one of " + strings.Join(names(c), ", ")
	}
	if near != "" {
		remedy = fmt.Sprintf("did you mean `%s %s`?", c.CommandPath(), near)
	}
	return usageError{hint.Errorf(remedy, "%q is no command of `%s`", word, c.CommandPath())}
}

// names are the commands below c.
func names(c *cobra.Command) []string {
	var list []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			list = append(list, sub.Name())
		}
	}
	return list
}

func helpCmd() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Explain a command",
		RunE: func(cmd *cobra.Command, args []string) error {
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
		},
	}
}
