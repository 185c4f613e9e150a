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
for i = 3, #ARGV, 3 do
  local entry, head, body = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if sub(entry, 1, 1) == 'x' then
    local had = call('HGET', KEYS[2], entry)
    if had then count(had, -1) end
    count(head, 1)
  end
  if head == '' then call('HDEL', KEYS[2], entry) else call('HSET', KEYS[2], entry, head) end
  if body == '' then
    call('HDEL', KEYS[3], entry)
  elseif body ~= '=' then
    call('HSET', KEYS[3], entry, body)
  end
end
for name, by in pairs(change) do
  if by ~= 0 then call('HINCRBY', KEYS[5], name, by) end
end
call('SREM', KEYS[4], ARGV[2])
return 'DONE'
