// Package lcd puts text on small character displays.
//
// A text takes three steps, and only the last knows the wires:
//
//	text ──Charset.Fold──▶ letters ──Lay──▶ Frame ──Display.Show──▶ bytes
//	"Ýrsa's iPad"          Y r s a ' s …     16x2 cells             only the cells
//	                       that this ROM                            that changed
//	                       can show
//
// A Frame has one letter in each cell. A Display turns each letter into its
// code in the character generator. No other byte of a text reaches a display,
// so a name is never taken for a command:
//
//	             lines ─▶ HD44780          (gpio4.go: six GPIO lines)
//	Show ─▶ hd44780 ┤
//	             I2C  ─▶ PCF8574 ─▶ HD44780 (backpack.go)
//	Show ─▶ serial ─▶ SparkFun, OpenLCD, Newhaven, Matrix Orbital (dialect.go)
//	Show ─▶ terminal, none
//
// The package has no goroutines, and its only use of time is the pauses that
// data sheets ask for. When to repaint, and what to do when a display doesn't
// answer, is up to the caller.
package lcd
