-- KEYS[1] days of which there are scans (hash: day → how often it was told, "swept" → how often days were forgotten).
-- ARGV day · how often it had been told before its scans were destroyed. Somebody who told it since has new scans there.
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
