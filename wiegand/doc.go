// Package wiegand turns the edges of a card reader's two data lines into
// reads: cards, key presses, or frames refused for a named reason.
//
// # The wire
//
// A Wiegand reader holds two lines high and sends a bit as a low pulse on one
// of them, DATA0 for a 0 and DATA1 for a 1. Pulses are 20 to 100 µs long (some
// readers send 400 µs), the interval between bits is 0.2 to 20 ms, usually 1 or
// 2:
//
//	DATA0 ‾‾|_|‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾|_|‾‾‾‾‾‾|_|‾‾‾‾‾‾‾
//	DATA1 ‾‾‾‾‾‾‾‾‾‾‾|_|‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾
//	          0        1       0        0    silence
//
// Nothing says how long a card is, when it begins, or whether it arrived whole.
// There are a few parity bits, which see one changed bit and miss half of all
// pairs. What no other decoder uses is that a reader spaces its bits evenly:
// a lost pulse leaves a hole of two intervals, an extra one splits an
// interval. This package weighs that evidence, refuses what it can't prove,
// and repairs only what the edges prove.
//
// # Framing
//
// A frame is decided by the time stamps of edges alone, never by when code
// ran: Push and Advance give the same reads however late they are called.
//
//   - A frame closes when 25 ms pass after its last falling edge, since 20 ms is
//     a legal interval. An edge stamped later than that begins a new frame.
//   - Of a reader that is known to pause inside a card it stays open for 1¼ times
//     its longest pause instead, so that both parts are one frame.
//   - It closes after three of its intervals instead, if it has exactly as many
//     bits as a card of an enabled format and its interval is proved: its last
//     eight intervals lie within a quarter of each other, or three quarters of
//     them are within an eighth of what the reader's last good card had.
//   - Up to three stray edges that stand 2.4 intervals or more before or after
//     the card are cut off; they are dirt on the line, not a damaged card.
//   - More edges than six a bit are a storm: reported as noise when it ends and
//     once a second until then, and nothing is a card before 25 ms of silence.
//
// # Evidence
//
// All thresholds follow the frame's median interval. A frame is called even
// only if so many intervals lie close to the median that a reader which spaces
// its bits by chance, 0.3 to 6 ms, does not show it: 45 % within a sixteenth, or
// 70 % within an eighth, or a quarter within a sixteenth and nearly all others
// whole multiples or parts of one. Readers below 0.7 ms need 80 % within a
// sixteenth, because late stamps disturb them. In an even frame the edges are
// followed as they run ahead of the interval, or behind:
//
//	½ + ½          an interval split: an extra edge
//	2              a hole: a lost one
//	1½ + ½         a stamp that was late: two intervals, two edges, no fault
//	2¾ 0 0 ¼       several that waited for the same interrupts: no fault either
//	1⅓             a reader that hesitated: no fault
//	½ + 1½         an edge that is early, and no stamp is: not the card's
//	…1 1 ⅓ or 1¾   the same at an end, also where a stamp would be too late
//
// The last two are looked for where the frame is otherwise exact, five of six
// intervals within a sixteenth.
//
// Where one line is late, by 0.3 ms at most, the intervals from one line to the
// other are longer one way and shorter the other. That delay is estimated from
// their medians, and taken out before all else.
//
// An uneven frame has its silences: no reader's is sixteen times its median, or
// two on one line eight times. Falls of both lines at once, falls closer than
// readers send and pulses unlike the others speak against it, at every interval,
// unless the falls lie on the lattice of a fast reader whose stamps were late.
//
// # Belief
//
// Falls at random pass two parity bits one time in four, so a card must look like
// a reader's as well: even, or on a lattice, or at least with intervals that vary
// by at most half of their mean. What does not, and what is unlike the cards that
// this reader has sent until now (Profile), is noise, but is believed when the
// same bits come again within 10 s. Three cards that were believed so and are
// unlike the known ones are another reader's: it is learned anew.
//
// # Repairs
//
//	glitch  one or two extra edges whose removal, and no other, leaves even
//	        intervals; with both edges also any pulses of at most 12 µs
//	bounce  repeated falls of one line within a quarter of an interval
//	lost    one hole in an otherwise even frame, its value from the parity bit
//	        that covers it; only with Options.RepairLost, because that uses the
//	        parity up: accept it only where the register knows exactly that card
//
// Each must leave a frame with the bits of a card, sound by timing, and
// passing every check.
//
// Nothing here reads a clock, starts a goroutine or opens a file.
// docs/decoding.md has the measured table of what becomes of which damage.
package wiegand
