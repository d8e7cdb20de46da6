-- Count the backlog anew: the bets of all jobs that wait or are begun and whose end will take them off again.
-- In one script, since bets are queued while it is counted.
--
-- KEYS  1 queue list  2 registry of started jobs  3 backlog counter
-- ARGV  1 prefix of job keys
-- Returns the new count.
local total = 0
local function add(id)
    local found = redis.call('HMGET', ARGV[1] .. id, 'commands', 'counted')
    if found[2] == '1' then total = total + tonumber(found[1]) end
end
for _, id in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do add(id) end
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do add(string.match(member, '^[^:]+')) end
redis.call('SET', KEYS[3], total)
return total
