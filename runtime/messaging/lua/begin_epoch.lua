-- Begin an epoch if the one that is stored was begun on another server, or in another life of this one.
--
-- KEYS  1 epoch hash
-- ARGV  1 run id of this server  2 id for a new epoch  3 now, s  4 how far ahead a signature may be dated, s
-- Returns 1 if an epoch began, else 0.
local found = redis.call('HMGET', KEYS[1], 'server', 'since_s')
if found[1] == ARGV[1] then return 0 end
local since_s = tonumber(ARGV[3])
-- Where there was an epoch there were nonces, and the last ones may be lost.
if found[2] then since_s = math.max(since_s + tonumber(ARGV[4]), tonumber(found[2])) end
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'since_s', since_s, 'server', ARGV[1])
return 1
