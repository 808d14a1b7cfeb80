// Package lcd puts text on small character displays.
//
// What is shown goes through three steps, and only the last knows the wires:
//
//	text ──Charset.Fold──▶ letters ──Lay──▶ Frame ──Display.Show──▶ bytes
//	"Ýrsa's iPad"          Y r s a ' s …     16x2 cells             only the cells
//	                       that this ROM                            that changed
//	                       can show
//
// A Frame holds one letter a cell. A Display turns a letter into the code that
// its character generator has for it; no other byte of a text can reach a
// display, so a name is never taken for a command:
//
//	             lines ─▶ HD44780          (gpio4.go: six GPIO lines)
//	Show ─▶ hd44780 ┤
//	             I2C  ─▶ PCF8574 ─▶ HD44780 (backpack.go)
//	Show ─▶ serial ─▶ SparkFun, OpenLCD, Newhaven, Matrix Orbital (dialect.go)
//	Show ─▶ terminal, memory
//
// The package has no goroutines and keeps no time except the pauses that the
// data sheets ask for; who repaints when, and what happens when a display does
// not answer, is up to the caller.
package lcd
