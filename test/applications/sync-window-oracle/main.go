// Command sync-window-oracle prints what Argo CD 3.2.11 says of many sync windows, for sync-windows.test.ts. It asks the
// same libraries as Argo CD; the methods of SyncWindows below are copied from pkg/apis/application/v1alpha1/types.go
// (Apache-2.0), with the present time made an argument.
//
//	go run . > ../sync-window-cases.json
package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/gobwas/glob"
	"github.com/robfig/cron/v3"
)

type SyncWindow struct {
	Kind           string   `json:"kind"`
	Schedule       string   `json:"schedule"`
	Duration       string   `json:"duration"`
	Applications   []string `json:"applications"`
	Namespaces     []string `json:"namespaces"`
	Clusters       []string `json:"clusters"`
	ManualSync     bool     `json:"manualSync"`
	TimeZone       string   `json:"timeZone"`
	UseAndOperator bool     `json:"andOperator"`
}

type SyncWindows []*SyncWindow

type Destination struct {
	Server    string `json:"server"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

type Application struct {
	Name        string      `json:"name"`
	Destination Destination `json:"destination"`
}

func globMatch(pattern string, val string, _ bool) bool {
	if pattern == "*" {
		return true
	}
	compiled, err := glob.Compile(pattern)
	return err == nil && compiled.Match(val)
}

func (w *SyncWindows) HasWindows() bool {
	return w != nil && len(*w) > 0
}

func (w *SyncWindows) active(currentTime time.Time) (*SyncWindows, error) {
	// If SyncWindows.Active() is called outside of a UTC locale, it should be
	// first converted to UTC before we scan through the SyncWindows.
	currentTime = currentTime.In(time.UTC)

	if w.HasWindows() {
		var active SyncWindows
		specParser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
		for _, w := range *w {
			schedule, sErr := specParser.Parse(w.Schedule)
			if sErr != nil {
				return nil, fmt.Errorf("cannot parse schedule '%s': %w", w.Schedule, sErr)
			}
			duration, dErr := time.ParseDuration(w.Duration)
			if dErr != nil {
				return nil, fmt.Errorf("cannot parse duration '%s': %w", w.Duration, dErr)
			}

			// Offset the nextWindow time to consider the timeZone of the sync window
			timeZoneOffsetDuration := w.scheduleOffsetByTimeZone(currentTime)
			nextWindow := schedule.Next(currentTime.Add(timeZoneOffsetDuration - duration))
			if nextWindow.Before(currentTime.Add(timeZoneOffsetDuration)) {
				active = append(active, w)
			}
		}
		if len(active) > 0 {
			return &active, nil
		}
	}
	return nil, nil
}

func (w *SyncWindows) inactiveAllows(currentTime time.Time) (*SyncWindows, error) {
	// If SyncWindows.InactiveAllows() is called outside of a UTC locale, it should be
	// first converted to UTC before we scan through the SyncWindows.
	currentTime = currentTime.In(time.UTC)

	if w.HasWindows() {
		var inactive SyncWindows
		specParser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
		for _, w := range *w {
			if w.Kind != "allow" {
				continue
			}
			schedule, sErr := specParser.Parse(w.Schedule)
			if sErr != nil {
				return nil, fmt.Errorf("cannot parse schedule '%s': %w", w.Schedule, sErr)
			}
			duration, dErr := time.ParseDuration(w.Duration)
			if dErr != nil {
				return nil, fmt.Errorf("cannot parse duration '%s': %w", w.Duration, dErr)
			}
			// Offset the nextWindow time to consider the timeZone of the sync window
			timeZoneOffsetDuration := w.scheduleOffsetByTimeZone(currentTime)
			nextWindow := schedule.Next(currentTime.Add(timeZoneOffsetDuration - duration))

			if !nextWindow.Before(currentTime.Add(timeZoneOffsetDuration)) {
				inactive = append(inactive, w)
			}
		}
		if len(inactive) > 0 {
			return &inactive, nil
		}
	}
	return nil, nil
}

func (w *SyncWindow) scheduleOffsetByTimeZone(currentTime time.Time) time.Duration {
	loc, err := time.LoadLocation(w.TimeZone)
	if err != nil {
		loc = currentTime.UTC().Location()
	}
	_, tzOffset := currentTime.In(loc).Zone()
	return time.Duration(tzOffset) * time.Second
}

func (w *SyncWindows) Matches(app *Application) *SyncWindows {
	if w.HasWindows() {
		var matchingWindows SyncWindows
		var matched, isSet bool

		for _, window := range *w {
			matched = false
			isSet = false

			// First check if any applications are configured for the window
			if len(window.Applications) > 0 {
				isSet = true
				for _, a := range window.Applications {
					if globMatch(a, app.Name, false) {
						matched = true
						break
					}
				}
			}

			// If using the AND operator and window applications were set but did not match, break out of the loop earlier
			if window.UseAndOperator && !matched && isSet {
				continue
			} else if !window.UseAndOperator && matched {
				matchingWindows = append(matchingWindows, window)
				continue
			}

			// Second check if any clusters are configured for the window
			if len(window.Clusters) > 0 {
				// check next for cluster matching
				matched = false
				isSet = true
				for _, c := range window.Clusters {
					dst := app.Destination
					dstNameMatched := dst.Name != "" && globMatch(c, dst.Name, false)
					dstServerMatched := dst.Server != "" && globMatch(c, dst.Server, false)
					if dstNameMatched || dstServerMatched {
						matched = true
						break
					}
				}
			}

			// If using the AND operator and window clusters were set but did not match, break out of the loop earlier
			if isSet && window.UseAndOperator && !matched {
				continue
			} else if !window.UseAndOperator && matched {
				matchingWindows = append(matchingWindows, window)
				continue
			}

			// Last check if any namespaces are configured for the window
			if len(window.Namespaces) > 0 {
				matched = false
				// If the window clusters matched or if the window clusters were not set check next for namespace matching
				for _, n := range window.Namespaces {
					if globMatch(n, app.Destination.Namespace, false) {
						matched = true
						break
					}
				}
			}
			if matched {
				matchingWindows = append(matchingWindows, window)
			}
		}
		if len(matchingWindows) > 0 {
			return &matchingWindows
		}
	}
	return nil
}

func (w *SyncWindows) CanSync(currentTime time.Time, isManual bool) (bool, error) {
	if !w.HasWindows() {
		return true, nil
	}

	active, err := w.active(currentTime)
	if err != nil {
		return false, fmt.Errorf("invalid sync windows: %w", err)
	}
	hasActiveDeny, manualEnabled := active.hasDeny()

	if hasActiveDeny {
		if isManual && manualEnabled {
			return true, nil
		}
		return false, nil
	}

	if active.hasAllow() {
		return true, nil
	}

	inactiveAllows, err := w.inactiveAllows(currentTime)
	if err != nil {
		return false, fmt.Errorf("invalid sync windows: %w", err)
	}
	if inactiveAllows.HasWindows() {
		if isManual && inactiveAllows.manualEnabled() {
			return true, nil
		}
		return false, nil
	}

	return true, nil
}

func (w *SyncWindows) hasDeny() (bool, bool) {
	if !w.HasWindows() {
		return false, false
	}
	var denyFound, manualEnabled bool
	for _, a := range *w {
		if a.Kind == "deny" {
			if !denyFound {
				manualEnabled = a.ManualSync
			} else if manualEnabled {
				manualEnabled = a.ManualSync
			}
			denyFound = true
		}
	}
	return denyFound, manualEnabled
}

func (w *SyncWindows) hasAllow() bool {
	if !w.HasWindows() {
		return false
	}
	for _, a := range *w {
		if a.Kind == "allow" {
			return true
		}
	}
	return false
}

func (w *SyncWindows) manualEnabled() bool {
	if !w.HasWindows() {
		return false
	}
	for _, s := range *w {
		if !s.ManualSync {
			return false
		}
	}
	return true
}

type windowCase struct {
	Windows     SyncWindows `json:"windows"`
	Application Application `json:"application"`
	Now         string      `json:"now"`
	Automated   bool        `json:"automated"`
	Manual      bool        `json:"manual"`
}

type globCase struct {
	Pattern string `json:"pattern"`
	Text    string `json:"text"`
	Matches bool   `json:"matches"`
}

var schedules = []string{
	"* * * * *", "0 * * * *", "*/15 * * * *", "5/10 * * * *", "0 10 * * *", "* 10 * * *", "0 22 * * 5", "0 0 1 * *", "0 0 1 * 1",
	"0 0 */2 * 1", "0 0 1-31/3 * *", "0 0 ? * 1", "0 0 15 * ?", "30 9 * * mon-fri", "0 9 * JAN,mar Sun", "0 0 30 2 *", "0 0 29 2 *",
	"10,20,50-59 8-18/2 * * *", "0 0 * * 7", "0 24 * * *", "60 * * * *", "* * * *", "* * * * * *", "@daily", "0 0 * * sat,sun", "0 0 L * *",
	"1-5-7 * * * *", "*/0 * * * *", "10-5 * * * *", "a * * * *", ", * * * *", "0 0 * * 1#1", "0  7 * * *", "0 1,2, * * *", "*-3 * * * *", "0 +8 * * *",
}

var durations = []string{"1h", "1h", "2h", "2h", "8h", "24h", "30m", "1h30m", "1m", "59s", "720h", "3a", "", "0", "-1h", "+90m", "1.5h", "10", "300000h", "9999999999h"}
var zones = []string{"", "", "UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Dhaka", "Australia/Lord_Howe", "Nowhere/Land", "+05:00"}
var applications = []Application{
	{"web-prod", Destination{"https://kubernetes.default.svc", "", "web"}},
	{"web-dev", Destination{"", "in-cluster", "web-dev"}},
	{"api", Destination{"https://10.0.0.1:6443", "edge-1", ""}},
}
var nameGlobs = []string{"*", "web-*", "*-prod", "api", "web-{prod,dev}", "[aw]*", "web"}
var namespaceGlobs = []string{"*", "web", "web*", "default", "?eb", ""}
var clusterGlobs = []string{"*", "in-cluster", "edge-*", "https://*", "https://kubernetes.default.svc"}
var patterns = []string{
	"*", "**", "", "a", "a*", "*a", "a*b*c", "?", "a?c", "[abc]", "[a-c]x", "[!a-c]x", "[!abc]", "[a-", "[]", "[!]", "[c-a]", "{a,b}", "{a*,b?}c",
	"{a,{b,c}}d", "{a", "a}", "a,b", "\\*", "\\", "a\\", "{,a}b", "[a,b]", "{[ab],c}", "a.b", "(a|b)", "^a$", "[a-cx]", "[-a]", "{}", "a{}", "{a}", "[ab-]", "[[]", "[*]", "{a,b\\,c}", "[\\]]", "[\\a]", "{*,}",
}
var texts = []string{"", "a", "b", "c", "ab", "abc", "axbxc", "ax", "dx", "bc", "ad", "cd", "*", "\\", ",", "a,b", "a.b", "axb", "(a|b)", "-", "[", "]", "b,c", "a]", "{}", "a}", "{a"}

func some(random *rand.Rand, from []string) []string {
	chosen := []string{}
	for range random.Intn(3) {
		chosen = append(chosen, from[random.Intn(len(from))])
	}
	return chosen
}

// printLines prints one case a line, so that a change shows as one.
func printLines[T any](cases []T) {
	for index, one := range cases {
		line, err := json.Marshal(one)
		if err != nil {
			panic(err)
		}
		comma := ","
		if index == len(cases)-1 {
			comma = ""
		}
		fmt.Fprintf(os.Stdout, "%s%s\n", line, comma)
	}
}

func main() {
	random := rand.New(rand.NewSource(1))
	one := func(from []string) string { return from[random.Intn(len(from))] }
	windows := []windowCase{}
	add := func(list SyncWindows, app Application, at time.Time) {
		matching := list.Matches(&app)
		automated, _ := matching.CanSync(at, false)
		manual, _ := matching.CanSync(at, true)
		windows = append(windows, windowCase{list, app, at.UTC().Format(time.RFC3339Nano), automated, manual})
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	// Each schedule and each duration in every zone alone, at times on the minute and beside it.
	for _, schedule := range schedules {
		for range 4 {
			at := start.Add(time.Duration(random.Intn(365*24*60)) * time.Minute).Add(time.Duration(random.Intn(3)-1) * 500 * time.Millisecond)
			list := SyncWindows{{Kind: one([]string{"allow", "deny"}), Schedule: schedule, Duration: one(durations[:11]), Applications: []string{"*"}, Namespaces: []string{}, Clusters: []string{}, TimeZone: one(zones)}}
			add(list, applications[0], at)
		}
	}
	for _, duration := range durations {
		list := SyncWindows{{Kind: "deny", Schedule: "0 10 * * *", Duration: duration, Applications: []string{"*"}, Namespaces: []string{}, Clusters: []string{}}}
		for _, at := range []string{"2026-03-01T10:00:00Z", "2026-03-01T10:00:00.001Z", "2026-03-01T10:59:59Z", "2026-03-01T11:00:00Z", "2026-03-01T09:59:59.999Z"} {
			moment, _ := time.Parse(time.RFC3339Nano, at)
			add(list, applications[0], moment)
		}
	}
	for range 250 {
		list := SyncWindows{}
		for range 1 + random.Intn(4) {
			kind := one([]string{"allow", "allow", "deny", "deny", "other"})
			list = append(list, &SyncWindow{kind, one(schedules[:18]), one(durations[:11]), some(random, nameGlobs), some(random, namespaceGlobs), some(random, clusterGlobs), random.Intn(2) == 0, one(zones), random.Intn(2) == 0})
		}
		add(list, applications[random.Intn(len(applications))], start.Add(time.Duration(random.Intn(365*24*60))*time.Minute))
	}
	globs := []globCase{}
	for _, pattern := range patterns {
		for _, text := range texts {
			func() {
				// The library panics for some patterns without meaning, as "{a,{b,c}}d" on short texts; those are left out.
				defer func() { _ = recover() }()
				globs = append(globs, globCase{pattern, text, globMatch(pattern, text, false)})
			}()
		}
	}
	fmt.Print("{\"windows\": [\n")
	printLines(windows)
	fmt.Print("], \"globs\": [\n")
	printLines(globs)
	fmt.Print("]}\n")
}
