-- KEYS[1] prefix of one bucket's person shards. ARGV[1] entries of 14 bytes: shard name (6) · person token (8), of
-- which the shard's name says the first byte.
-- Reply: the records of each, in order; false where there are none.
local sub, call = string.sub, redis.call
local blob, prefix, out = ARGV[1], KEYS[1], {}
for i = 1, #blob, 14 do
  out[#out + 1] = call('HGET', prefix .. sub(blob, i, i + 5), sub(blob, i + 7, i + 13))
end
return out
