// Command kube-scheduler says what the real scheduler decides for a case in
// the conformance form. See README.md.
package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
)

const usage = `usage: kube-scheduler COMMAND [flags] [FILE…]

  label     write {"case": …, "expected": …} for every case
  compare   decide every case again and report where "expected" differs
  validate  report objects that an API server would refuse
  bench     pods a second of the scheduler's own loop
  configs   what becomes of KubeSchedulerConfigurations, {"id", "text"} a line

FILE is NDJSON, or NDJSON in gzip if its name ends in .gz; without one,
standard input is read. "kube-scheduler COMMAND -h" lists the flags.
`

func main() {
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	metrics.Register()
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	commands := map[string]func([]string) error{
		"label": label, "compare": compare, "validate": validate, "bench": bench, "configs": configs,
	}
	command, ok := commands[os.Args[1]]
	if !ok {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := command(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "kube-scheduler:", err)
		os.Exit(1)
	}
}

// eachLine calls f for every line of the files, or of standard input.
func eachLine(files []string, f func(file string, text []byte) error) error {
	if len(files) == 0 {
		files = []string{"-"}
	}
	for _, name := range files {
		if err := eachLineOf(name, f); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func eachLineOf(name string, f func(file string, text []byte) error) error {
	var r io.Reader = os.Stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		r = file
	}
	if strings.HasSuffix(name, ".gz") {
		unpacked, err := gzip.NewReader(r)
		if err != nil {
			return err
		}
		defer unpacked.Close()
		r = unpacked
	}
	buffered := bufio.NewReaderSize(r, 1<<20)
	for {
		text, err := buffered.ReadBytes('\n')
		if len(strings.TrimSpace(string(text))) > 0 {
			if err := f(name, text); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// job is a line on its way through a worker.
type job struct {
	file   string
	text   []byte
	answer chan result
}

type result struct {
	value any
	err   error
}

// inOrder works on lines with several workers and hands the results to `out`
// in the order of the lines.
func inOrder(files []string, workers int, work func(text []byte) (any, error), out func(file string, value any) error) error {
	todo := make(chan *job)
	queue := make(chan *job, 2*workers)
	for range workers {
		go func() {
			for j := range todo {
				value, err := work(j.text)
				j.answer <- result{value, err}
			}
		}()
	}
	readError := make(chan error, 1)
	go func() {
		readError <- eachLine(files, func(file string, text []byte) error {
			j := &job{file, text, make(chan result, 1)}
			queue <- j
			todo <- j
			return nil
		})
		close(todo)
		close(queue)
	}()
	for j := range queue {
		r := <-j.answer
		if r.err != nil {
			return fmt.Errorf("%s: %w", j.file, r.err)
		}
		if err := out(j.file, r.value); err != nil {
			return err
		}
	}
	return <-readError
}

func label(args []string) error {
	flags := flag.NewFlagSet("label", flag.ExitOnError)
	output := flags.String("o", "-", "write to this file (gzip if it ends in .gz)")
	only := flags.Bool("decisions", false, `write only the "expected" part of a line`)
	workers := flags.Int("j", runtime.GOMAXPROCS(0), "how many cases at once")
	repeat := flags.Int("repeat", 1, "decide each case so often and leave it out if the answers differ")
	limit := flags.Bool("limit-candidates", false, "obey DefaultPreemption's minCandidateNodes arguments, starting at the first node")
	ask := flags.Bool("ask", false, "have the scheduler's own SchedulePod decide each pod as well, and stop if it contradicts")
	sampling := flags.Bool("sampling", false, "let the scheduler look at as many nodes as percentageOfNodesToScore says, in its own order")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *ask && *sampling {
		return errSampling
	}

	var w io.Writer = os.Stdout
	if *output != "-" {
		file, err := os.Create(*output)
		if err != nil {
			return err
		}
		defer file.Close()
		w = file
		if strings.HasSuffix(*output, ".gz") {
			packed := gzip.NewWriter(file)
			defer packed.Close()
			w = packed
		}
	}
	buffered := bufio.NewWriterSize(w, 1<<20)
	defer buffered.Flush()
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)

	type labelled struct {
		Case     json.RawMessage `json:"case"`
		Expected json.RawMessage `json:"expected"`
	}
	unstable := 0
	err := inOrder(flags.Args(), *workers, func(text []byte) (any, error) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, err
		}
		var first []byte
		for range max(1, *repeat) {
			answer, err := decide(l.Case, options{limitCandidates: *limit, ask: *ask, sampling: *sampling})
			if err != nil {
				return nil, err
			}
			encoded, err := encode(answer)
			if err != nil {
				return nil, err
			}
			if first == nil {
				first = encoded
			} else if string(first) != string(encoded) {
				return labelled{}, nil
			}
		}
		return labelled{l.Case, first}, nil
	}, func(_ string, value any) error {
		l, _ := value.(labelled)
		switch {
		case l.Expected == nil:
			unstable++
			return nil
		case *only:
			return encoder.Encode(l.Expected)
		default:
			return encoder.Encode(l)
		}
	})
	if unstable > 0 {
		fmt.Fprintf(os.Stderr, "left out: %d cases on which the scheduler contradicts itself\n", unstable)
	}
	return err
}

func encode(value any) ([]byte, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSpace(text.String())), nil
}
