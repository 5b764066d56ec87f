package tables

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	columnLine = regexp.MustCompile("^( *|ALTER TABLE .* ADD COLUMN )(`\\w+`) ([a-z]+)(.*)$")
	keyLine    = regexp.MustCompile("^ *(UNIQUE )?KEY `(\\w+)` \\((.*)\\)$")
	tableName  = regexp.MustCompile("`([^`]+)`")
)

// sqlite turns a statement of MySQL into those of SQLite. Types stay, because package store conforms values to them;
// SQLite itself only takes an affinity from them. Indexes have the table's name in front: they share one name space.
func sqlite(statement string) (statements []string) {
	if statement == "" {
		return nil
	}
	table := tableName.FindStringSubmatch(statement)[1]
	counts := strings.Contains(statement, " AUTO_INCREMENT")
	var body, indexes []string
	for line := range strings.SplitSeq(statement, "\n") {
		line = strings.TrimSuffix(line, ",")
		if m := keyLine.FindStringSubmatch(line); m != nil {
			indexes = append(indexes, fmt.Sprintf("CREATE %sINDEX `%s_%s` ON `%s` (%s)", m[1], table, m[2], table, m[3]))
		} else if !counts || !strings.HasPrefix(line, "  PRIMARY KEY") {
			body = append(body, sqliteColumn(line))
		}
	}
	if n := len(body) - 1; n > 0 { // between the lines with the brackets
		body = []string{body[0], strings.Join(body[1:n], ",\n"), body[n]}
	}
	return append([]string{strings.Join(body, "\n")}, indexes...)
}

// sqliteColumn turns the line of a column into SQLite's words. Types that SQLite or its driver would turn into
// something else (moments, DECIMAL) get the word text in front, columns without 4-byte characters the word utf8mb3.
// Text compares without regard to ASCII case, the closest that SQLite has to MySQL's *_general_ci. Ids that count up
// are never used twice, as in MySQL.
func sqliteColumn(line string) string {
	m := columnLine.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	start, kind, rest := m[1]+m[2]+" ", m[3], m[4]
	if strings.Contains(rest, " AUTO_INCREMENT") {
		return start + "integer PRIMARY KEY AUTOINCREMENT"
	}
	switch kind {
	case "datetime", "timestamp", "date", "time", "decimal":
		kind = "text " + kind
	case "char", "varchar", "text", "mediumtext", "longtext":
		var isBinary, isNarrow bool
		if rest, isBinary = without(rest, " CHARACTER SET ascii COLLATE ascii_bin"); !isBinary {
			rest += " COLLATE NOCASE"
		}
		if rest, isNarrow = without(rest, " CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci"); isNarrow {
			kind = "utf8mb3 " + kind
		}
	}
	return start + kind + rest
}

func without(s, part string) (rest string, found bool) {
	before, after, found := strings.Cut(s, part)
	return before + after, found
}
