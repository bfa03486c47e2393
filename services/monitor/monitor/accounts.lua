-- Where every event is, at one moment: what publishers say, what waits in the stream, what was counted.
--
-- KEYS: stream, pipeline hash, sorted set of publishers
-- ARGV: consumer group, prefix of the publishers' hashes, most entries to count one by one
-- Returns: lag, 1 if the lag is exact, pending, entries ever added (-1 where Redis does not say, before 7.0),
--   the pipeline hash, the hashes of all publishers (as field, value, ...), empty for one that is no hash: what nobody
--   can read takes no report away, and shows as missing

local stream, pipeline, publishers = KEYS[1], KEYS[2], KEYS[3]

local function as_table(flat)
  local result = {}
  for i = 1, #flat, 2 do result[flat[i]] = flat[i + 1] end
  return result
end

local function parts(id)
  local milliseconds, number = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(milliseconds), tonumber(number)
end

local function is_before(a, b)
  local a_milliseconds, a_number = parts(a)
  local b_milliseconds, b_number = parts(b)
  return a_milliseconds < b_milliseconds or (a_milliseconds == b_milliseconds and a_number < b_number)
end

local function find_group()
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local group = as_table(flat)
    if group['name'] == ARGV[1] then return group end
  end
  return {['last-delivered-id'] = '0-0', pending = 0}
end

local function sum_of(counts)
  local sum = 0
  for field, count in pairs(counts) do
    if field ~= 'last_event_us' then sum = sum + count end
  end
  return sum
end

local function lag_of(group, info, settled)
  local delivered = group['last-delivered-id']
  if info['length'] == 0 or not is_before(delivered, info['last-generated-id']) then return 0, 1 end
  local first = info['first-entry'][1]
  if is_before(delivered, first) then return info['length'], 1 end
  -- More than were added and not settled cannot wait. Redis says so once it was started again, or a replica promoted: how
  -- much the group has read is then what it was when the log was rewritten, or the replica began (not in 8.0).
  if group['lag'] and group['lag'] <= info['entries-added'] - settled - group['pending'] then return group['lag'], 1 end
  -- Nor does it know before 7.0: count a few, guess many by how far their time is along the stream's.
  local limit = tonumber(ARGV[3])
  local waiting = #redis.call('XRANGE', stream, '(' .. delivered, '+', 'COUNT', limit)
  if waiting < limit then return waiting, 1 end
  local begin, now, last = parts(first), parts(delivered), parts(info['last-generated-id'])
  return math.max(waiting, math.floor(info['length'] * (last - now) / math.max(last - begin, 1))), 0
end

local counted = redis.call('HGETALL', pipeline)
local lag, is_exact, pending, added = 0, 1, 0, -1
if redis.call('EXISTS', stream) == 1 then
  local info, group = as_table(redis.call('XINFO', 'STREAM', stream)), find_group()
  lag, is_exact = lag_of(group, info, sum_of(as_table(counted)))
  pending, added = group['pending'], info['entries-added'] or -1
end
local counters = {}
for i, instance in ipairs(redis.call('ZRANGE', publishers, 0, -1)) do
  local hash = redis.pcall('HGETALL', ARGV[2] .. instance)
  if hash.err and not string.find(hash.err, 'WRONGTYPE', 1, true) then return hash end
  counters[i] = hash.err and {} or hash
end
return {lag, is_exact, pending, added, counted, counters}
