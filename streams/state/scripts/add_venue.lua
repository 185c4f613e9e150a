-- Venue side of the contact graph: adds scan records of one bucket.
-- KEYS[1] prefix of the bucket's venue shards ("tv:v:{1f}:"), KEYS[2] prefix of its busy venues ("tv:q:{1f}:").
-- ARGV[1] entries of 23 bytes: 4 characters of the shard's name (day) · venue token (8) · record (11), sorted.
-- A venue's day is one field until it holds FULL bytes; what comes after goes to a hash of its own, a field for each
-- quarter of an hour. Without that, a market's day of 60 KB would be copied for every batch that touches it.
local sub, find, byte, call = string.sub, string.find, string.byte, redis.call
local blob, shards, busy = ARGV[1], KEYS[1], KEYS[2]
local FULL = 2046 -- 186 records; streams/state/layout.py has the same figure

local function absent(records, record)
  local at = find(records, record, 1, true)
  while at do
    if at % 11 == 1 then return false end -- a match across two records is no match
    at = find(records, record, at + 1, true)
  end
  return true
end

local function spill(place, late)
  local key = busy .. place
  local quarters, order = {}, {}
  for _, record in ipairs(late) do
    local a, b, c = byte(record, 9, 11) -- the second of the day is the upper 17 of 24 bits
    local quarter = math.floor((a * 65536 + b * 256 + c) / 128 / 900)
    if not quarters[quarter] then
      quarters[quarter] = {}
      order[#order + 1] = quarter
    end
    local list = quarters[quarter]
    list[#list + 1] = record
  end
  for _, quarter in ipairs(order) do
    local had = call('HGET', key, quarter) or ''
    local fresh = {}
    for _, record in ipairs(quarters[quarter]) do
      if absent(had, record) then fresh[#fresh + 1] = record end -- equal ones within a batch were merged by the client
    end
    if #fresh > 0 then call('HSET', key, quarter, had .. table.concat(fresh)) end
  end
end

local i, n = 1, #blob
while i <= n do
  local place = sub(blob, i, i + 11)
  local key, field = shards .. sub(place, 1, 4), sub(place, 5)
  local records, late = call('HGET', key, field) or '', {}
  local before, fresh, length = records, {}, #records
  repeat
    local record = sub(blob, i + 12, i + 22)
    if absent(before, record) then
      if length < FULL then
        fresh[#fresh + 1], length = record, length + 11
      else
        late[#late + 1] = record
      end
    end
    i = i + 23
  until i > n or sub(blob, i, i + 11) ~= place
  if #fresh > 0 then call('HSET', key, field, before .. table.concat(fresh)) end
  if #late > 0 then spill(place, late) end
end
return 0
