package manifest

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// MaxSize is the longest file that Parse reads, in bytes.
	MaxSize = 4 << 20
	// maxMarks bounds the nodes, and with them the memory, that a text can
	// become: each node costs one of these bytes and about 200 bytes of memory.
	maxMarks = 400_000
	marks    = ",:-?[{\n"
)

// Parse reads an apply file; name is what messages call it. The error, if
// any, is Problems: everything that is wrong with the file by itself. Whether
// the things that it refers to exist is Resolve's to say.
func Parse(name string, src []byte) (File, error) {
	f := File{Name: name, lines: map[string]int{}, emptied: map[string]bool{}}
	found := newFindings(&f)
	root := readYAML(src, found)
	if root != nil {
		d := decoder{findings: found}
		d.decodeFile(root)
		c := checker{findings: found, seen: map[string]string{}}
		c.file(&f)
		if len(f.SharedDomains) == 0 && len(f.Accounts) == 0 && len(f.Agencies) == 0 {
			found.addAt(1, "", "names nothing; it must hold accounts, agencies or shared_domains")
		}
	}
	if err := found.err(); err != nil {
		return File{}, err
	}
	return f, nil
}

// readYAML returns the root of the only document, or nil after a problem.
func readYAML(src []byte, found *findings) *yaml.Node {
	if len(src) > MaxSize {
		found.addAt(0, "", "is longer than 4 MiB; split it, several files can be applied one after the other")
		return nil
	}
	count := 0
	for _, c := range src {
		if strings.IndexByte(marks, c) >= 0 {
			count++
		}
	}
	if count > maxMarks {
		found.addAt(0, "", "has too many parts for one file; split it, several files can be applied one after the other")
		return nil
	}
	reader := yaml.NewDecoder(bytes.NewReader(src))
	var doc, second yaml.Node
	err := reader.Decode(&doc)
	if err == nil {
		if err = reader.Decode(&second); err == nil {
			found.addAt(second.Line, "", "begins a second YAML document; a file holds one")
			return nil
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		line, text := syntaxError(err)
		found.addAt(line, "", "%s", text)
		return nil
	}
	if len(doc.Content) != 1 {
		found.addAt(1, "", "names nothing; it must hold accounts, agencies or shared_domains")
		return nil
	}
	return doc.Content[0]
}

var errorLine = regexp.MustCompile(`^line (\d+): `)

// syntaxError takes the line out of the YAML library's message, which quotes
// at most a character of the text, and so no secret, but for one that is
// replaced.
func syntaxError(err error) (line int, text string) {
	text = strings.TrimPrefix(err.Error(), "yaml: ")
	if m := errorLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	if strings.HasPrefix(text, "unknown anchor") { // the one message that quotes a word
		text = "a value refers to an anchor that is not there; text that begins with * stands in quotes"
	}
	return line, "is not YAML: " + text
}
