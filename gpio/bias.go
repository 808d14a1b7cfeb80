package gpio

// Bias is the board's own pull on an input line.
type Bias uint8

const (
	BiasAsIs     Bias = iota // whatever the line has
	BiasDisabled             // no pull
	BiasPullUp               // towards 3.3 V
	BiasPullDown             // towards ground
)
