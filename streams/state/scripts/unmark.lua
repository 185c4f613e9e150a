-- Watch marks whose days are over: KEYS[1] the bucket's marks ("tv:w:{1f}"). ARGV cursor · count · first day that counts for
-- a contact's mark (kind "w") · the same for a case's own person ("o"). A mark goes when its last day lies before.
-- Reply: the next cursor ("0" = through). A few persons a call, so that Redis keeps nobody waiting.
local sub = string.sub
local first = { w = tonumber(ARGV[3]), o = tonumber(ARGV[4]) }
local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
for i = 1, #found[2], 2 do
  local token, had, kept = found[2][i], found[2][i + 1], {}
  for j = 1, #had, 13 do
    local mark = sub(had, j, j + 12)
    if struct.unpack('>I2', sub(mark, 12, 13)) >= first[sub(mark, 1, 1)] then kept[#kept + 1] = mark end
  end
  if #kept == 0 then
    redis.call('HDEL', KEYS[1], token)
  elseif #kept * 13 < #had then
    redis.call('HSET', KEYS[1], token, table.concat(kept))
  end
end
return found[1]
