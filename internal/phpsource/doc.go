// Package phpsource reads plain literals out of PHP source files: class constants, properties with a default and what a
// file returns. Matomo and its libraries keep lists in such places, and an installation's own lists are newer than any
// that is built in.
//
// It is no parser of PHP, on purpose. A grammar ages with each PHP version, and of these files only literals are
// wanted. So the text is cut into tokens, which hardly change over the years; a declaration is told by the words before
// its `=`; and only the value behind the `=` is understood: null, booleans, numbers, strings, arrays in both forms,
// constants of the same file, parts joined with a dot. Everything else in the file (methods, attributes, newer syntax)
// is skipped. A wanted value that is not plain, such as `self::A | self::B` or a call, is an error that names file,
// line and name; the values beside it can still be read.
//
// The package neither runs nor includes anything. Any input is safe: time and memory are bounded by the length of the
// text.
package phpsource
