-- KEYS[1] a sorted set that is replaced as a whole. ARGV seconds to keep it (0 = always) · score, member, score, member, …
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2000 do
  redis.call('ZADD', KEYS[1], unpack(ARGV, i, math.min(i + 1999, #ARGV)))
end
if tonumber(ARGV[1]) > 0 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return 0
