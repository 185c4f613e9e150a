-- Person side of the contact graph: adds scan records of one bucket and returns the watch marks of the persons touched.
-- KEYS[1] prefix of the bucket's person shards ("tv:p:{1f}:"), KEYS[2] the bucket's watch marks ("tv:w:{1f}").
-- ARGV[1] entries of 25 bytes: 6 characters of the shard's name (day, sub) · person token (8) · record (11).
-- Reply: a character per entry, "1" where the record was there already ("" when all are new); then token, marks, token,
-- marks, … of the persons that somebody watches.
-- Adding is a set insertion: again, or in another order, it leaves the same state (rule 0). Marks are read by the very
-- call that adds, so between "add" and "look" nobody can slip in: a watcher marks before it reads.
local sub, find, call = string.sub, string.find, redis.call
local blob, prefix = ARGV[1], KEYS[1]

local function absent(records, record)
  local at = find(records, record, 1, true)
  while at do
    if at % 11 == 1 then return false end -- a match across two records is no match
    at = find(records, record, at + 1, true)
  end
  return true
end

local i, n, at, known, any = 1, #blob, 0, {}, false
while i <= n do
  local place = sub(blob, i, i + 13) -- shard and person; entries come sorted, so equal ones follow each other
  local key, field = prefix .. sub(place, 1, 6), sub(place, 7)
  local had = call('HGET', key, field)
  local records, changed = had or '', false
  repeat
    local record = sub(blob, i + 14, i + 24)
    at = at + 1
    if absent(records, record) then
      records, changed, known[at] = records .. record, true, '0'
    else
      known[at], any = '1', true
    end
    i = i + 25
  until i > n or sub(blob, i, i + 13) ~= place
  if changed then call('HSET', key, field, records) end
end

local marks = { any and table.concat(known) or '' }
if call('EXISTS', KEYS[2]) == 1 then
  local tokens, last = {}, nil
  for j = 1, n, 25 do
    local token = sub(blob, j + 6, j + 13)
    if token ~= last then
      tokens[#tokens + 1], last = token, token
    end
  end
  for from = 1, #tokens, 1000 do -- unpack() has a limit near 8,000
    local to = math.min(from + 999, #tokens)
    local found = call('HMGET', KEYS[2], unpack(tokens, from, to))
    for k = 1, to - from + 1 do
      if found[k] then
        marks[#marks + 1] = tokens[from + k - 1]
        marks[#marks + 1] = found[k]
      end
    end
  end
end
return marks
