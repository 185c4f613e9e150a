-- KEYS[1] what the cases say of a person or a venue: hash case → order (8 bytes: epoch of the case's owner, its count) · body.
-- ARGV case · order · body. An older word does not replace a newer one: an owner that was paused may come back with it.
-- A row with no body stays, for its order.
local had = redis.call('HGET', KEYS[1], ARGV[1])
if had and string.sub(had, 1, 8) >= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ARGV[3])
return 1
