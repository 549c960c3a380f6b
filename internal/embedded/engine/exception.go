package engine

import (
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// exception is an error of ClickHouse, in its own words: "Code: 60. DB::Exception: … (UNKNOWN_TABLE)".
type exception struct {
	code    int    // of ClickHouse's table of error codes; 1002 (UNKNOWN_EXCEPTION) if it gave none
	message string // without the ending newline
}

func (e *exception) Error() string { return e.message }

var codeInMessage = regexp.MustCompile(`(?:^|[^A-Za-z])Code: (\d+)\. `)

func newException(message string) *exception {
	message = strings.TrimRight(strings.TrimPrefix(message, "Error: "), "\n")
	e := &exception{code: 1002, message: message}
	if m := codeInMessage.FindStringSubmatch(message); m != nil {
		e.code, _ = strconv.Atoi(m[1])
	}
	return e
}

// asException makes an exception of an error that is not ClickHouse's.
func asException(err error) *exception {
	if e, ok := errors.AsType[*exception](err); ok {
		return e
	}
	return newException("Code: 1002. DB::Exception: " + err.Error() + ". (UNKNOWN_EXCEPTION)")
}

// isCode tells whether err is ClickHouse's error of this code.
func isCode(err error, code int) bool {
	e, ok := errors.AsType[*exception](err)
	return ok && e.code == code
}

const (
	codeBadArguments    = 36
	codeUnknownDatabase = 81
)

// status is the HTTP status ClickHouse gives to an error; 500 where it has no better one.
func (e *exception) status() int {
	switch e.code {
	case 6, 25, 26, 27, 38, 41, 42, 53, 62, 72, 117, 457: // what cannot be parsed
		return http.StatusBadRequest
	case 46, 47, 50, 56, 60, 63, 73, 78, 81, 115: // unknown function, identifier, type, engine, table, format, database, setting
		return http.StatusNotFound
	case 48: // NOT_IMPLEMENTED
		return http.StatusNotImplemented
	}
	return http.StatusInternalServerError
}
