-- What tells a hash of counts from what it was before: both numbers only ever grow.
--
-- KEYS: hashes of counts
-- Returns: one text a hash, empty for one that does not exist

local versions = {}
for i, key in ipairs(KEYS) do
  local fields = redis.call('HMGET', key, 'events', 'latency_us')
  versions[i] = fields[1] and (fields[1] .. ':' .. fields[2]) or ''
end
return versions
