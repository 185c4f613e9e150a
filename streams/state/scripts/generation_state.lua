-- KEYS[1] "tv:gen". ARGV id · state. A rebuild that was overtaken by another one must not call that one ready.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'GENERATION' end
redis.call('HSET', KEYS[1], 'state', ARGV[2])
return 'DONE'
