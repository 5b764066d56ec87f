package phpchild

import (
	"os"
	"path/filepath"
)

// compiledName is the folder of compiled files within a user's folder of caches.
const compiledName = "queuedtracking-php"

// CompiledFolder is the folder for Options.Compiled: in the first of the given ones that has it, or in which it can be
// made. "" where none can be used: PHP executes what is in it, so nobody else may write there.
func CompiledFolder(folders []string) string {
	for _, folder := range folders {
		path := filepath.Join(folder, compiledName)
		if err := os.MkdirAll(path, 0o700); err == nil && isOwnFolder(path) {
			return path
		}
	}
	return ""
}

// opcache are settings of PHP's extension of that name, where it is there. Its optimizer needs a longer start, which
// compiled files make up for: a child then starts in half the time and tracks with a tenth less. What an administrator
// has set for the web server is of no use here: code that runs before all else, files that are never looked at again,
// compiling to machine code. Where the extension cannot start, for want of memory or of a folder for its lock, PHP ends
// without a word.
func (o *Options) opcache() []string {
	settings := []string{
		"opcache.enable_cli=1", "opcache.preload=", "opcache.jit_buffer_size=0", "opcache.validate_timestamps=1",
		"opcache.revalidate_freq=0", "opcache.file_cache=" + o.Compiled,
	}
	if o.Compiled != "" {
		settings = append(settings, "opcache.file_cache_only=1", "opcache.file_cache_consistency_checks=1")
	} else {
		settings = append(settings, "opcache.file_cache_only=0", "opcache.memory_consumption=64")
	}
	var flags []string
	for _, s := range settings {
		flags = append(flags, "-d", s)
	}
	return flags
}
