-- KEYS fence, heads of the case, bodies of the case, cases with unconfirmed publications.
-- ARGV epoch · case · person, head, body, … What was published now stands; the case has nothing unconfirmed any more.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
for i = 3, #ARGV, 3 do
  redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 2])
end
redis.call('SREM', KEYS[4], ARGV[2])
return 'DONE'
