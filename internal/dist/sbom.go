package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
)

// component is a part of the program in CycloneDX.
type component struct {
	Type     string    `json:"type"`
	Ref      string    `json:"bom-ref"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Hashes   []hash    `json:"hashes,omitempty"`
	Licenses []license `json:"licenses,omitempty"`
	PURL     string    `json:"purl"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type license struct {
	Expression string `json:"expression"`
}

// bom is the SBOM of a binary in CycloneDX: the modules that Go's linker has noted in it.
func (r *release) bom(noted *debug.BuildInfo) ([]byte, error) {
	golang := strings.TrimPrefix(noted.GoVersion, "go")
	parts := []component{newComponent("library", "std", golang)}
	for _, m := range noted.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		part := newComponent("library", m.Path, m.Version)
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(m.Sum, "h1:"))
		if err != nil {
			return nil, fmt.Errorf("checksum %s of module %s: %w", m.Sum, m.Path, err)
		}
		part.Hashes = []hash{{"SHA-256", hex.EncodeToString(sum)}}
		parts = append(parts, part)
	}
	program := newComponent("application", noted.Main.Path, "v"+r.build.Version)
	program.Licenses = []license{{"GPL-3.0-or-later"}}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(map[string]any{
		"$schema":     "http://cyclonedx.org/schema/bom-1.6.schema.json",
		"bomFormat":   "CycloneDX",
		"specVersion": "1.6",
		"version":     1,
		"metadata":    map[string]any{"timestamp": r.time.Format(time.RFC3339), "component": program},
		"components":  parts,
	})
	return b.Bytes(), err
}

func newComponent(kind, module, version string) component {
	url := "pkg:golang/" + module + "@" + strings.ReplaceAll(version, "+", "%2B")
	return component{Type: kind, Ref: url, Name: module, Version: version, PURL: url}
}
