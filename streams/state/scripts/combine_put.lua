-- KEYS what cases say of persons or venues, of one slot: hash case → order (8 bytes: epoch of the case's owner, its count) · body.
-- ARGV case · order, body, … by key. An older word does not replace a newer one: an owner that was paused may come back
-- with it. A row with no body stays, for its order.
for n, key in ipairs(KEYS) do
  local order, body = ARGV[2 * n], ARGV[2 * n + 1]
  local had = redis.call('HGET', key, ARGV[1])
  if not had or string.sub(had, 1, 8) < order then redis.call('HSET', key, ARGV[1], order .. body) end
end
return 'DONE'
