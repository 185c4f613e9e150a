-- Venue side of the contact graph: appends scan records of one bucket that were new on the person side.
-- KEYS[1] prefix of the bucket's venue days ("tv:v:{1f}:"). ARGV[1] MessagePack array of place (4 characters of the
-- day, venue token (8)), number of its records, place, …; ARGV[2] their records (11 bytes each) one after the other.
-- Nothing is read: a record twice here is no harm (readers take sets), and reading a market's day of 60 KB for each
-- batch that touches it would be (Lua hashes every byte of a string that it is given).
local sub, call = string.sub, redis.call
local prefix, places, records, at = KEYS[1], cmsgpack.unpack(ARGV[1]), ARGV[2], 1

-- A string that is appended to gets twice the room it needs: 7 bytes a scan, for good. A copy has none to spare. COPY
-- keeps a time to live, and writes the append-only file no second time, as SET would.
local function tidy(place)
  return call('COPY', place, prefix .. 'tidy', 'REPLACE') == 1 and call('RENAME', prefix .. 'tidy', place)
end

-- The venue's first scan of a day tidies up the day before, and once more the one before that, which grew again when
-- something came late (or an earlier one, when the venue was closed). Two days with room to spare were a byte a scan.
local function tidy_before(place)
  local day, venue = tonumber(sub(place, 1, 4), 16), sub(place, 5)
  tidy(prefix .. string.format('%04x', day - 1) .. venue)
  for back = 2, 8 do
    if tidy(prefix .. string.format('%04x', day - back) .. venue) then return end
  end
end

for i = 1, #places, 2 do
  local place, to = places[i], at + 11 * places[i + 1]
  if call('APPEND', prefix .. place, sub(records, at, to - 1)) == to - at then tidy_before(place) end
  at = to
end
return 0
