-- Which persons' codes are not kept yet: KEYS[1] tv:vault:{1f}: · ARGV[1] entries of 14 bytes, sub (2) token (8) second (4).
-- Reply: a string, '1' per entry whose code is to be put in, '0' per entry that needs nothing.
-- The prefix with a bucket's tag is the declared key: all keys made of it are in one slot.
-- A kept code takes on the second of a later sighting: its age, and whether an erasure reaches it, go by the last one.
-- A destroyed entry has 5 bytes: 'D' and the last second that the erasure reaches. A sighting after it may put the code back.
local blob, sub, call, out = ARGV[1], string.sub, redis.call, {}
for i = 1, #blob, 14 do
  local key, token = KEYS[1] .. sub(blob, i, i + 1), sub(blob, i + 2, i + 9)
  local had = call('HGET', key, token)
  local want = not had
  if had and struct.unpack('>I4', had, 2) < struct.unpack('>I4', blob, i + 10) then
    if #had == 5 then
      want = true
    else
      call('HSET', key, token, sub(had, 1, 1) .. sub(blob, i + 10, i + 13) .. sub(had, 6))
    end
  end
  out[#out + 1] = want and '1' or '0'
end
return table.concat(out)
