-- Which persons' codes are not kept yet: KEYS[1] tv:vault:{1f}: · ARGV[1] entries of 14 bytes, sub (2) token (8) second (4).
-- Reply: a string, '1' per entry whose code is to be put in, '0' per entry that needs nothing.
-- The prefix with a bucket's tag is the declared key: all keys made of it are in one slot.
-- A destroyed entry has 5 bytes: 'D' and the last second that the erasure reaches. A sighting after it may put the code back.
local blob, sub, out = ARGV[1], string.sub, {}
for i = 1, #blob, 14 do
  local key, token = KEYS[1] .. sub(blob, i, i + 1), sub(blob, i + 2, i + 9)
  local length = redis.call('HSTRLEN', key, token)
  local want = length == 0
  if length == 5 then
    local at = struct.unpack('>I4', redis.call('HGET', key, token), 2)
    want = struct.unpack('>I4', blob, i + 10) > at
  end
  out[#out + 1] = want and '1' or '0'
end
return table.concat(out)
