// Package simulation runs ingest, all stages and the sink in one test process on virtual time, while faults drawn from a seed befall
// them, and compares what is in the tables at the end with a run that was never disturbed.
//
//	seed ─► world (events), deployment, faults
//	                    │
//	  ingest ─┐         ▼
//	  stages ─┼─► connections that cut, delay, lose and repeat ─┬─► broker (kfake)
//	  sink   ─┘                                                 └─► ClickHouse (a store in memory that speaks HTTP and Native)
//
// All of it lives in a bubble of testing/synctest: time passes when everybody waits, so half a minute of pauses, timeouts and
// restarts takes tens of milliseconds. Faults are counted in requests, not in time: "the 17th produce of process a". The code under
// test is what runs in production, down to kafka-go and clickhouse-go.
//
// There is nothing but tests here: go test ./internal/simulation -seeds 1000, -seed 17, -case '…'; make seeds SEEDS=100000.
package simulation
