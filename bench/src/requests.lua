-- The requests of one load for wrk: one text with two places in it, and for each request the values of the two.
--
--   wrk … -s requests.lua URL -- FILE START
--
-- FILE begins with a line of six numbers: how many pairs of values there are, how long the first value of each is and how
-- long the second, how long the text is before the first place, between the places, and behind the second. Then come the
-- three texts and the pairs, without anything between them. START is how many requests are passed over.

-- The pairs are gone through in steps of this prime, so that neighbours do not follow each other.
local STEP = 7919

local sub = string.sub
local before, between, behind, pairs_, count, first, width
local at = 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local function number() return file:read("*n") end
   local function text(length) return file:read(length) or "" end
   count, first = number(), number()
   width = first + number()
   local lengths = { number(), number(), number() }
   file:read(1)
   before, between, behind = text(lengths[1]), text(lengths[2]), text(lengths[3])
   pairs_ = file:read("*a")
   file:close()
   at = tonumber(args[2]) * STEP % count
end

function request()
   at = (at + STEP) % count
   local start = at * width
   return before .. sub(pairs_, start + 1, start + first) .. between
      .. sub(pairs_, start + first + 1, start + width) .. behind
end

-- One line for a program: requests, duration and percentiles in microseconds, answers of 400 and above, broken connections.
function done(summary, latency)
   local errors = summary.errors
   io.write(string.format("result %d %d %d %d %d %d %d\n", summary.requests, summary.duration,
      latency:percentile(50), latency:percentile(99), latency:percentile(99.9), errors.status,
      errors.connect + errors.read + errors.write + errors.timeout))
end
