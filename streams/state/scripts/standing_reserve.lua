-- KEYS fence, heads of the case, cases with unconfirmed publications. ARGV epoch · case · person, head, person, head, …
-- Marks numbers as used before anything is sent with them, so no revision can ever have two contents.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
redis.call('SADD', KEYS[3], ARGV[2])
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
return 'DONE'
