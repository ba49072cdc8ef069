-- Clicks every link in turn from BENCH_START on, so that the runs that are
-- measured find them in memory.
local n, agents, links

function init(args)
	n, links, agents = tonumber(os.getenv("BENCH_START")), tonumber(os.getenv("BENCH_LINKS")), {}
	for line in io.lines(os.getenv("BENCH_AGENTS")) do
		agents[#agents + 1] = line
	end
end

function request()
	n = n + 1
	return wrk.format("GET", "/A1b3/b" .. (n % links), { ["Host"] = "bench.localhost", ["User-Agent"] = agents[n % #agents + 1] })
end
