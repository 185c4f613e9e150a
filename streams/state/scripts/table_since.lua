-- KEYS rows, log, version of a versioned table. ARGV[1] the version that the caller holds.
-- Reply: {version, field, row or "", field, row or "", …} of all that changed since.
local version = tonumber(redis.call('GET', KEYS[3]) or '0')
local out = { version }
if version == tonumber(ARGV[1]) then return out end
local fields = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf')
for i = 1, #fields do
  out[#out + 1] = fields[i]
  out[#out + 1] = redis.call('HGET', KEYS[1], fields[i]) or ''
end
return out
