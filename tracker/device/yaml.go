package device

import (
	"fmt"
	"io/fs"

	"go.yaml.in/yaml/v3"
)

// document is a node of a data file. Scalars are read as they are written: versions such as 1.10 stay text, an empty
// scalar is "".
type document struct{ node *yaml.Node }

func readYAML(files fs.FS, name string) (document, error) {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		return document{}, fmt.Errorf("device patterns: %w", err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil {
		return document{}, fmt.Errorf("device patterns: %s: %w", name, err)
	}
	if len(root.Content) == 0 {
		return document{&root}, nil
	}
	return document{root.Content[0]}, nil
}

// items are the entries of a list; anything else has none.
func (d document) items() []document {
	if d.node == nil || d.node.Kind != yaml.SequenceNode {
		return nil
	}
	list := make([]document, len(d.node.Content))
	for i, n := range d.node.Content {
		list[i] = document{n}
	}
	return list
}

// pairs yields the entries of a map in the order of the file.
func (d document) pairs(yield func(key string, value document) bool) {
	if d.node == nil || d.node.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(d.node.Content); i += 2 {
		if !yield(d.node.Content[i].Value, document{d.node.Content[i+1]}) {
			return
		}
	}
}

// get is the value under key, and whether there is one. Of a key that is there twice the last one counts.
func (d document) get(key string) (value document, ok bool) {
	for k, v := range d.pairs {
		if k == key {
			value, ok = v, true
		}
	}
	return value, ok
}

// text is the scalar under key, "" when there is none.
func (d document) text(key string) string {
	v, ok := d.get(key)
	if !ok || v.node.Kind != yaml.ScalarNode {
		return ""
	}
	return v.node.Value
}

// scalar is the text of d itself.
func (d document) scalar() string {
	if d.node == nil {
		return ""
	}
	return d.node.Value
}

// optional is the scalar under key, nil when there is none.
func (d document) optional(key string) *string {
	if _, ok := d.get(key); !ok {
		return nil
	}
	s := d.text(key)
	return &s
}
