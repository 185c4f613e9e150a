-- KEYS fence, offsets of the partition's outputs. ARGV epoch · topic · offset up to which heads and bodies hold the topic.
-- A former owner would skip what the heads of the present one do not hold yet, and its numbers would be used again.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 'DONE'
