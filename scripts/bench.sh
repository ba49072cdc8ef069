#!/usr/bin/env bash
# The figures of docs/performance.md, on this machine, as ratios against nginx
# in interleaved runs. Everything stays on loopback and ends by itself.
#
#   ROUNDS=3 SECONDS_PER_RUN=6 LINKS=100000 MILLION=1 scripts/bench.sh
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${ROUNDS:-3}
RUN=${SECONDS_PER_RUN:-6}
LINKS=${LINKS:-100000}     # links that are clicked at random
MILLION=${MILLION:-1}      # measure memory with a million links, 0 to leave it out
LINKS_PORT=18080 API_PORT=18081 NGINX_PORT=18082

need() {
	command -v "$1" >/dev/null 2>&1 && return
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
		(apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$2") >/dev/null 2>&1 || true
	fi
	command -v "$1" >/dev/null 2>&1 || { echo "the benchmark needs $1 (Debian: $2), which is not here and could not be installed" >&2; exit 1; }
}
need nginx nginx-light
need wrk wrk
need taskset util-linux
need curl curl
[ "$(nproc)" -ge 2 ] || { echo "the benchmark needs two processors: one for the server, one for the load" >&2; exit 1; }

work=$(mktemp -d)
pids=()
finish() {
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
trap finish EXIT

go build -trimpath -o "$work/waypost" ./cmd/waypost
awk -F'\t' '$1=="person" && ($2=="ios" || $2=="android") {print $4}' internal/device/testdata/agents.tsv >"$work/agents"
export BENCH_AGENTS=$work/agents BENCH_LINKS=$LINKS BENCH_SEED=1

cat >"$work/nginx.conf" <<CONF
worker_processes 1;
worker_cpu_affinity 01;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx-error.log;
events { worker_connections 1024; }
http {
	access_log $work/access.log combined buffer=64k flush=1s;
	keepalive_requests 1000000000;
	server {
		listen 127.0.0.1:$NGINX_PORT backlog=1024;
		location / { return 302 https://play.google.com/store/apps/details?id=com.example.bench&referrer=af_tranid%3DOTAyMzg2MTI4MjYxMzc3OTg4Mw%253D%253D%26pid%3Dnewsletter%26c%3Dspring-2026; }
	}
}
CONF

wait_for() { # url
	for _ in $(seq 200); do curl -s -o /dev/null "$1" && return; sleep 0.05; done
	echo "$1 does not answer" >&2
	exit 1
}
serve() { # processors, further flags
	local cpus=$1
	shift
	taskset -c "$cpus" "$work/waypost" serve --data "$work/data" --links 127.0.0.1:$LINKS_PORT --api 127.0.0.1:$API_PORT \
		--apply scripts/bench/account.yaml --log-level warn "$@" 2>>"$work/waypost.log" &
	waypost=$!
	pids+=("$waypost")
	wait_for http://127.0.0.1:$API_PORT/readyz
}
stop_waypost() { kill "$waypost"; wait "$waypost" || true; }
rss() { awk '/^VmRSS/ {printf "%.0f", $2/1024}' "/proc/$waypost/status"; }
bulk() { # first, number; prints links per second
	seq "$1" $(($1 + $2 - 1)) | awk 'BEGIN {printf "{\"links\":["} {printf "%s{\"template\":\"A1b3\",\"id\":\"b%s\",\"ttl\":\"90d\",\"data\":{\"pid\":\"newsletter\",\"c\":\"spring-2026\",\"deep_link_value\":\"product/%s\",\"deep_link_sub1\":\"red\"}}", (NR>1?",":""), $1, $1} END {print "]}"}' >"$work/batch"
	curl -s -o "$work/reply" -w '%{time_total} %{http_code}\n' -H 'Expect:' -H 'authorization: bench-token' -H 'content-type: application/json' --data-binary @"$work/batch" \
		"http://127.0.0.1:$API_PORT/waypost/v1/links:batch" | awk -v n="$2" '$2==200 {printf "%.0f\n", n/$1} $2!=200 {print "status " $2; exit 1}'
}
median() { sort -n | awk '{v[NR]=$1} END {if (NR) print v[int((NR+1)/2)]}'; }
run_wrk() { wrk -t1 "$@" | awk '/^RESULT/ {$1=""; print}'; }

echo "machine: $(awk -F: '/model name/ {print $2; exit}' /proc/cpuinfo | xargs), $(nproc) processors, $(go version | cut -d' ' -f3), commit $(git rev-parse --short HEAD 2>/dev/null || echo none)"

serve 0,1
echo "memory, idle: $(rss) MB"
for i in $(seq 0 10000 $((LINKS - 1))); do bulk "$i" 10000; done >"$work/bulk"
echo "create, bulk of 10 000: $(median <"$work/bulk") links/s (median of $(wc -l <"$work/bulk") calls, generator on the same processors)"
run_wrk -c32 -d"${RUN}s" -s scripts/bench/create.lua "http://127.0.0.1:$API_PORT" >"$work/create"
echo "create, one by one, 32 connections: $(awk '{print $1 " links/s, p50 " $2 " us, p99 " $3 " us, errors " $4}' "$work/create") (generator on the same processors)"
stop_waypost

taskset -c 0 nginx -c "$work/nginx.conf" -e "$work/nginx-error.log" &
pids+=("$!")
serve 0
wait_for http://127.0.0.1:$NGINX_PORT/
metric() { curl -s "http://127.0.0.1:$API_PORT/metrics" | awk -v name="waypost_$1" '$1==name {printf "%d", $2}'; }
while [ "$(metric clicks_answered_total)" -lt "$LINKS" ]; do # every link once
	BENCH_START=$(metric clicks_answered_total) taskset -c 1 wrk -t1 -c64 -d1s -s scripts/bench/warm.lua "http://127.0.0.1:$LINKS_PORT" >/dev/null
done
for connections in 64 256; do
	: >"$work/ours" ; : >"$work/nginx"
	for round in $(seq "$ROUNDS"); do
		export BENCH_SEED=$round
		run_wrk_on_1() { taskset -c 1 wrk -t1 -c$connections -d"${RUN}s" -s scripts/bench/clicks.lua "$1" | awk '/^RESULT/ {$1=""; print}'; }
		run_wrk_on_1 "http://127.0.0.1:$NGINX_PORT" >>"$work/nginx"
		run_wrk_on_1 "http://127.0.0.1:$LINKS_PORT" >>"$work/ours"
	done
	o=$(awk '{print $1}' "$work/ours" | median); n=$(awk '{print $1}' "$work/nginx" | median)
	echo "redirects, $connections connections: waypost $o/s (p50 $(awk '{print $2}' "$work/ours" | median) us, p99 $(awk '{print $3}' "$work/ours" | median) us)," \
		"nginx $n/s (p50 $(awk '{print $2}' "$work/nginx" | median) us, p99 $(awk '{print $3}' "$work/nginx" | median) us)," \
		"ratio $(awk -v o="$o" -v n="$n" 'BEGIN {printf "%.2f", o/n}'), errors $(awk '{s+=$4} END {print s}' "$work/ours")"
done
echo "memory, $LINKS links clicked: $(rss) MB"
stop_waypost

if [ "$MILLION" = 1 ]; then
	serve 0,1
	for _ in $(seq 3000); do [ "$(metric counting_lag_batches)" = 0 ] && break; sleep 0.1; done # what the redirects left behind
	for i in $(seq 1000000 10000 1999999); do bulk "$i" 10000; done >"$work/bulk"
	echo "create, bulk of 10 000 on the way to a million links: $(median <"$work/bulk") links/s, slowest $(sort -n "$work/bulk" | head -n 1)"
	stop_waypost
	serve 0,1
	BENCH_LINKS=1000000 wrk -t1 -c64 -d"${RUN}s" -s scripts/bench/clicks.lua "http://127.0.0.1:$LINKS_PORT" >/dev/null
	echo "memory, a million links: $(rss) MB"
	began=$(date +%s%N)
	for _ in $(seq 1200); do [ "$(metric counting_lag_batches)" = 0 ] && break; sleep 0.1; done
	echo "counting caught up with $(metric counted_events_total) clicks $(( ($(date +%s%N) - began) / 1000000 )) ms after the load of ${RUN} s ended"
	stop_waypost
fi
"$work/waypost" verify --data "$work/data" --log-level warn
