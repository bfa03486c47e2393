-- Forget consumers that have nothing pending: the one that leaves, and those that have not been seen for long.
--
-- KEYS: stream
-- ARGV: consumer group, consumer that leaves, milliseconds after which an unseen consumer is forgotten

for _, flat in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #flat, 2 do consumer[flat[i]] = flat[i + 1] end
  if consumer.pending == 0 and (consumer.name == ARGV[2] or consumer.idle > tonumber(ARGV[3])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
  end
end
