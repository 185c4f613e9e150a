-- Let entries go by age: KEYS a few hashes tv:vault:{1f}:a3 of one bucket · ARGV[1] a second (decimal).
-- Whoever was last met before it goes, and so does the marker of an erasure that reaches no further: nothing that old comes
-- back, its scans are refused as expired. Reply: how many went.
local before, gone = tonumber(ARGV[1]), 0
for _, key in ipairs(KEYS) do
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if struct.unpack('>I4', all[i + 1], 2) < before then
      gone = gone + redis.call('HDEL', key, all[i])
    end
  end
end
return gone
