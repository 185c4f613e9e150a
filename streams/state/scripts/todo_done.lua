-- KEYS fence, what hangs on publications. ARGV epoch · things that were passed on.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
redis.call('SREM', KEYS[2], unpack(ARGV, 2))
return 'DONE'
