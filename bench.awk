# Turns the output of "go test -bench" into a table: what a benchmark measures by itself, or time and memory of one operation.

/^pkg: /   { pkg = $2 }
/^cpu: /   { sub(/^cpu: /, ""); cpu = $0 }
/^FAIL|^ *---|^panic|_test.go:[0-9]+:/ { print; failed = 1 }
/^Benchmark/ && NF > 2 {
	name = $1; sub(/^Benchmark/, "", name); sub(/-[0-9]+$/, "", name)
	own = ""; plain = ""
	for (i = 3; i < NF; i += 2) {
		cell = sprintf("%16s %-19s", number($i), $(i + 1))
		if ($(i + 1) ~ /^(ns|B|allocs)\/op$/) plain = plain cell
		else own = own cell
	}
	if (pkg != told) { printf "%s%s\n", told ? "\n" : "", pkg; told = pkg }
	printf "  %-34s%s\n", name, own ? own : plain
	fflush()
}
END { printf "\non %s, %s\n", cpu, when; exit failed }

# number writes large ones with commas and of small ones three figures.
function number(v,   s, n, out) {
	if (v < 100) return sprintf("%.3g", v)
	s = sprintf("%d", v + 0.5)
	for (n = length(s); n > 3; n -= 3) out = "," substr(s, n - 2, 3) out
	return substr(s, 1, n) out
}
