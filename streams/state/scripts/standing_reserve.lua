-- KEYS fence, heads of the case, cases with unconfirmed publications, what hangs on publications.
-- ARGV epoch · case · number of things · things… · entry, head, entry, head, …
-- Marks numbers as used before anything is sent with them, so no revision can ever have two contents; and notes what has
-- to follow before the publication that it follows, so that a death in between leaves a note and not a gap.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
redis.call('SADD', KEYS[3], ARGV[2])
local things = tonumber(ARGV[3])
for i = 4, 3 + things do redis.call('SADD', KEYS[4], ARGV[i]) end
for i = 4 + things, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
return 'DONE'
