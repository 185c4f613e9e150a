-- As add_venue, for records that the person side had already: somebody wrote them there, and may have died before this
-- side. Looks first, so that a gateway that sends one scan for ever does not fill the memory.
local sub, find, call = string.sub, string.find, redis.call
local places, records, at = cmsgpack.unpack(ARGV[1]), ARGV[2], 1
for i = 1, #places, 2 do
  local key, to = KEYS[1] .. places[i], at + 11 * places[i + 1]
  local had, missing = call('GET', key) or '', {}
  for j = at, to - 1, 11 do
    local record = sub(records, j, j + 10)
    local found = find(had, record, 1, true)
    while found and found % 11 ~= 1 do found = find(had, record, found + 1, true) end -- across two records is no match
    if not found then missing[#missing + 1] = record end
  end
  if #missing > 0 then call('APPEND', key, table.concat(missing)) end
  at = to
end
return 0
