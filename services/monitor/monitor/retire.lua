-- Add up the counters of publishers that have been silent for long, so that there are not ever more of them.
--
-- What such a publisher still held is gone with its process: dropped as "vanished". One that was only silent finds its hash
-- gone when it writes again, and counts from there.
--
-- KEYS: sorted set of publishers, hash that holds the sum
-- ARGV: prefix of the publishers' hashes, name of the sum among them, newest time of a publisher to retire
-- Returns: how many were retired

local publishers, sum = KEYS[1], KEYS[2]
local silent = redis.call('ZRANGEBYSCORE', publishers, '-inf', ARGV[3])
for _, instance in ipairs(silent) do
  local counters = redis.call('HGETALL', ARGV[1] .. instance)
  for i = 1, #counters, 2 do
    if counters[i] == 'buffered' then
      redis.call('HINCRBY', sum, 'dropped_vanished', counters[i + 1])
    else
      redis.call('HINCRBY', sum, counters[i], counters[i + 1])
    end
  end
  redis.call('DEL', ARGV[1] .. instance)
  redis.call('ZREM', publishers, instance)
end
if #silent > 0 then redis.call('ZADD', publishers, '+inf', ARGV[2]) end
return #silent
