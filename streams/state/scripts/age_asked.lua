-- KEYS[1] what ages (zset). ARGV of · second it had when it was asked for · second at which to ask again, should nobody
-- have answered. Whoever answered has set another second, or taken it out: that stays.
if redis.call('ZSCORE', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1]) end
return 0
