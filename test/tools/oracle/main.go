// Command oracle answers for the Go libraries whose behaviour this project has to equal, so that differential tests can
// ask the originals: one JSON question per line on stdin, one JSON answer per line on stdout, in the same order.
package main

import (
	"bufio"
	_ "crypto/sha256" // go-digest knows an algorithm only when it is linked in
	_ "crypto/sha512"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"github.com/Masterminds/semver/v3"
	"github.com/distribution/reference"
	_ "github.com/opencontainers/go-digest"
)

type question struct {
	Op         string `json:"op"`
	Text       string `json:"text"`
	Constraint string `json:"constraint"`
	Version    string `json:"version"`
	Pattern    string `json:"pattern"`
	Name       string `json:"name"`
	A          string `json:"a"`
	B          string `json:"b"`
}

// answer holds only what the question's op fills. Numbers are text: JavaScript would round them.
type answer struct {
	Ok         bool   `json:"ok"`
	Problem    string `json:"problem,omitempty"`
	Major      string `json:"major,omitempty"`
	Minor      string `json:"minor,omitempty"`
	Patch      string `json:"patch,omitempty"`
	Prerelease string `json:"prerelease,omitempty"`
	Order      int    `json:"order"`
	Matches    bool   `json:"matches"`
	Repository string `json:"repository,omitempty"`
	Tag        string `json:"tag,omitempty"`
	Digest     string `json:"digest,omitempty"`
}

func failed(err error) answer {
	return answer{Problem: err.Error()}
}

func ask(q question) answer {
	switch q.Op {
	case "version":
		v, err := semver.NewVersion(q.Text)
		if err != nil {
			return failed(err)
		}
		return answer{Ok: true, Major: fmt.Sprint(v.Major()), Minor: fmt.Sprint(v.Minor()), Patch: fmt.Sprint(v.Patch()), Prerelease: v.Prerelease()}
	case "compare":
		a, err := semver.NewVersion(q.A)
		if err != nil {
			return failed(err)
		}
		b, err := semver.NewVersion(q.B)
		if err != nil {
			return failed(err)
		}
		return answer{Ok: true, Order: a.Compare(b)}
	case "satisfies":
		c, err := semver.NewConstraint(q.Constraint)
		if err != nil {
			return failed(err)
		}
		v, err := semver.NewVersion(q.Version)
		// A constraint that parses says so even when the version does not.
		return answer{Ok: true, Matches: err == nil && c.Check(v)}
	case "reference":
		named, err := reference.ParseNormalizedNamed(q.Text)
		if err != nil {
			return failed(err)
		}
		a := answer{Ok: true, Repository: named.Name()}
		if tagged, is := named.(reference.Tagged); is {
			a.Tag = tagged.Tag()
		}
		if digested, is := named.(reference.Digested); is {
			a.Digest = digested.Digest().String()
		}
		return a
	case "glob":
		// filepath.Match finds a syntax error only where it looks; path.Match, else the same, reads every pattern to its end.
		if _, err := path.Match(q.Pattern, q.Name); err != nil {
			return failed(err)
		}
		matches, err := filepath.Match(q.Pattern, q.Name)
		if err != nil {
			return failed(err)
		}
		return answer{Ok: true, Matches: matches}
	case "regexp":
		r, err := regexp.Compile(q.Pattern)
		if err != nil {
			return failed(err)
		}
		return answer{Ok: true, Matches: r.MatchString(q.Text)}
	default:
		return answer{Problem: "unknown op " + q.Op}
	}
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
		if err := encoder.Encode(ask(q)); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
	if err := out.Flush(); err != nil {
		os.Exit(1)
	}
}
