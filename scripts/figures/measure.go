package main

import (
	"cmp"
	"fmt"
	"slices"
)

// The limits.
const (
	maxCode       = 41_000 // lines that are not tests, without the lab's screen
	maxPackage    = 4_000  // lines of a package that are not tests
	maxExported   = 110    // names of the largest package
	maxDead       = 0      // lines that deadcode prints
	minTests      = 0.75   // lines of tests for each line of code
	maxLines      = 60     // of a function
	maxLong       = 0      // functions over maxLines
	maxComplexity = 15     // of a function
	maxComplex    = 15     // functions over maxComplexity
)

// larger are the packages that may exceed maxPackage, and up to where.
var larger = map[string]int{
	"checkout/ledger": 6_500,
}

// screen is the lab's screen, a module of its own: its size doesn't count.
const screen = "cmd/stumplab"

// measure makes the table of what scan and deadCode found.
func measure(folders []*folder, dead []string) []figure {
	var functions []function
	for _, f := range folders {
		functions = append(functions, f.funcs...)
	}
	folders = slices.DeleteFunc(folders, func(f *folder) bool { return f.dir == screen })
	code, tests := 0, 0
	for _, f := range folders {
		code, tests = code+f.code, tests+f.tests
	}
	exported, exporters := exports(folders)
	large := largePackages(folders)
	long := over(functions, maxLines, func(f function) int { return f.lines })
	tangled := over(functions, maxComplexity, func(f function) int { return f.complexity })
	return []figure{
		{name: "lines of code", value: float64(code), limit: maxCode},
		{name: fmt.Sprintf("packages over %d lines of code", maxPackage), value: float64(len(large)), lint: true, details: large},
		{name: "exported names of the largest package", value: float64(exported), limit: maxExported, details: exporters},
		{name: "lines that deadcode prints", value: float64(len(dead)), limit: maxDead, lint: true, details: dead},
		{name: "lines of tests for each line of code", value: per(tests, code), limit: minTests, ratio: true, details: ratios(folders)},
		{name: fmt.Sprintf("functions over %d lines", maxLines), value: float64(len(long)), limit: maxLong, lint: true, details: long},
		{name: fmt.Sprintf("functions with a cyclomatic number over %d", maxComplexity), value: float64(len(tangled)), limit: maxComplex, details: tangled},
	}
}

// largePackages lists the packages over their limits.
func largePackages(folders []*folder) []string {
	var list []string
	for _, f := range folders {
		if limit := max(maxPackage, larger[f.dir]); f.code > limit {
			list = append(list, fmt.Sprintf("%-24s %6d lines, may have %d", f.dir, f.code, limit))
		}
	}
	return list
}

// exports returns the number of exported names in the largest package, and
// lists the five largest.
func exports(folders []*folder) (largest int, list []string) {
	sorted := slices.SortedStableFunc(slices.Values(folders), func(a, b *folder) int {
		return cmp.Compare(len(b.exported), len(a.exported))
	})
	for i, f := range sorted[:min(5, len(sorted))] {
		if i == 0 {
			largest = len(f.exported)
		}
		list = append(list, fmt.Sprintf("%-24s %6d", f.dir, len(f.exported)))
	}
	return largest, list
}

// ratios lists each package's lines of tests and code, the least tested first.
func ratios(folders []*folder) []string {
	sorted := slices.SortedStableFunc(slices.Values(folders), func(a, b *folder) int {
		return cmp.Compare(per(a.tests, a.code), per(b.tests, b.code))
	})
	var list []string
	for _, f := range sorted {
		if f.code > 0 {
			list = append(list, fmt.Sprintf("%-24s %6.2f  %6d tests %6d code", f.dir, per(f.tests, f.code), f.tests, f.code))
		}
	}
	return list
}

// over lists the functions whose number is over the limit, the largest first.
func over(functions []function, limit int, number func(function) int) []string {
	found := slices.DeleteFunc(slices.Clone(functions), func(f function) bool { return number(f) <= limit })
	slices.SortStableFunc(found, func(a, b function) int { return cmp.Compare(number(b), number(a)) })
	var list []string
	for _, f := range found {
		list = append(list, fmt.Sprintf("%4d  %s  %s:%d", number(f), f.name, f.file, f.line))
	}
	return list
}

func per(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
