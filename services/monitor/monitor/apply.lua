-- Apply one batch of stream entries, remember the ids it counts and acknowledge it: all of it, or nothing.
--
-- Nothing is written unless every entry is still pending for the group (nobody else has applied it) and none of its ids is
-- remembered (no copy of it was counted). Otherwise the entries and ids in the way are returned, and the caller
-- computes a new batch without them. Sending a batch a second time, after a lost reply, therefore changes nothing.
--
-- KEYS: stream, stream of dead letters, pipeline hash, hashes to add to, sets to remember in
-- ARGV: consumer group, number of hashes, seconds to remember, longest length of the dead letters, batch as JSON:
--   entry_ids  [id, ...]
--   counts     [{field: increment, ...}, ...]   one a hash
--   expire_at  [epoch seconds or 0, ...]        one a hash
--   remember   [[id, ...], ...]                 one a set
--   dead       [[entry id, reason, content], ...]
--   last_event_us
-- Returns: {entries no longer pending}, {ids remembered}; both empty when the batch was applied

local stream, dead_stream, pipeline = KEYS[1], KEYS[2], KEYS[3]
local group, hashes = ARGV[1], tonumber(ARGV[2])
local batch = cjson.decode(ARGV[5])
local CHUNK = 1000 -- Lua can unpack some thousand values into one call

local function hash_key(i) return KEYS[3 + i] end
local function set_key(i) return KEYS[3 + hashes + i] end

local function in_chunks(values, call)
  for from = 1, #values, CHUNK do
    call(from, math.min(from + CHUNK - 1, #values))
  end
end

local gone, known = {}, {}
for _, id in ipairs(batch.entry_ids) do
  if #redis.call('XPENDING', stream, group, id, id, 1) == 0 then
    gone[#gone + 1] = id
  end
end
for i, ids in ipairs(batch.remember) do
  in_chunks(ids, function(from, to)
    local remembered = redis.call('SMISMEMBER', set_key(i), unpack(ids, from, to))
    for offset, is_member in ipairs(remembered) do
      if is_member == 1 then
        known[#known + 1] = ids[from + offset - 1]
      end
    end
  end)
end
if #gone > 0 or #known > 0 then
  return {gone, known}
end

for i, counts in ipairs(batch.counts) do
  for field, increment in pairs(counts) do
    redis.call('HINCRBY', hash_key(i), field, increment)
  end
  if batch.expire_at[i] > 0 then
    redis.call('EXPIREAT', hash_key(i), batch.expire_at[i])
  end
end
if batch.last_event_us > tonumber(redis.call('HGET', pipeline, 'last_event_us') or -1) then
  redis.call('HSET', pipeline, 'last_event_us', string.format('%.0f', batch.last_event_us))
end
for i, ids in ipairs(batch.remember) do
  in_chunks(ids, function(from, to) redis.call('SADD', set_key(i), unpack(ids, from, to)) end)
  redis.call('EXPIRE', set_key(i), ARGV[3])
end
for _, letter in ipairs(batch.dead) do
  redis.call('XADD', dead_stream, 'MAXLEN', '~', ARGV[4], '*',
    'entry_id', letter[1], 'reason', letter[2], 'content', letter[3])
end
in_chunks(batch.entry_ids, function(from, to)
  redis.call('XACK', stream, group, unpack(batch.entry_ids, from, to))
end)
return {gone, known}
