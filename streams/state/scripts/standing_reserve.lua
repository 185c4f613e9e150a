-- KEYS fence, heads of the case, cases with unconfirmed publications, what hangs on publications.
-- ARGV epoch · case · number of things · things… · entry, head, entry, head, …
-- Marks numbers as used before anything is sent with them, so no revision can ever have two contents; and notes what has
-- to follow before the publication that it follows, so that a death in between leaves a note and not a gap.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
redis.call('SADD', KEYS[3], ARGV[2])
local MANY = 4000 -- words a call: Lua's stack holds some 8,000; one call a word took as long as all the rest
local function put(command, key, from, to)
  for i = from, to, MANY do redis.call(command, key, unpack(ARGV, i, math.min(i + MANY - 1, to))) end
end
local things = tonumber(ARGV[3])
put('SADD', KEYS[4], 4, 3 + things)
put('HSET', KEYS[2], 4 + things, #ARGV)
return 'DONE'
