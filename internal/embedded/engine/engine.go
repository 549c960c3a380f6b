// Package engine runs ClickHouse for the one-command start, without a server to install.
//
// ClickHouse exists as a shared library, libchdb. It is 566 MB and catches signals its own way, so it neither becomes part of this
// program nor lives in the same process:
//
//	corridorwatch up ── Start ──► corridorwatch engine serve ── dlopen ──► libchdb.so
//	        │                              ▲                                   │
//	        └── clickhouse-go, curl, … ── HTTP on loopback                 data directory
//
// Fetch gets the library once, by npm, whose lock file is part of this program; Locate finds it. Start runs the second process, and
// Serve is what that process does: it speaks ClickHouse's HTTP interface, so everything that knows ClickHouse over HTTP works with it
// as with a server, and the same code works with a real cluster by configuration alone.
//
// What the interface leaves out: sessions (session_id), external tables in a multipart body, users and passwords, progress headers,
// PUT, and query_id as the engine's own id. It asks nobody who they are, and ClickHouse's table function file() reads and writes what
// this program's user may: who can open a port of this machine's loopback can do the same. Results in formats with a heading or an end (JSON, CSVWithNames, Parquet, …) are put together
// in memory before they are sent; the others, and Native, are streamed. A statement whose client has gone away is stopped only when it
// is streaming its result.
package engine
