-- What person tokens stand for. KEYS[1] prefix of the bucket's shards ("tv:i:{1f}:"), ARGV[1] pseudonyms (16 bytes each):
-- the first 8 are the token, the rest its name; the second byte chooses the shard.
-- Reply: the tokens that already stand for another pseudonym. Two persons under one token would be merged.
local sub, call = string.sub, redis.call
local all, clash = ARGV[1], {}
for i = 1, #all, 16 do
  local key = KEYS[1] .. string.format('%02x', string.byte(all, i + 1))
  local token, rest = sub(all, i, i + 7), sub(all, i + 8, i + 15)
  if call('HSETNX', key, token, rest) == 0 and call('HGET', key, token) ~= rest then clash[#clash + 1] = token end
end
return clash
