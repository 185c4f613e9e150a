-- As add_venue, for records that the person side had already: somebody wrote them there, and may have died before this
-- side. Looks first, so that a gateway that sends one scan for ever does not fill the memory.
local sub, find, call = string.sub, string.find, redis.call
local blob, i = ARGV[1], 1
local n = #blob
while i <= n do
  local place = sub(blob, i, i + 11)
  local had = call('GET', KEYS[1] .. place) or ''
  repeat
    local record = sub(blob, i + 12, i + 22)
    local at = find(had, record, 1, true)
    while at and at % 11 ~= 1 do at = find(had, record, at + 1, true) end -- a match across two records is no match
    if not at then
      call('APPEND', KEYS[1] .. place, record)
      had = had .. record
    end
    i = i + 23
  until i > n or sub(blob, i, i + 11) ~= place
end
return 0
