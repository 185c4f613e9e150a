-- Venue side of the contact graph: appends scan records of one bucket that were new on the person side.
-- KEYS[1] prefix of the bucket's venue days ("tv:v:{1f}:"). ARGV[1] entries of 23 bytes, sorted: 4 characters (day) ·
-- venue token (8) · record (11).
-- Nothing is read: a record twice here is no harm (readers take sets), and reading a market's day of 60 KB for each
-- batch that touches it would be (Lua hashes every byte of a string that it is given).
local sub, call = string.sub, redis.call
local blob, i = ARGV[1], 1
local n = #blob
while i <= n do
  local place, records = sub(blob, i, i + 11), {}
  repeat
    records[#records + 1] = sub(blob, i + 12, i + 22)
    i = i + 23
  until i > n or sub(blob, i, i + 11) ~= place
  call('APPEND', KEYS[1] .. place, #records == 1 and records[1] or table.concat(records))
end
return 0
