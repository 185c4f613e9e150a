-- KEYS[1] the guard of a hash tag · others: keys of that tag. ARGV[1] epoch of the rebuild that deletes them.
-- A rebuild that was stopped, or is slow, may have a deletion under way that comes when a later one is done: it would
-- take away a state that workers believe. The guard need not live longer than anything is under way.
if tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then return 'FENCED' end
redis.call('SET', KEYS[1], ARGV[1], 'EX', 86400)
redis.call('UNLINK', unpack(KEYS, 2))
return 'DONE'
