-- Apply one batch of stream entries, remember the ids it counts and acknowledge it: all of it, or nothing.
--
-- Nothing is written unless every entry is still pending for the group (nobody else has applied it) and none of its ids is
-- remembered (no copy of it was counted). Otherwise the entries and ids in the way are returned, and the caller
-- computes a new batch without them. Sending a batch a second time, after a lost reply, therefore changes nothing.
--
-- Redis takes back nothing of a script that fails on its way, so this is the order in which nothing can count twice:
--   1. Reading. What the stream, the pipeline or a hash to remember in is not of its type for has written nothing.
--   2. A rehearsal: the commands to come, so that they change nothing. Where this user lacks the right to a command or a
--      key, or a hash of counts is none, it ends here: the batch waits as a whole until that is mended.
--   3. The dead letters: nothing may say that they are there before they are. They have no rehearsal, but come first.
--   4. The ids. From here on the same batch again counts as duplicates: what is not counted now is never counted, which
--      shows as missing. Only a count that is no number, or too large a one, can still end it.
--   5. The counts, and last among them the pipeline's: those say that an event is counted.
--   6. The acknowledgement. Without it the entries come again, and are known.
--
-- KEYS: stream, stream of dead letters, pipeline hash, hashes to add to, hashes to remember in
-- ARGV: consumer group, number of hashes, seconds to remember, longest length of the dead letters, batch as JSON:
--   entry_ids  [id, ...]                        in the order of the stream
--   counts     [{field: increment, ...}, ...]   one a hash
--   expire_at  [epoch seconds or 0, ...]        one a hash
--   remember   [{id: text, ...}, ...]           one a hash
--   dead       [[entry id, reason, content], ...]
--   last_event_us
-- Returns: {entries no longer pending}, {ids remembered}; both empty when the batch was applied

local stream, dead_stream, pipeline = KEYS[1], KEYS[2], KEYS[3]
local group, hashes = ARGV[1], tonumber(ARGV[2])
local batch = cjson.decode(ARGV[5])
local CHUNK = 1000 -- even; Lua can unpack some thousand values into one call

local function hash_key(i) return KEYS[3 + i] end
local function remembered_key(i) return KEYS[3 + hashes + i] end

local function in_chunks(values, call)
  for from = 1, #values, CHUNK do
    call(from, math.min(from + CHUNK - 1, #values))
  end
end

-- All pending ids in a range, which costs a tenth of asking for each.
local function pending_between(first, last)
  local is_pending, from = {}, first
  repeat
    local some = redis.call('XPENDING', stream, group, from, last, CHUNK)
    for _, pending in ipairs(some) do is_pending[pending[1]] = true end
    if #some > 0 then from = '(' .. some[#some][1] end
  until #some < CHUNK
  return is_pending
end

local gone, known = {}, {}
local is_pending = pending_between(batch.entry_ids[1], batch.entry_ids[#batch.entry_ids])
for _, id in ipairs(batch.entry_ids) do
  if not is_pending[id] then gone[#gone + 1] = id end
end
local ids, texts = {}, {} -- one list a hash to remember in; texts alternate with ids, as HSET takes them
for i, remember in ipairs(batch.remember) do
  ids[i], texts[i] = {}, {}
  for id, text in pairs(remember) do
    ids[i][#ids[i] + 1] = id
    texts[i][#texts[i] + 1] = id
    texts[i][#texts[i] + 1] = text
  end
  in_chunks(ids[i], function(from, to)
    for offset, remembered in ipairs(redis.call('HMGET', remembered_key(i), unpack(ids[i], from, to))) do
      if remembered then known[#known + 1] = ids[i][from + offset - 1] end
    end
  end)
end
if #gone > 0 or #known > 0 then
  return {gone, known}
end
local last_event_us = tonumber(redis.call('HGET', pipeline, 'last_event_us') or -1)

for i, counts in ipairs(batch.counts) do
  local key, field = hash_key(i), next(counts)
  if field then
    redis.call('HINCRBY', key, field, 0)
    redis.call('HSET', key, field, redis.call('HGET', key, field))
  end
  if batch.expire_at[i] > 0 then redis.call('EXPIREAT', key, batch.expire_at[i]) end
end
for i = 1, #ids do redis.call('EXPIRE', remembered_key(i), ARGV[3]) end
redis.call('XACK', stream, group, '0-0')

for _, letter in ipairs(batch.dead) do
  redis.call('XADD', dead_stream, 'MAXLEN', '~', ARGV[4], '*',
    'entry_id', letter[1], 'reason', letter[2], 'content', letter[3])
end
for i, pairs_of_hash in ipairs(texts) do
  in_chunks(pairs_of_hash, function(from, to) redis.call('HSET', remembered_key(i), unpack(pairs_of_hash, from, to)) end)
  redis.call('EXPIRE', remembered_key(i), ARGV[3])
end
for i, counts in ipairs(batch.counts) do
  for field, increment in pairs(counts) do
    redis.call('HINCRBY', hash_key(i), field, increment)
  end
  if batch.expire_at[i] > 0 then redis.call('EXPIREAT', hash_key(i), batch.expire_at[i]) end
end
if batch.last_event_us > last_event_us then
  redis.call('HSET', pipeline, 'last_event_us', string.format('%.0f', batch.last_event_us))
end
in_chunks(batch.entry_ids, function(from, to)
  redis.call('XACK', stream, group, unpack(batch.entry_ids, from, to))
end)
return {gone, known}
