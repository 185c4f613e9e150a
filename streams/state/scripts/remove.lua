-- KEYS[1] records of a venue's day (string; ARGV[1] "") or of a shard of persons (hash; ARGV[1] the person). ARGV[2]
-- records of 11 bytes to take out. Again changes nothing.
local sub = string.sub
local had
if ARGV[1] == '' then had = redis.call('GET', KEYS[1]) else had = redis.call('HGET', KEYS[1], ARGV[1]) end
if not had then return 0 end
local gone, kept = {}, {}
for i = 1, #ARGV[2], 11 do gone[sub(ARGV[2], i, i + 10)] = true end
for i = 1, #had, 11 do
  local record = sub(had, i, i + 10)
  if not gone[record] then kept[#kept + 1] = record end
end
if #kept * 11 == #had then return 0 end
if #kept > 0 then
  local left = table.concat(kept)
  if ARGV[1] == '' then redis.call('SET', KEYS[1], left) else redis.call('HSET', KEYS[1], ARGV[1], left) end
elseif ARGV[1] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return 1
