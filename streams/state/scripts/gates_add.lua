-- KEYS[1] a partition's gateways. ARGV offset up to which it counts, as the caller knows it · offset up to which it
-- counts then · gateway, day, scans, rejects, newest record (ms), last scan (s), offset's record (ms), offset (ms) · …
-- The reply is the offset up to which it counts now. Nothing is added when the caller knew another one: a batch that is
-- delivered again, or was cut in another way, must not count twice.
local counted = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
if counted ~= tonumber(ARGV[1]) then return counted end
for i = 3, #ARGV, 8 do
  local field, new = 'g' .. ARGV[i], {}
  for j = 1, 7 do new[j] = tonumber(ARGV[i + j]) end
  local had = redis.call('HGET', KEYS[1], field)
  if had then
    local old = {}
    for number in string.gmatch(had, '%S+') do old[#old + 1] = tonumber(number) end
    if old[1] == new[1] then
      new[2], new[3] = new[2] + old[2], new[3] + old[3]
    elseif old[1] > new[1] then
      new[1], new[2], new[3] = old[1], old[2], old[3]
    end
    new[4], new[5] = math.max(new[4], old[4]), math.max(new[5], old[5])
    if old[6] > new[6] or (old[6] == new[6] and old[7] > new[7]) then new[6], new[7] = old[6], old[7] end
  end
  redis.call('HSET', KEYS[1], field, string.format('%.0f %.0f %.0f %.0f %.0f %.0f %.0f', unpack(new)))
end
redis.call('HSET', KEYS[1], 'until', ARGV[2])
return tonumber(ARGV[2])
