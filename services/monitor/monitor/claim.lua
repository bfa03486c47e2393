-- Take over entries that some consumer was given and never finished.
--
-- An entry that the stream has dropped meanwhile cannot be counted any more: it is acknowledged and counted as lost. XAUTOCLAIM
-- would take it off the pending list before that count is known to be possible (Redis takes back nothing of a script that
-- fails on its way, see apply.lua), so the entries are looked up first, and those that are there claimed one by one.
--
-- KEYS: stream, pipeline hash
-- ARGV: consumer group, consumer, milliseconds without progress, most entries
-- Returns: {{id, {field, value, ...}}, ...}, number of lost entries

local stream, pipeline, group = KEYS[1], KEYS[2], ARGV[1]
local entries, lost = {}, {}
for _, pending in ipairs(redis.call('XPENDING', stream, group, 'IDLE', ARGV[3], '-', '+', ARGV[4])) do
  local id = pending[1]
  local found = redis.call('XRANGE', stream, id, id)
  if #found == 1 then
    redis.call('XCLAIM', stream, group, ARGV[2], ARGV[3], id, 'JUSTID')
    entries[#entries + 1] = found[1]
  else
    lost[#lost + 1] = id
  end
end
if #lost > 0 then
  redis.call('HINCRBY', pipeline, 'lost', 0)
  for _, id in ipairs(lost) do redis.call('XACK', stream, group, id) end
  redis.call('HINCRBY', pipeline, 'lost', #lost)
end
return {entries, #lost}
