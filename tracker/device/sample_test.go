package device_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"hash/fnv"
	"os"
	"testing"
)

// updateSample writes the sample anew from all recorded user agents. It needs the recordings.
var updateSample = flag.Bool("device.sample", false, "write testdata/device-detector/agents.json.gz")

const sampleFile = own + "/agents.json.gz"

// TestRecordedAgentsWithOwnPatterns runs a sample of the recorded user agents with the small set of patterns of the
// repository, which gives the same for them. So the rules of each release are tested without a Matomo installation.
func TestRecordedAgentsWithOwnPatterns(t *testing.T) {
	if *updateSample {
		writeSample(t)
	}
	for version, cases := range readSample(t) {
		d := loadOwnAs(t, version)
		for _, c := range cases {
			fresh := d
			hints, err := d.HintsFromParam(decodeJSON(t, string(c.Headers)))
			if err != nil {
				t.Fatal(err)
			}
			if hints != nil {
				if fresh, err = d.Forgetful(); err != nil {
					t.Fatal(err)
				}
			}
			if got := columnsOf(fresh.Detect(c.UA, hints)).String(); got != c.Expect.String() {
				t.Errorf("%s: %s %s\n got %s\nwant %s", version, c.UA, c.Headers, got, c.Expect)
			}
		}
		t.Logf("%s: %d user agents", version, len(cases))
	}
}

// sampleCase is a user agent with its headers as they were recorded: the order of their keys counts.
type sampleCase struct {
	UA      string          `json:"ua"`
	Headers json.RawMessage `json:"headers"`
	Expect  corpusColumns   `json:"expect"`
}

func readSample(t *testing.T) map[string][]sampleCase {
	t.Helper()
	content, err := os.ReadFile(sampleFile)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	var sample map[string][]sampleCase
	if err := json.NewDecoder(unzipped).Decode(&sample); err != nil {
		t.Fatal(err)
	}
	return sample
}

// writeSample takes the user agents for which the repository's patterns give what was recorded: of those without hints
// some.
func writeSample(t *testing.T) {
	sample := map[string][]sampleCase{}
	for _, s := range sharedSets(t) {
		d := loadOwnAs(t, s.version)
		for _, c := range loadCorpus(t, s.cases, d) {
			fresh, err := d.Forgetful()
			if err != nil {
				t.Fatal(err)
			}
			if columnsOf(fresh.Detect(c.UA, c.hints)).String() == c.Expect.String() && inSample(c) {
				sample[s.version] = append(sample[s.version], sampleCase{c.UA, c.raw, c.Expect})
			}
		}
	}
	text, err := json.Marshal(sample)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sampleFile, zipped.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// inSample leaves out most of those that test little.
func inSample(c corpusCase) bool {
	h := fnv.New32a()
	h.Write([]byte(c.UA))
	return c.hints != nil || !c.Expect.IsBot && c.Expect.OS != "UNK" || h.Sum32()%8 == 0
}
