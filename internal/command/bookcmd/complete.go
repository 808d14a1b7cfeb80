package bookcmd

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"stump/internal/command"

	"github.com/spf13/cobra"
)

// completeTime is how long somebody who pressed Tab waits for the register.
const completeTime = 2 * time.Second

// Complete lets shells complete the arguments and flags of cmd and of all commands below
// it: what they are is said by the words of use.
func (b *Books) Complete(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(c *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		words := strings.Fields(c.Use)[1:]
		if len(words) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		word := strings.Trim(words[min(len(args), len(words)-1)], "[…]")
		if word == "NAME" { // of what is said before, as in "enroll person NAME"
			before := append([]string{c.Name()}, args...)
			word = strings.ToUpper(before[len(args)])
		}
		return b.offers(c, word, typed)
	}
	for _, name := range []string{"person", "device", "kit"} {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, func(c *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
				return b.offers(c, strings.ToUpper(strings.Replace(name, "kit", "device", 1)), typed)
			})
		}
	}
	for _, sub := range cmd.Commands() {
		b.Complete(sub)
	}
}

// offers are what a word of use may be that begins as typed.
func (b *Books) offers(c *cobra.Command, word, typed string) ([]string, cobra.ShellCompDirective) {
	var all []string
	for kind := range strings.SplitSeq(word, "|") {
		switch kind {
		case "FILE":
			return nil, cobra.ShellCompDirectiveDefault
		case "COMMAND":
			all = append(all, command.Names(c.Root())...)
		case "PERSON", "OLD", "NEW":
			all = append(all, b.known(c, people.list)...)
		case "DEVICE":
			all = append(all, b.known(c, devices.list)...)
		case strings.ToLower(kind): // to be typed as it is, as "all" of "ID|all"
			all = append(all, kind)
		}
	}
	return slices.DeleteFunc(all, func(offer string) bool {
		return len(offer) < len(typed) || !strings.EqualFold(offer[:len(typed)], typed)
	}), cobra.ShellCompDirectiveNoFileComp
}

// known are the ids and names of a list, each with the other as what it means. Where
// nobody can be asked there are none.
func (b *Books) known(c *cobra.Command, of string) (all []string) {
	ctx, stop := context.WithTimeout(c.Context(), completeTime)
	defer stop()
	c.SetContext(ctx)
	_ = b.Stream(c, MayRead, "GET", of, nil, nil, func(rows io.Reader) error {
		for d := json.NewDecoder(rows); ; {
			var row struct{ ID, Name string }
			if err := d.Decode(&row); err != nil {
				return err
			}
			all = append(all, row.ID+"\t"+row.Name)
			if row.Name != "" && row.Name != row.ID {
				all = append(all, row.Name+"\t"+row.ID)
			}
		}
	})
	return all
}
