-- Clicks random links as random phones. Requests are made before the run, so
-- that the load generator costs as little as it can.
local requests = {}

function init(args)
	local agents = {}
	for line in io.lines(os.getenv("BENCH_AGENTS")) do
		agents[#agents + 1] = line
	end
	local links = tonumber(os.getenv("BENCH_LINKS"))
	math.randomseed(tonumber(os.getenv("BENCH_SEED")))
	for i = 1, 100000 do
		requests[i] = wrk.format("GET", "/A1b3/b" .. math.random(0, links - 1), {
			["Host"] = "bench.localhost",
			["User-Agent"] = agents[math.random(#agents)],
			["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
			["Accept-Language"] = "en-GB,en;q=0.9",
		})
	end
end

function request()
	return requests[math.random(100000)]
end

function done(summary, latency, requests)
	local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
	io.write(string.format("RESULT %.0f %.0f %.0f %d %d\n", summary.requests / summary.duration * 1e6,
		latency:percentile(50), latency:percentile(99), errors, summary.requests))
end
