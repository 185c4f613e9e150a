-- KEYS[1] "tv:gen". ARGV generation · field (topic/partition) · next offset · newest record timestamp of the batch (ms, 0 =
-- none). The last effect of every batch.
-- A worker that still works for a generation that was thrown away must not say that its batch is in the new one. One
-- that was paused and lost its partition comes back with an old batch: the offset does not go back to it, or whoever
-- waits for the end of the topic would wait for ever.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'GENERATION' end
local had = tonumber(redis.call('HGET', KEYS[1], ARGV[2]) or '-1')
if tonumber(ARGV[3]) > had then redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
if tonumber(ARGV[4]) > tonumber(redis.call('HGET', KEYS[1], 'newest') or '0') then
  redis.call('HSET', KEYS[1], 'newest', ARGV[4])
end
return 'DONE'
