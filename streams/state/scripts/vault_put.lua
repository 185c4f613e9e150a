-- Keep sealed codes: KEYS[1] tv:vault:{1f}: · ARGV[1] entries of 14 bytes, sub (2) token (8) second (4) · ARGV[2…] their values.
-- Looks again at what vault_look looked at: between the two somebody may have put the code in, or erased the person.
local blob, sub, put = ARGV[1], string.sub, 0
for i = 1, #blob, 14 do
  local key, token = KEYS[1] .. sub(blob, i, i + 1), sub(blob, i + 2, i + 9)
  local length = redis.call('HSTRLEN', key, token)
  local want = length == 0
  if length == 5 then
    local at = struct.unpack('>I4', redis.call('HGET', key, token), 2)
    want = struct.unpack('>I4', blob, i + 10) > at
  end
  if want then
    redis.call('HSET', key, token, ARGV[2 + (i - 1) / 14])
    put = put + 1
  end
end
return put
