// Package stories is tests only: weeks told by hand, event by event as railways send them, folded through all stages and compared
// cell by cell with the ledger that an expert expects of them (testdata).
package stories
