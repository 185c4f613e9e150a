-- A versioned table: KEYS rows (hash), log (sorted set: field by the version that changed it), version (counter).
-- ARGV field · expected row ("" = none) · new row ("" = delete). Reply 1, or 0 when the row is no longer the expected one.
-- Readers hold a copy and ask for what changed since their version; row and version move together or not at all.
local had = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if had == ARGV[3] then return 1 end
if had ~= ARGV[2] then return 0 end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
redis.call('ZADD', KEYS[2], redis.call('INCR', KEYS[3]), ARGV[1])
return 1
