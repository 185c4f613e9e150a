-- KEYS[1] "tv:gen". ARGV generation · field (topic/partition) · next offset. The last effect of every batch.
-- A worker that still works for a generation that was thrown away must not say that its batch is in the new one.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'GENERATION' end
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
return 'DONE'
