-- Venue side of the contact graph: appends scan records of one bucket that were new on the person side.
-- KEYS[1] prefix of the bucket's venue days ("tv:v:{1f}:"). ARGV[1] MessagePack array of place (4 characters of the
-- day, venue token (8)), number of its records, place, …; ARGV[2] their records (11 bytes each) one after the other.
-- Nothing is read: a record twice here is no harm (readers take sets), and reading a market's day of 60 KB for each
-- batch that touches it would be (Lua hashes every byte of a string that it is given).
local sub, call = string.sub, redis.call
local prefix, places, records, at = KEYS[1], cmsgpack.unpack(ARGV[1]), ARGV[2], 1
for i = 1, #places, 2 do
  local to = at + 11 * places[i + 1]
  call('APPEND', prefix .. places[i], sub(records, at, to - 1))
  at = to
end
return 0
