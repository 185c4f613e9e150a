-- KEYS[1] a partition's fence. ARGV[1] the time in seconds, for a server that has none of its own (tests); absent = TIME.
-- Reply: the epoch of the new owner, greater than every one before: also than those that FLUSHALL made Redis forget, or
-- an owner from before it would pass for the one that came after, and numbers would be used twice.
local had = tonumber(redis.call('GET', KEYS[1]) or '0')
local now = tonumber(ARGV[1] or redis.call('TIME')[1]) - 1600000000 -- 32 bits are enough until 2156
local epoch = string.format('%d', math.max(had + 1, now))
redis.call('SET', KEYS[1], epoch)
return epoch
