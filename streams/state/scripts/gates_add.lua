-- KEYS[1] a partition's gateways. ARGV offset up to which it counts, as the caller knows it · offset up to which it
-- counts then · gateway, day, scans, rejects, last record (s), last scan (s), offset (ms, may be empty) · …
-- The reply is the offset up to which it counts now. Nothing is added when the caller knew another one: a batch that is
-- delivered again, or was cut in another way, must not count twice.
local counted = tonumber(redis.call('HGET', KEYS[1], 'until') or '0')
if counted ~= tonumber(ARGV[1]) then return counted end
for i = 3, #ARGV, 7 do
  local field, day = 'g' .. ARGV[i], tonumber(ARGV[i + 1])
  local scans, rejects = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local record, scan, offset = tonumber(ARGV[i + 4]), tonumber(ARGV[i + 5]), ARGV[i + 6]
  local had = redis.call('HGET', KEYS[1], field)
  if had then
    local of, hs, hr, hrec, hscan, hoff = string.match(had, '^(%d+) (%d+) (%d+) (%d+) (%d+) (%-?%d*)$')
    if tonumber(of) == day then
      scans, rejects = scans + tonumber(hs), rejects + tonumber(hr)
    elseif tonumber(of) > day then
      day, scans, rejects = tonumber(of), tonumber(hs), tonumber(hr)
    end
    if offset == '' or tonumber(hrec) > record then offset = hoff end
    record, scan = math.max(record, tonumber(hrec)), math.max(scan, tonumber(hscan))
  end
  local value = string.format('%d %d %d %d %d ', day, scans, rejects, record, scan) .. offset
  redis.call('HSET', KEYS[1], field, value)
end
redis.call('HSET', KEYS[1], 'until', ARGV[2])
return tonumber(ARGV[2])
