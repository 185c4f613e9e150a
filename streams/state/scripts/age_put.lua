-- KEYS fence, what ages (zset: case or venue by second). ARGV epoch · of · second ("" = nothing more ages there).
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'FENCED' end
if ARGV[3] == '' then redis.call('ZREM', KEYS[2], ARGV[2]) else redis.call('ZADD', KEYS[2], ARGV[3], ARGV[2]) end
return 'DONE'
