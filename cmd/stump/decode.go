package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/config"
	"stump/internal/hint"
	"stump/wiegand"
)

func decodeCmd(g *globals) *cobra.Command {
	var (
		format, formats, keypad     string
		falling, repairLost, asJSON bool
	)
	cmd := command("decode FILE|-", "Decode recorded edges", func(cmd *cobra.Command, args []string) error {
		cfg, err := config.Load(g.config)
		if err != nil {
			return err
		}
		enabled, err := decodeFormats(formats, cfg)
		if err != nil {
			return err
		}
		keys, err := decodeKeypad(cmd.Flags().Changed("keypad"), keypad, cfg)
		if err != nil {
			return err
		}
		in, err := openInput(cmd, args[0])
		if err != nil {
			return hint.Wrap(err, "name a trace or VCD file, or - for standard input")
		}
		defer in.Close()
		edges, err := edgeReader(format, args[0], bufio.NewReaderSize(in, 1<<16))
		if err != nil {
			return err
		}
		remedy := "a row of a trace is: time in nanoseconds, line 0 or 1, level 0 or 1; # starts a comment"
		if _, vcd := edges.(*wiegand.VCDReader); vcd {
			remedy = "it must be a value change dump with the signals D0 and D1; a trace is read with --format trace"
		}
		if falling {
			edges = fallingOnly{edges}
		}
		d := wiegand.NewDecoder(wiegand.Options{
			Formats: enabled, Accept: cfg.Readers[0].Accept(), BothEdges: !falling, RepairLost: repairLost, Keypad: keys,
		})
		out := bufio.NewWriter(cmd.OutOrStdout())
		err = hint.Wrap(wiegand.Decode(edges, d, framePrinter(out, asJSON, enabled)), remedy)
		return errors.Join(err, out.Flush())
	})
	cmd.Long = `Decode the edges in a file, or on standard input with -, and print a line for
each frame. A trace has a line for each edge: time in nanoseconds, line (0 or 1),
level (0 or 1). VCD files name the lines D0 and D1.`
	cmd.Flags().StringVar(&format, "format", "", "trace or vcd (default by the file's name and beginning)")
	cmd.Flags().StringVar(&formats, "formats", "", "card formats to accept: all, or `names` with commas (default the configured ones)")
	cmd.Flags().StringVar(&keypad, "keypad", "", "the `form` of key presses: 4bit, 8bit or off (default the configured one)")
	cmd.Flags().BoolVar(&falling, "falling", false, "use only falling edges, as the daemon does in service")
	cmd.Flags().BoolVar(&repairLost, "repair-lost", false, "accept a read with one lost pulse that parity gives back")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a frame")
	return cmd
}

// decodeFormats are the formats that --formats names.
func decodeFormats(names string, cfg *config.Config) ([]*wiegand.Format, error) {
	if names == "" {
		return cfg.CardFormats(), nil
	}
	var list []*wiegand.Format
	for name := range strings.SplitSeq(names, ",") {
		if strings.EqualFold(name, "all") {
			list = append(list, wiegand.VerifiedFormats()...)
			continue
		}
		f, err := cfg.FormatByName(strings.TrimSpace(name))
		if err != nil {
			return nil, misuse("separate names with commas, or use all", "--formats: %w", err)
		}
		list = append(list, f)
	}
	return list, nil
}

// decodeKeypad is the form of key presses that --keypad names, or the configured one.
func decodeKeypad(named bool, form string, cfg *config.Config) (string, error) {
	switch {
	case !named:
		return cfg.Readers[0].Keypad, nil
	case form == "off":
		return "", nil
	case form == "4bit" || form == "8bit":
		return form, nil
	}
	return "", misuse("use --keypad 4bit, 8bit or off", "--keypad: %q is not known", form)
}

// edgeReader reads a file's edges one by one. A dump begins with a command, and no row
// of a trace with $.
func edgeReader(format, name string, r *bufio.Reader) (wiegand.Edges, error) {
	if first, _ := r.Peek(1); format == "" && (strings.HasSuffix(strings.ToLower(name), ".vcd") || string(first) == "$") {
		format = "vcd"
	}
	switch format {
	case "", "trace":
		return wiegand.NewTraceReader(r), nil
	case "vcd":
		return wiegand.NewVCDReader(r), nil
	}
	return nil, misuse("use --format trace or --format vcd", "--format: %q is not known", format)
}

// fallingOnly leaves out rising edges, as the daemon's lines do in service.
type fallingOnly struct{ wiegand.Edges }

func (f fallingOnly) Next() (wiegand.Edge, error) {
	for {
		e, err := f.Edges.Next()
		if err != nil || !e.Rising {
			return e, err
		}
	}
}

// framePrinter prints frames for people or as JSON.
func framePrinter(w io.Writer, asJSON bool, enabled []*wiegand.Format) func(*wiegand.Read) error {
	if asJSON {
		enc := json.NewEncoder(w)
		return func(r *wiegand.Read) error { return enc.Encode(wiegand.NewRecord(r, enabled)) }
	}
	return func(r *wiegand.Read) error {
		what := "refused: " + string(r.Fault)
		switch {
		case r.Key != 0:
			what = "key " + string(r.Key)
		case r.OK():
			what = fmt.Sprintf("%s number %d", r.Format.Name, r.Fields.Number)
			if r.Format.HasFacility() {
				what = fmt.Sprintf("%s facility %d number %d", r.Format.Name, r.Fields.Facility, r.Fields.Number)
			}
			if r.Repaired != "" {
				what += " (repaired: " + string(r.Repaired) + ")"
			}
		}
		_, err := fmt.Fprintf(w, "%12.3f ms  %3d bits  %s  %s\n", float64(r.Start)/1e6, r.Bits.Len(), r.Bits, what)
		return err
	}
}
