-- KEYS[1] "tv:gen". ARGV id · state · '1' = only where there is none of this form · form. A new generation, with no
-- offsets taken in.
-- Reply: id and state of the generation that stands now. In one step: between two, another worker's first start would
-- leave the id of one and the offsets of the other, which no worker could ever work for.
local key = KEYS[1]
if ARGV[3] ~= '1' or redis.call('HGET', key, 'form') ~= ARGV[4] then
  redis.call('DEL', key)
  redis.call('HSET', key, 'id', ARGV[1], 'state', ARGV[2], 'form', ARGV[4])
end
return redis.call('HMGET', key, 'id', 'state')
