package config

import _ "embed" // for the sample

//go:embed sample.yaml
var sample string

// Sample is a commented ferry.yaml with every key at its default, to start a file from. Its vault is left to be filled
// in, so that nobody starts it by accident.
func Sample() string { return sample }
