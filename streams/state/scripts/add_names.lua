-- What a token stands for: KEYS[1] a hash token → name. ARGV: token, name, token, name, …
-- Reply: the tokens that already stand for another name. Two names under one token would merge two persons or venues.
local clash = {}
for i = 1, #ARGV, 2 do
  if redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1]) == 0 then
    if redis.call('HGET', KEYS[1], ARGV[i]) ~= ARGV[i + 1] then clash[#clash + 1] = ARGV[i] end
  end
end
return clash
