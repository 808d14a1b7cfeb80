// Package wiegand turns the edges of a card reader's two data lines into
// reads: cards, key presses, or frames refused for a named reason.
//
// A Wiegand reader holds two lines high and sends a bit as a low pulse of 20
// to 100 µs (some readers: 400 µs) on one of them, DATA0 for 0 and DATA1 for
// 1, a bit every 0.2 to 20 ms, usually 1 or 2 ms:
//
//	DATA0 ‾‾|_|‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾|_|‾‾‾‾‾‾|_|‾‾‾
//	DATA1 ‾‾‾‾‾‾‾‾‾‾‾|_|‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾‾
//	          0        1       0        0
//
// Nothing here reads a clock, starts a goroutine or opens a file.
package wiegand
