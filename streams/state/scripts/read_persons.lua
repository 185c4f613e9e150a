-- KEYS[1] prefix of one bucket's person shards. ARGV[1] entries of 16 bytes: shard name (8) · person token (8), of
-- which the shard's name says the first byte.
-- Reply: the records of each, in order; false where there are none.
local sub, call = string.sub, redis.call
local blob, prefix, out = ARGV[1], KEYS[1], {}
for i = 1, #blob, 16 do
  out[#out + 1] = call('HGET', prefix .. sub(blob, i, i + 7), sub(blob, i + 9, i + 15))
end
return out
