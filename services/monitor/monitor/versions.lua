-- What tells a hash of counts from what it was before: numbers that only ever grow.
--
-- KEYS: hashes of counts
-- ARGV: the fields to look at
-- Returns: one text a hash, empty for one that does not exist

local versions = {}
for i, key in ipairs(KEYS) do
  local fields, exists = redis.call('HMGET', key, unpack(ARGV)), false
  for j, value in ipairs(fields) do
    if value then exists = true else fields[j] = '' end
  end
  versions[i] = exists and table.concat(fields, ':') or ''
end
return versions
