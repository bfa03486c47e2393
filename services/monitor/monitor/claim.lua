-- Take over entries that some consumer was given and never finished.
--
-- An entry that the stream has dropped meanwhile cannot be counted any more: it is acknowledged and counted as lost.
-- Redis 7 takes such entries off the pending list by itself and returns their ids apart; Redis 6.2 returns them as claimed.
--
-- KEYS: stream, pipeline hash
-- ARGV: consumer group, consumer, milliseconds without progress, most entries
-- Returns: {{id, {field, value, ...}}, ...}, number of lost entries

local stream, pipeline = KEYS[1], KEYS[2]
local claimed = redis.call('XAUTOCLAIM', stream, ARGV[1], ARGV[2], ARGV[3], '0-0', 'COUNT', ARGV[4], 'JUSTID')
local entries, lost = {}, claimed[3] and #claimed[3] or 0
for _, id in ipairs(claimed[2]) do
  local found = redis.call('XRANGE', stream, id, id)
  if #found == 1 then
    entries[#entries + 1] = found[1]
  else
    redis.call('XACK', stream, ARGV[1], id)
    lost = lost + 1
  end
end
if lost > 0 then
  redis.call('HINCRBY', pipeline, 'lost', lost)
end
return {entries, lost}
