// Package request reads one tracking request: its parameters with PHP's typing, its time, client IP, visitor id and user id, and
// whether it is authenticated (specification §0.4, §1).
//
// A Request is built by the pipeline's parse stage and only read afterwards. It does no I/O: what depends on the database (tokens
// that are not in the site's cached list) is asked of the Authenticator handed in.
package request
