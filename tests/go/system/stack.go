// Package system switches to the stack of the thread.
package system

import _ "unsafe" // for go:linkname

// Stack runs f on the stack of the thread.
//
//go:linkname Stack runtime.systemstack
func Stack(f func())
