-- Count what a person said of a prediction, remember it with the prediction, and log it: all of it, or nothing.
--
-- Redis takes back nothing of a script that fails on its way. So what may fail for a right or a type comes before the counts,
-- and the prediction's text too: saying it again then counts nothing twice. See apply.lua.
--
-- KEYS: hash that remembers the prediction, log of feedback, hashes of counts to change
-- ARGV: prediction id, its text as read, its text from now on, what it was, longest length of the log, changes as JSON:
--   counts     {field: increment, ...}
--   expire_at  [epoch seconds or 0, ...]   one a hash
-- Returns: 1, or 0 if the text has changed since it was read

local remembered, log = KEYS[1], KEYS[2]
if redis.call('HGET', remembered, ARGV[1]) ~= ARGV[2] then return 0 end
local changes = cjson.decode(ARGV[6])
for i, expire_at in ipairs(changes.expire_at) do
  local field = next(changes.counts)
  redis.call('HINCRBY', KEYS[2 + i], field, 0)
  if expire_at > 0 then redis.call('EXPIREAT', KEYS[2 + i], expire_at) end
end
redis.call('HSET', remembered, ARGV[1], ARGV[2])
redis.call('XADD', log, 'MAXLEN', '~', ARGV[5], '*', 'prediction_id', ARGV[1], 'label', ARGV[4])
redis.call('HSET', remembered, ARGV[1], ARGV[3])
for i, expire_at in ipairs(changes.expire_at) do
  for field, increment in pairs(changes.counts) do
    redis.call('HINCRBY', KEYS[2 + i], field, increment)
  end
  if expire_at > 0 then redis.call('EXPIREAT', KEYS[2 + i], expire_at) end
end
return 1
