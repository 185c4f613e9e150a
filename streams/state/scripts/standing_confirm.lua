-- KEYS fence, heads of the case, bodies of the case, cases with unconfirmed publications, counts of the case.
-- ARGV epoch · case · entry, head, body, … What was published now stands ("" = no body is kept, "=" = as it was); the case has nothing
-- unconfirmed any more. A head: last (4), revision (4), status (1), band (1), digest (16); empty: nothing is to be remembered of the entry.
-- Counts follow from old and new head of each exposure in the same call that changes them, so they cannot drift.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
local sub, call = string.sub, redis.call
local bands, change = { h = 'high', m = 'medium', l = 'low' }, {}
local function count(head, by)
  local status, band = sub(head, 9, 9), bands[sub(head, 10, 10)]
  if status == 'h' then
    change.held = (change.held or 0) + by
  elseif (status == 'r' or status == 'u') and band then
    change.f1 = (change.f1 or 0) + by
    change[band] = (change[band] or 0) + by
  end
end
-- Thousands of entries, each once: read and written some thousand at a time (a call each took twice as long).
local MANY = 2000
local function run(command, key, words) if #words > 0 then call(command, key, unpack(words)) end end
for from = 3, #ARGV, 3 * MANY do
  local to = math.min(from + 3 * MANY - 1, #ARGV)
  local entries, heads, no_heads, bodies, no_bodies = {}, {}, {}, {}, {}
  for i = from, to, 3 do entries[#entries + 1] = ARGV[i] end
  local had = call('HMGET', KEYS[2], unpack(entries))
  for n, entry in ipairs(entries) do
    local head, body = ARGV[from + 3 * n - 2], ARGV[from + 3 * n - 1]
    if sub(entry, 1, 1) == 'x' then
      if had[n] then count(had[n], -1) end
      count(head, 1)
    end
    if head == '' then
      no_heads[#no_heads + 1] = entry
    else
      heads[#heads + 1], heads[#heads + 2] = entry, head
    end
    if body == '' then
      no_bodies[#no_bodies + 1] = entry
    elseif body ~= '=' then
      bodies[#bodies + 1], bodies[#bodies + 2] = entry, body
    end
  end
  run('HSET', KEYS[2], heads)
  run('HDEL', KEYS[2], no_heads)
  run('HSET', KEYS[3], bodies)
  run('HDEL', KEYS[3], no_bodies)
end
for name, by in pairs(change) do
  if by ~= 0 then call('HINCRBY', KEYS[5], name, by) end
end
call('SREM', KEYS[4], ARGV[2])
return 'DONE'
