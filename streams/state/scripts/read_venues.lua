-- KEYS[1] prefix of one bucket's venue shards, KEYS[2] of its busy venues. ARGV[1] entries of 12 bytes: day (4) · venue
-- token (8). Reply: the records of each, in order, busy quarters included.
local sub, call = string.sub, redis.call
local blob, out = ARGV[1], {}
for i = 1, #blob, 12 do
  local place = sub(blob, i, i + 11)
  local records = call('HGET', KEYS[1] .. sub(place, 1, 4), sub(place, 5))
  if records and #records >= 2046 then
    records = records .. table.concat(call('HVALS', KEYS[2] .. place))
  end
  out[#out + 1] = records
end
return out
