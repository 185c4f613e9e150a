-- Person side of the contact graph: adds scan records of one bucket and returns the watch marks of the persons touched.
-- KEYS[1] prefix of the bucket's person shards ("tv:p:{1f}:"), KEYS[2] the bucket's watch marks ("tv:w:{1f}").
-- ARGV[1] MessagePack array of shard's name (8 characters: day, sub), person token (8), record (11), shard's name, …
-- The shard's name says the token's first byte; a field is the other 7.
-- Reply: a character per entry, "1" where the record was there already ("" when all are new); then token, marks, token,
-- marks, … of the persons that somebody watches.
-- Adding is a set insertion: again, or in another order, it leaves the same state (rule 0). Marks are read by the very
-- call that adds, so between "add" and "look" nobody can slip in: a watcher marks before it reads.
-- Redis is what a machine runs out of first: one C call cuts all entries, so that a scan costs HGET, HSET and two strings.
local find, sub, call = string.find, string.sub, redis.call
local prefix, entries = KEYS[1], cmsgpack.unpack(ARGV[1])

local function absent(records, record)
  local at = find(records, record, 1, true)
  while at do
    if at % 11 == 1 then return false end -- a match across two records is no match
    at = find(records, record, at + 1, true)
  end
  return true
end

local i, n, at, known, any = 1, #entries, 0, {}, false
while i <= n do
  local shard, token = entries[i], entries[i + 1]
  local key, field = prefix .. shard, sub(token, 2)
  local records, changed = call('HGET', key, field) or '', false
  repeat -- entries come sorted, so those of one person follow each other
    local record = entries[i + 2]
    at = at + 1
    if absent(records, record) then
      records, changed, known[at] = records .. record, true, '0'
    else
      known[at], any = '1', true
    end
    i = i + 3
  until entries[i + 1] ~= token or entries[i] ~= shard
  if changed then call('HSET', key, field, records) end
end

local marks = { any and table.concat(known) or '' }
if call('EXISTS', KEYS[2]) == 1 then
  local tokens, last = {}, nil
  for j = 2, n, 3 do
    local token = entries[j]
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
