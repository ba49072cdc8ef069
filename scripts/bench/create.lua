-- Creates links through the OneLink API v2.0, one by one.
wrk.method = "POST"
wrk.path = "/api/v2.0/shortlinks/A1b3"
wrk.headers["authorization"] = "bench-token"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"data":{"pid":"newsletter","c":"spring-2026","deep_link_value":"product/12345","deep_link_sub1":"red"},"ttl":"90d"}'

function done(summary, latency, requests)
	local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout
	io.write(string.format("RESULT %.0f %.0f %.0f %d %d\n", summary.requests / summary.duration * 1e6,
		latency:percentile(50), latency:percentile(99), errors, summary.requests))
end
