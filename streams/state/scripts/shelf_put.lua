-- KEYS[1] a hash. ARGV field · expected row ("" = none) · new row. Reply 1, or 0 when the row is no longer the expected one.
local had = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if had == ARGV[3] then return 1 end
if had ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
