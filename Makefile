# Two commands for a start: make demo, make test. Neither needs root.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
BIN     := .bin/corridorwatch

.PHONY: demo test long build page engine kafka accept soak faults seeds fuzz bench check generate clean

demo: build engine        ## embedded everything, and a simulated world at speed
	@$(BIN) demo

test: build engine kafka  ## the tests; those whose tools are missing are skipped by name
	go test -timeout 60m ./...
	@$(MAKE) -s fuzz

long: build engine kafka  ## tests that take longer than one waits for: other brokers, other worlds, faults of three brokers
	CORRIDORWATCH_LONG=1 go test -timeout 60m -run '^TestLong' $(shell grep -rl --include='*_test.go' '^func TestLong' . | xargs -n 1 dirname | sort -u)
	go test -timeout 60m -run 'TestSeeds|TestFoldedTwice' ./internal/simulation -seeds 300 -logs 150
	go test -timeout 60m -run TestQuietDays ./processors/delay -quiet 4

PAGE := processors/live/web

page: $(PAGE)/dist/index.html ## the operators' page, built by npm into the binary

$(PAGE)/dist/index.html: $(shell git ls-files $(PAGE))
	@if command -v npm >/dev/null; then cd $(PAGE) && npm ci --no-fund --no-audit --loglevel=error && npm run --silent build && touch dist/index.html; \
	else echo "npm is missing: building without the page" >&2; fi

build: page
	@echo "compiling corridorwatch ..." >&2; began=$$(date +%s); \
	go build -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/corridorwatch && \
	echo "compiled in $$(( $$(date +%s) - began )) s (downloading the modules included, the first time)" >&2

engine: build             ## the ClickHouse engine, once per user, from npm
	@$(BIN) engine fetch

kafka:                    ## the Apache Kafka that tests run against, once per user, from Maven Central
	@echo "looking for Apache Kafka (the first time Maven fetches 43 MB) ..." >&2; \
	go test -count=1 -v -run '^TestHere$$' ./internal/kafkatest | grep '^Apache Kafka'

accept: build engine      ## the simulated world against its truth: make accept ARGS="--days 14"
	@$(BIN) accept $(ARGS)

soak: engine kafka        ## the crash test in full, goes on where it was interrupted: make soak SEED=7 PARALLEL=3, or BROKERS=host:9092 CLICKHOUSE=host:8123
	nice go test -v -count=1 -timeout 48h -parallel $(or $(PARALLEL),1) -run '^TestCrash$$' ./cmd/corridorwatch -rounds $(or $(ROUNDS),200) -kafka-rounds $(or $(KAFKA_ROUNDS),100) \
		-seed $(or $(SEED),0) -state $(or $(STATE),$(CURDIR)/.soak) $(if $(BROKERS),-brokers $(BROKERS)) $(if $(CLICKHOUSE),-clickhouse $(CLICKHOUSE))

faults: engine kafka      ## what can happen to three brokers while events flow, all of it; make long has the short ones
	CORRIDORWATCH_LONG=1 go test -v -count=1 -timeout 1h -run 'TestLongBrokerFaults' ./cmd/corridorwatch -all-faults

seeds:                    ## simulated faults: make seeds SEEDS=100000; goes on where it was stopped, SEED=17 repeats one
	@mkdir -p .bin
	go test -v -count=1 -timeout 48h -run TestSeeds ./internal/simulation $(if $(SEED),-seed $(SEED),-seeds $(or $(SEEDS),100000) -progress $(CURDIR)/.bin/seeds.txt)

# Inputs that once failed lie in testdata/fuzz and are part of the tests; what else was found useful lies in Go's cache. Of minimizing
# only little is asked: it is on by default for a minute for each input found, in which nothing else is tried. That a target "failed" by
# nothing but the end of its time is a race of the go command before 1.27 (go.dev/issue/75804). What was found is named, also where that
# race cuts it short while it is made smaller.
fuzz:                     ## every fuzz target for ten seconds, two at a time: make fuzz FUZZTIME=10m TARGET=FuzzHistory
	@targets=$$(grep -rHo --include='*_test.go' '^func $(or $(TARGET),Fuzz[A-Za-z0-9]*)(' . | sed 's|/[^/]*:func | |; s|($$||' | sort); \
	[ -n "$$targets" ] || { echo "there is no fuzz target $(TARGET)"; exit 1; }; \
	echo "$$targets" | xargs -P 2 -L 1 sh -c 'said=$$(go test -vet=off -run "^$$" -fuzz "^$$1$$" -fuzztime $(or $(FUZZTIME),10s) -fuzzminimizetime 10x -parallel 1 "$$0" 2>&1) || \
		case "$$said" in *"ailing input"*|*"failure while testing"*) false;; *"    context deadline exceeded"*) ;; *) false;; esac && \
		echo "$$1 in $$0: $$(echo "$$said" | grep "^fuzz: " | tail -1)" || { echo "$$1 in $$0 failed"; echo "$$said"; exit 255; }'

bench:                    ## benchmarks (docs/benchmarks.md): make bench BENCH=Visits TIME=3x
	@go test -timeout 60m -run '^$$' -bench '$(or $(BENCH),.)' -benchtime $(or $(TIME),1s) -benchmem $(or $(PACKAGE),./...) | \
	awk -v when="$$(date -u '+%Y-%m-%d %H:%M') UTC, $$(nproc) cores" -f bench.awk

check:                    ## what must be true of every commit, besides the tests
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "run gofmt -w on:"; echo "$$unformatted"; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	go mod tidy -diff

generate:                 ## needs protoc (Debian: protobuf-compiler)
	go generate ./schemas

clean:
	rm -rf .bin
