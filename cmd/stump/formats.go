package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"stump/internal/command"
	"stump/internal/config"
	"stump/wiegand"
)

func formatsCmd(g *globals) *cobra.Command {
	var asJSON bool
	cmd := command.New("formats [NAME]", "List card formats, or show one", func(cmd *cobra.Command, args []string) error {
		cfg, err := config.Load(g.config)
		if err != nil {
			return err
		}
		list := append(slices.Clone(wiegand.Formats()), cfg.OwnFormats()...)
		if len(args) > 0 {
			f, err := cfg.FormatByName(args[0])
			if err != nil {
				return command.Misuse("`stump formats` lists them", "%w", err)
			}
			list = []*wiegand.Format{f}
		}
		enabled := cfg.ReadFormats()
		switch out := cmd.OutOrStdout(); {
		case asJSON:
			return formatsJSON(out, list, enabled)
		case len(args) > 0:
			return showFormat(out, list[0])
		default:
			return formatTable(out, list, enabled)
		}
	})
	cmd.Long = `List the card formats that readers may send, or show where the bits of one are.
A format is confirmed if genuine cards read as they are printed; otherwise its
table is only what was published. Without a check, any frame of that length fits.`
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a format")
	return cmd
}

// formatsJSON prints the contract: a description, and whether a reader takes it.
func formatsJSON(w io.Writer, list, enabled []*wiegand.Format) error {
	enc := json.NewEncoder(w)
	for _, f := range list {
		if err := enc.Encode(struct {
			wiegand.Description
			Enabled bool `json:"enabled"`
		}{f.Describe(), slices.Contains(enabled, f)}); err != nil {
			return err
		}
	}
	return nil
}

func formatTable(w io.Writer, list, enabled []*wiegand.Format) error {
	t := command.NewTable(w, []string{"NAME", "BITS", "FACILITY", "NUMBER", "CHECKS", "PROOF", "ENABLED"})
	for _, f := range list {
		d := f.Describe()
		facility, checks, on := "–", "none", ""
		if d.Facility != nil {
			facility = fmt.Sprint("to ", *d.Facility)
		}
		if f.Checked() {
			checks = "yes"
		}
		if slices.Contains(enabled, f) {
			on = "yes"
		}
		if err := t.Add([]string{d.Name, fmt.Sprint(d.Bits), facility, fmt.Sprint("to ", d.Number), checks, d.Proof, on}); err != nil {
			return err
		}
	}
	return t.Flush()
}

func showFormat(w io.Writer, f *wiegand.Format) error {
	d := f.Describe()
	row := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%-9s %s\n", key, value)
		}
	}
	row("name", d.Name)
	row("bits", fmt.Sprint(d.Bits))
	row("layout", d.Layout)
	row("", "P parity, F facility, N number, I issue, O OEM, 0 1 fixed, X checksum, . unassigned; the first bit sent first")
	if d.Facility != nil {
		row("facility", fmt.Sprint("0 to ", *d.Facility))
	}
	row("number", fmt.Sprint("0 to ", d.Number))
	row("checks", orText(d.Checks, "none: any frame of this length fits"))
	row("proof", d.Proof)
	row("cards", orText(d.Cards, "no genuine card is known here that it was tried with"))
	row("source", d.Source)
	row("doubt", orText(d.Doubt, ""))
	return nil
}

// orText is a value, or what stands in its place.
func orText(s *string, none string) string {
	if s == nil {
		return none
	}
	return *s
}
