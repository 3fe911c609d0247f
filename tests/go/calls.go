// Calls functions of Go's own convention, which are not Go's, on the stack of the thread.
package main

import "C"

import (
	"runtime"
	"unsafe"

	"cbframe.test/calls/system"
)

type pair struct {
	a int8
	b [1]float32
}

type words struct{ a [2]int32 }

// Function values are pointers to a word that is the address of code.
func function[F any](address *uintptr) F {
	return *(*F)(unsafe.Pointer(&address))
}

var failure C.int

func check(line C.int, right bool) {
	if !right && failure == 0 {
		failure = line
	}
}

//export cbt_go_calls
func cbt_go_calls(pointer unsafe.Pointer) C.int {
	addresses := (*[6]uintptr)(pointer)
	failure = 0
	text, data := "graffiti", []byte{9, 8, 7}
	word := func(i int) *uintptr { return &addresses[i] }
	many := function[func(int8, float32, string, []byte, uint16, int64, bool, complex64, int32, pair) (int64, float32, string)](word(0))
	spilled := function[func(words, int16, words, int8, int64) int64](word(1))
	over := function[func(a, b, c, d, e, f, g, h int64, s string, i int64, t string, j int32, k int8, l int64) (int64, int64)](word(2))
	floats := function[func(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p float64) float64](word(3))
	returned := function[func(pair, struct{}, *[6]uintptr) (pair, *[6]uintptr, bool)](word(4))
	nothing := function[func()](word(5))
	for round := int64(0); round < 3; round++ {
		calls := func() {
			a, b, c := many(-5, 1.25, text, data, 65000, 1<<40+round, true, complex(2, -3), -6, pair{-7, [1]float32{0.5}})
			check(1, a == 1<<40+round+8 && b == 1.25+2-3 && c == text[:3])
			check(2, spilled(words{[2]int32{1, -2}}, -300, words{[2]int32{3, -4}}, -5, 1<<50) == 1<<50+1-2-300+3-4-5)
			d, e := over(1, 2, 3, 4, 5, 6, 7, 8, text, 9, text[2:4], 10, 11, 12+round)
			check(3, d == 78+round && e == 102)
			check(4, floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16) == 15*8-16)
			f, g, h := returned(pair{-100, [1]float32{4}}, struct{}{}, addresses)
			check(5, f == pair{100, [1]float32{-4}} && g == addresses && h)
			nothing()
			// The register that is zero by convention: what Go clears with it is clear.
			var zero [8]uint64
			sink = &zero
			for _, word := range sink {
				check(6, word == 0)
			}
		}
		system.Stack(func() {
			calls()
			deeper(calls)
			check(7, deeperByAWord(calls, &round) == round+1)
		})
		// The goroutine that was current still is.
		runtime.Gosched()
		runtime.GC()
	}
	runtime.KeepAlive(data)
	return failure
}

// Go's frames have any number of words: one of the two leaves the stack pointer at an odd one.

//go:noinline
func deeper(calls func()) {
	calls()
}

//go:noinline
func deeperByAWord(calls func(), from *int64) int64 {
	kept := *from + 1
	calls()
	return kept
}

var sink *[8]uint64

func main() {}
