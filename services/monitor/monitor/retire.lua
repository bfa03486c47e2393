-- Add up the counters of publishers that have been silent for long, so that there are not ever more of them.
--
-- What such a publisher still held is gone with its process: dropped as "vanished". One that was only silent finds its hash
-- gone when it writes again, and counts from there. One whose hash is none, or holds what is no number, stays listed, and
-- keeps no other.
--
-- Redis takes back nothing of a script that fails on its way. So all is read first, then what may fail for a right or a type
-- is rehearsed, and a publisher is forgotten before it is added up: nothing is added twice. See apply.lua.
--
-- KEYS: sorted set of publishers, hash that holds the sum
-- ARGV: prefix of the publishers' hashes, name of the sum among them, newest time of a publisher to retire
-- Returns: how many were retired

local publishers, sum = KEYS[1], KEYS[2]
local NOBODY = ''

local function are_counters(hash)
  if hash.err then return false end
  for i = 2, #hash, 2 do
    if not string.match(hash[i], '^-?%d+$') then return false end
  end
  return true
end

local silent, counters = {}, {}
for _, instance in ipairs(redis.call('ZRANGEBYSCORE', publishers, '-inf', ARGV[3])) do
  local hash = redis.pcall('HGETALL', ARGV[1] .. instance)
  if hash.err and not string.find(hash.err, 'WRONGTYPE', 1, true) then return hash end
  if are_counters(hash) then silent[#silent + 1], counters[#counters + 1] = instance, hash end
end
if #silent == 0 then return 0 end

redis.call('HINCRBY', sum, 'answered', 0)
redis.call('DEL', ARGV[1] .. NOBODY)
redis.call('ZREM', publishers, NOBODY)
redis.call('ZADD', publishers, '+inf', ARGV[2])

for i, instance in ipairs(silent) do
  redis.call('ZREM', publishers, instance)
  redis.call('DEL', ARGV[1] .. instance)
  for j = 1, #counters[i], 2 do
    local field = counters[i][j] == 'buffered' and 'dropped_vanished' or counters[i][j]
    redis.call('HINCRBY', sum, field, counters[i][j + 1])
  end
end
return #silent
