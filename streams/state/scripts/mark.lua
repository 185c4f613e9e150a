-- Watch marks: KEYS[1] the bucket's marks ("tv:w:{1f}"). ARGV[1] entries of 21 bytes: person token (8) · mark (13), a
-- mark being kind (1) · case token (8) · first day (2) · last day (2). A person's marks of one case and kind are one
-- mark, whose days only ever grow: a mark that shrank under a running evaluation would lose a scan.
local sub, call = string.sub, redis.call
local blob = ARGV[1]
for i = 1, #blob, 21 do
  local token, head = sub(blob, i, i + 7), sub(blob, i + 8, i + 16)
  local first, last = struct.unpack('>I2I2', sub(blob, i + 17, i + 20))
  local had = call('HGET', KEYS[1], token)
  if not had then
    call('HSET', KEYS[1], token, sub(blob, i + 8, i + 20))
  else
    local rest, changed, known = {}, false, false
    for j = 1, #had, 13 do
      local mark = sub(had, j, j + 12)
      if sub(mark, 1, 9) == head then
        known = true
        local f, l = struct.unpack('>I2I2', sub(mark, 10, 13))
        if first < f or last > l then
          mark, changed = head .. struct.pack('>I2I2', math.min(f, first), math.max(l, last)), true
        end
      end
      rest[#rest + 1] = mark
    end
    if not known then
      rest[#rest + 1], changed = sub(blob, i + 8, i + 20), true
    end
    if changed then call('HSET', KEYS[1], token, table.concat(rest)) end
  end
end
return 0
