-- KEYS[1] prefix of one bucket's names of persons ("tv:i:{1f}:"). ARGV[1] person tokens (8 each).
-- Reply: the other 8 bytes of each pseudonym, in order; false where there are none.
local sub, call = string.sub, redis.call
local blob, prefix, out = ARGV[1], KEYS[1], {}
for i = 1, #blob, 8 do
  local token = sub(blob, i, i + 7)
  out[#out + 1] = call('HGET', prefix .. string.format('%02x', string.byte(token, 2)), token)
end
return out
