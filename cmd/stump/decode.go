package main

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"stump/internal/command"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/wiegand"
	"stump/wiegand/capture"
)

func decodeCmd(g *globals) *cobra.Command {
	var (
		format, formats, d0, d1     string
		keypad                      string
		falling, repairLost, asJSON bool
	)
	cmd := command.New("decode FILE|-", "Decode recorded edges", func(cmd *cobra.Command, args []string) error {
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
		in, err := command.OpenInput(cmd, args[0])
		if err != nil {
			return hint.Wrap(err, "name a recording, or - for standard input")
		}
		defer in.Close()
		c, err := openCapture(in, format, d0, d1)
		if err != nil {
			return err
		}
		if c.Guessed {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: %s is taken for DATA0 and %s for DATA1; --d0 and --d1 name others\n", c.D0, c.D1)
		}
		edges := &counted{Edges: c, falling: falling}
		d := wiegand.NewDecoder(wiegand.Options{
			Formats: enabled, Accept: cfg.Readers[0].Accept(), BothEdges: !falling, RepairLost: repairLost, Keypad: keys,
		})
		out := bufio.NewWriter(cmd.OutOrStdout())
		err = hint.Wrap(wiegand.Decode(edges, d, framePrinter(out, asJSON, enabled, strings.Contains(strings.ToLower(formats), "all"))), kindHints[c.Kind])
		if err == nil && edges.n == 0 {
			err = hint.Errorf("is it the right file, and were both lines recorded while a card was shown?", "no edges in %s", args[0])
		}
		return errors.Join(err, out.Flush())
	})
	cmd.Long = `Decode the edges in a file, or on standard input with -, and print a line for
each frame. Files may be traces (a line for each edge: time in nanoseconds, line 0
or 1, level 0 or 1), value change dumps, Saleae's digital CSV, or what gpiomon
prints; packed with gzip or not. Signals that are not called D0 and D1 are named
with --d0 and --d1.`
	cmd.Flags().StringVar(&format, "format", "", "trace, vcd, saleae or gpiomon (default by the beginning)")
	cmd.Flags().StringVar(&d0, "d0", "", "the `name` of DATA0 in the recording")
	cmd.Flags().StringVar(&d1, "d1", "", "the `name` of DATA1 in the recording")
	cmd.Flags().StringVar(&formats, "formats", "", "card formats to accept: all, or `names` with commas (default the configured ones)")
	cmd.Flags().StringVar(&keypad, "keypad", "", "the `form` of key presses: 4bit, 8bit or off (default the configured one)")
	cmd.Flags().BoolVar(&falling, "falling", false, "use only falling edges, as the daemon does in service")
	cmd.Flags().BoolVar(&repairLost, "repair-lost", false, "accept a read with one lost pulse that parity gives back")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a frame")
	return cmd
}

// kindHints say what a recording of each kind looks like.
var kindHints = map[string]string{
	capture.KindTrace:   "a row of a trace is: time in nanoseconds, line 0 or 1, level 0 or 1; # starts a comment",
	capture.KindVCD:     "it must be a value change dump; --d0 and --d1 name its signals; a trace is read with --format trace",
	capture.KindSaleae:  "it must be raw digital data: a row is a time in seconds and a level 0 or 1 of each channel; --d0 and --d1 name them",
	capture.KindGPIOMon: "a row is as gpiomon prints it: 1234.567890123  falling  gpiochip0 17; --d0 and --d1 name the lines",
}

func openCapture(in io.Reader, kind, d0, d1 string) (*capture.Recording, error) {
	if _, ok := kindHints[kind]; kind != "" && !ok {
		return nil, command.Misuse("use trace, vcd, saleae or gpiomon", "--format: %q is not known", kind)
	}
	c, err := capture.Open(in, kind, d0, d1)
	remedy := "--d0 and --d1 name the two lines, --format says what the file is"
	return c, hint.Wrap(err, cmp.Or(kindHints[kind], remedy))
}

// decodeFormats are the formats that --formats names.
func decodeFormats(names string, cfg *config.Config) ([]*wiegand.Format, error) {
	if names == "" {
		return cfg.ReadFormats(), nil
	}
	var list []*wiegand.Format
	for name := range strings.SplitSeq(names, ",") {
		if strings.EqualFold(name, "all") {
			list = append(list, wiegand.SafeFormats()...) // one that checks nothing would hide what others refuse
			continue
		}
		f, err := cfg.FormatByName(strings.TrimSpace(name))
		if err != nil {
			return nil, command.Misuse("separate names with commas, or use all", "--formats: %w", err)
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
	return "", command.Misuse("use --keypad 4bit, 8bit or off", "--keypad: %q is not known", form)
}

// counted counts edges and, in service as the daemon's lines do, leaves out rising
// ones.
type counted struct {
	wiegand.Edges
	falling bool
	n       int
}

func (f *counted) Next() (wiegand.Edge, error) {
	for {
		e, err := f.Edges.Next()
		if err == nil {
			f.n++
		}
		if err != nil || !e.Rising || !f.falling {
			return e, err
		}
	}
}

// framePrinter prints frames for people or as JSON. For people it also prints what a
// refused frame may be; with all, every format that a frame fits.
func framePrinter(w io.Writer, asJSON bool, enabled []*wiegand.Format, all bool) func(*wiegand.Read) error {
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
			what = numbers(r.Format, r.Fields)
			if r.Repaired != "" {
				what += " (repaired: " + string(r.Repaired) + ")"
			}
		}
		_, err := fmt.Fprintf(w, "%12.3f ms  %3d bits  %s  %s\n", float64(r.Start)/1e6, r.Bits.Len(), r.Bits, what)
		if r.Key != 0 || !all && r.Fault != wiegand.FaultCount && r.Fault != wiegand.FaultParity {
			return err
		}
		for _, f := range wiegand.Fitting(r.Bits, enabled) {
			if f == r.Format && !all {
				continue
			}
			v, _ := f.Unpack(r.Bits)
			_, err = fmt.Fprintf(w, "%29s  %s: %s\n", "", numbers(f, v), f.Trust())
		}
		if all {
			_, err = fmt.Fprintf(w, "%29s  all bits %s%s\n", "", hexBits(r.Bits), inner(r.Bits))
		}
		return err
	}
}

// numbers are what a card has in a format; a serial number in both byte orders.
func numbers(f *wiegand.Format, v wiegand.Fields) string {
	if f == nil {
		return "key"
	}
	what := fmt.Sprintf("%s number %d", f.Name, v.Number)
	if f.HasFacility() {
		what = fmt.Sprintf("%s facility %d number %d", f.Name, v.Facility, v.Number)
	}
	if f.UID() {
		digits := 2 * f.NumberBytes()
		uid := wiegand.BitsFromUint64(v.Number, 4*digits)
		back, _ := uid.ReverseBytes()
		what += fmt.Sprintf(" = %s, reversed %s", hexBits(uid), hexBits(back))
	}
	return what
}

// inner is what is between two parity bits, if it is whole bytes.
func inner(b wiegand.Bits) string {
	n := b.Len() - 2
	if n < 8 || n%8 != 0 {
		return ""
	}
	whole, _ := wiegand.ParseBits(b.String()[1 : n+1])
	return ", without the first and last " + hexBits(whole)
}

// hexBits is the value of all bits in hex.
func hexBits(b wiegand.Bits) string {
	v := b.Bytes()
	digits := hex.EncodeToString(v[:])
	return "0x" + strings.ToUpper(digits[len(digits)-(b.Len()+3)/4:])
}
