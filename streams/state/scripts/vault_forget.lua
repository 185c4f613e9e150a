-- Destroy codes: KEYS[1] tv:vault:{1f}: · ARGV[1] entries of 14 bytes, sub (2) token (8) second (4): the last second erased.
-- What stays is 'D' and that second, the greatest of several, also where nothing was: a scan that comes late must not
-- put the code back. What was kept for a sighting after that second stays: the erasure does not reach it.
local blob, sub, gone = ARGV[1], string.sub, 0
for i = 1, #blob, 14 do
  local key, token = KEYS[1] .. sub(blob, i, i + 1), sub(blob, i + 2, i + 9)
  local had = redis.call('HGET', key, token)
  -- Bytes 2 to 5 of either kind: of a kept code the second of its sighting, of a destroyed one the last second erased.
  if not had or struct.unpack('>I4', had, 2) < struct.unpack('>I4', blob, i + 10) + (sub(had, 1, 1) == 'D' and 0 or 1) then
    if had and sub(had, 1, 1) ~= 'D' then gone = gone + 1 end
    redis.call('HSET', key, token, 'D' .. sub(blob, i + 10, i + 13))
  end
end
return gone
