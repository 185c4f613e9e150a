-- KEYS[1] cases to be looked at again (zset: case by ms). ARGV case · ms. Takes the case out unless a later time is set.
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if at and tonumber(at) <= tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
return 0
