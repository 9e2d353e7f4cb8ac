package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"sort"
)

// named finds the plugin in the text of an error: which node's value the text
// quotes is a race in the scheduler, the plugin is not.
var named = regexp.MustCompile(`plugin "([^"]*)"`)

// compare decides recorded cases again.
func compare(args []string) error {
	flags := flag.NewFlagSet("compare", flag.ExitOnError)
	workers := flags.Int("j", runtime.GOMAXPROCS(0), "how many cases at once")
	show := flags.Int("show", 10, "print so many differences")
	limit := flags.Bool("limit-candidates", false, "obey DefaultPreemption's minCandidateNodes arguments, starting at the first node")
	ask := flags.Bool("ask", false, "have the scheduler's own SchedulePod decide each pod as well, and stop if it contradicts")
	sampling := flags.Bool("sampling", false, "let the scheduler look at as many nodes as percentageOfNodesToScore says, in its own order")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *ask && *sampling {
		return errSampling
	}
	type tally struct{ cases, decisions, agreedCases, agreedDecisions int }
	type verdict struct {
		decisions   int
		differences []string
		differing   int
	}
	tallies := map[string]*tally{}
	shown := 0
	err := inOrder(flags.Args(), *workers, func(text []byte) (any, error) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, err
		}
		answer, err := decide(l.Case, options{limitCandidates: *limit, ask: *ask, sampling: *sampling})
		if err != nil {
			return nil, err
		}
		encoded, err := encode(answer)
		if err != nil {
			return nil, err
		}
		var ours, theirs struct {
			ID        string           `json:"id"`
			Config    string           `json:"config_error"`
			Decisions []map[string]any `json:"decisions"`
		}
		if err := json.Unmarshal(encoded, &ours); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(l.Expected, &theirs); err != nil {
			return nil, err
		}
		v := verdict{decisions: len(theirs.Decisions)}
		if ours.Config != theirs.Config {
			v.differences = append(v.differences, fmt.Sprintf("%s: config_error %q, recorded %q", ours.ID, ours.Config, theirs.Config))
		}
		if len(ours.Decisions) != len(theirs.Decisions) {
			v.differing = len(theirs.Decisions)
			v.differences = append(v.differences, fmt.Sprintf("%s: %d decisions, recorded %d", ours.ID, len(ours.Decisions), len(theirs.Decisions)))
			return v, nil
		}
		for i := range theirs.Decisions {
			found := differences(ours.Decisions[i], theirs.Decisions[i])
			if len(found) > 0 {
				v.differing++
			}
			for _, text := range found {
				v.differences = append(v.differences, fmt.Sprintf("%s %v: %s", ours.ID, theirs.Decisions[i]["pod"], text))
			}
		}
		return v, nil
	}, func(file string, value any) error {
		v, _ := value.(verdict)
		t := tallies[file]
		if t == nil {
			t = &tally{}
			tallies[file] = t
		}
		t.cases++
		t.decisions += v.decisions
		t.agreedDecisions += v.decisions - v.differing
		if len(v.differences) == 0 {
			t.agreedCases++
		}
		for _, text := range v.differences {
			if shown < *show {
				fmt.Println(text)
			}
			shown++
		}
		return nil
	})
	var files []string
	for file := range tallies {
		files = append(files, file)
	}
	sort.Strings(files)
	var sum tally
	for _, file := range files {
		t := tallies[file]
		fmt.Printf("%-32s %4d of %4d cases, %5d of %5d decisions agree\n", filepath.Base(file), t.agreedCases, t.cases, t.agreedDecisions, t.decisions)
		sum.cases += t.cases
		sum.decisions += t.decisions
		sum.agreedCases += t.agreedCases
		sum.agreedDecisions += t.agreedDecisions
	}
	fmt.Printf("%-32s %4d of %4d cases, %5d of %5d decisions agree\n", "all", sum.agreedCases, sum.cases, sum.agreedDecisions, sum.decisions)
	if err == nil && shown > 0 {
		err = errors.New("there are differences")
	}
	return err
}

// differences compares two decisions field by field.
func differences(ours, theirs map[string]any) []string {
	keys := map[string]bool{}
	for key := range ours {
		keys[key] = true
	}
	for key := range theirs {
		keys[key] = true
	}
	var sorted []string
	for key := range keys {
		sorted = append(sorted, key)
	}
	sort.Strings(sorted)
	var out []string
	for _, key := range sorted {
		a, b := ours[key], theirs[key]
		if reflect.DeepEqual(a, b) {
			continue
		}
		if theirs["error"] != nil && (key == "error" || key == "message") {
			x, y := named.FindStringSubmatch(fmt.Sprint(a)), named.FindStringSubmatch(fmt.Sprint(b))
			if len(x) == 2 && len(y) == 2 && x[1] == y[1] {
				continue
			}
		}
		out = append(out, key+": "+firstDifference(a, b))
	}
	return out
}

// firstDifference descends into maps to the first entry that differs.
func firstDifference(a, b any) string {
	x, okX := a.(map[string]any)
	y, okY := b.(map[string]any)
	if okX && okY {
		var keys []string
		for key := range x {
			keys = append(keys, key)
		}
		for key := range y {
			if _, ok := x[key]; !ok {
				keys = append(keys, key)
			}
		}
		sort.Strings(keys)
		for _, key := range keys {
			_, inX := x[key]
			_, inY := y[key]
			if inX != inY || !reflect.DeepEqual(x[key], y[key]) {
				return key + ": " + firstDifference(x[key], y[key])
			}
		}
	}
	left, _ := json.Marshal(a)
	right, _ := json.Marshal(b)
	return fmt.Sprintf("%s, recorded %s", left, right)
}
