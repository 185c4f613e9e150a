-- Watch marks: KEYS[1] the bucket's marks ("tv:w:{1f}"). ARGV[1] entries of 21 bytes: person token (8) · mark (13), a
-- mark being kind (1) · case token (8) · first day (2) · last day (2). A person's marks of one case and kind are one
-- mark, whose days only ever grow: a mark that shrank under a running evaluation would lose a scan.
-- A case marks tens of thousands of persons: so all that there is is read at once, and all that changes written at once.
local sub, call, pack, days = string.sub, redis.call, struct.pack, struct.unpack
local key, blob, MANY = KEYS[1], ARGV[1], 2000
for from = 1, #blob, 21 * MANY do
  local to = math.min(from + 21 * MANY, #blob + 1) - 21
  local tokens, words, now = {}, {}, {}
  for i = from, to, 21 do tokens[#tokens + 1] = sub(blob, i, i + 7) end
  local had_all = call('HMGET', key, unpack(tokens))
  for n, token in ipairs(tokens) do
    local i = from + 21 * (n - 1)
    local had, changed = now[token] or had_all[n], false
    if not had then
      had, changed = sub(blob, i + 8, i + 20), true
    else
      local head = sub(blob, i + 8, i + 16)
      local at = 1
      while at <= #had and sub(had, at, at + 8) ~= head do at = at + 13 end
      if at > #had then
        had, changed = had .. sub(blob, i + 8, i + 20), true
      else
        local first, last = days('>I2I2', sub(blob, i + 17, i + 20))
        local f, l = days('>I2I2', sub(had, at + 9, at + 12))
        if first < f or last > l then
          had = sub(had, 1, at + 8) .. pack('>I2I2', math.min(f, first), math.max(l, last)) .. sub(had, at + 13)
          changed = true
        end
      end
    end
    if changed then
      now[token] = had
      words[#words + 1], words[#words + 2] = token, had
    end
  end
  if #words > 0 then call('HSET', key, unpack(words)) end
end
return 0
