package gpio_test

import (
	"fmt"

	"stump/gpio"
	"stump/wiegand"
)

// A simulated reader sends a card, and a decoder reads it, as the daemon does with
// real lines: wait for edges until the open frame's deadline.
func ExampleSim() {
	var now int64
	sim := gpio.NewSim(func() int64 { now += 1_000_000; return now })
	defer sim.Close()

	h10301, _ := wiegand.FormatByName("H10301")
	card, _ := h10301.Pack(wiegand.Fields{Facility: 84, Number: 31066})
	sim.Present(card)

	decoder := wiegand.NewDecoder(wiegand.Options{Formats: []*wiegand.Format{h10301}})
	buf := make([]wiegand.Edge, 64)
	until := sim.Until()
	for {
		n, at, err := sim.Read(buf, until)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, edge := range buf[:n] {
			decoder.Push(edge)
		}
		for _, read := range decoder.Advance(at) {
			fmt.Println(read.Format, read.Fields.Facility, read.Fields.Number)
			return
		}
		until, _ = decoder.Deadline()
	}
	// Output: H10301 84 31066
}

// A broken wire: the card's ones are missing.
func ExampleSim_SetFault() {
	var now int64
	sim := gpio.NewSim(func() int64 { return now })
	if err := sim.SetFault("d1-open"); err != nil {
		fmt.Println(err)
		return
	}
	card, _ := wiegand.ParseBits("01010011")
	sim.Present(card)

	now = sim.Until()
	buf := make([]wiegand.Edge, 64)
	n, _, _ := sim.Read(buf, now)
	for _, edge := range buf[:n] {
		fmt.Print("D", edge.Line, " ")
	}
	fmt.Println()
	// Output: D0 D0 D0 D0
}
