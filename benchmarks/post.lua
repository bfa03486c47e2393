-- wrk's side of load.py: posts the file BODY as MEDIA_TYPE, and prints what was seen as one line of JSON.

local file = assert(io.open(os.getenv("BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*all")
wrk.headers["Content-Type"] = os.getenv("MEDIA_TYPE")
file:close()

local percentiles = { 50, 95, 99 }

function done(summary, latency)
  local seen = {}
  for _, percentile in ipairs(percentiles) do
    seen[#seen + 1] = string.format('"%d": %.6f', percentile, latency:percentile(percentile) / 1e6)
  end
  local errors = summary.errors
  io.write(string.format(
    '{"answers": %d, "seconds": %.6f, "refused": %d, "broken": %d, "latency_seconds": {%s}}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(seen, ", ")
  ))
end
