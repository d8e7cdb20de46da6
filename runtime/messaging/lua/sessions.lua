-- End sessions, then begin one, and keep count of the live ones by network: at once, so that the count is always right.
--
-- When as many live as may, one ends for the new one: the oldest of the network that holds most, and of several that
-- hold as many, of that with the oldest. Whoever opens thousands from a few networks thus ends only their own.
--
-- KEYS  1 networks by their count  2 networks by their oldest session  3 number of live sessions  4 list of ended ones
-- ARGV  1 now_ms  2 TTL s of the longest  3 the most that may live  4 entries of the list to keep
--       5 prefix of sessions, before the id  6 of a user's, before the user's id  7 of a network's, before the network
--       8 how many to end, then their ids; then, if one begins: its id, and its fields, names before values
-- Returns {sessions of the user for whom one begins, the ids of all that were ended}. A session from before there was a
-- count has no network: it is in none, and runs out by itself.
local NETWORKS, OLDEST, LIVE, ENDED = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now_ms, ttl_s, live_max, ended_keep = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local SESSION, OF_USER, OF_NETWORK = ARGV[5], ARGV[6], ARGV[7]
local SWEPT_MAX = 100
-- A network's score is its count, and below that how old its oldest session is: 32 bits of seconds.
local ONE = 2 ^ 32
-- One that its login ended sooner is in the count until the longest would have ended, or until it would have to give way.
local expired_ms = string.format('%.0f', now_ms - ttl_s * 1000)
local answer = {0}

local function live() return tonumber(redis.call('GET', LIVE) or '0') end

local function recount(network)
    local before = math.floor(tonumber(redis.call('ZSCORE', NETWORKS, network) or '0') / ONE)
    local count = redis.call('ZCARD', OF_NETWORK .. network)
    if count == 0 then
        redis.call('ZREM', NETWORKS, network)
        redis.call('ZREM', OLDEST, network)
    else
        local oldest_ms = redis.call('ZRANGE', OF_NETWORK .. network, 0, 0, 'WITHSCORES')[2]
        local age = ONE - 1 - math.floor(tonumber(oldest_ms) / 1000)
        redis.call('ZADD', NETWORKS, string.format('%.0f', count * ONE + age), network)
        redis.call('ZADD', OLDEST, oldest_ms, network)
    end
    redis.call('INCRBY', LIVE, count - before)
end

local function forget_expired(network)
    redis.call('ZREMRANGEBYSCORE', OF_NETWORK .. network, '-inf', expired_ms)
    recount(network)
end

local function finish(id)
    local found = redis.call('HMGET', SESSION .. id, 'user_id', 'network')
    if found[1] then
        redis.call('DEL', SESSION .. id)
        redis.call('SREM', OF_USER .. found[1], id)
        redis.call('XADD', ENDED, 'MAXLEN', '~', ended_keep, '*', 'id', id)
        answer[#answer + 1] = id
    end
    if found[2] then
        redis.call('ZREM', OF_NETWORK .. found[2], id)
        recount(found[2])
    end
end

local at = 8 + tonumber(ARGV[8])
for index = 9, at do finish(ARGV[index]) end
local id = ARGV[at + 1]
if not id then return answer end

for _, network in ipairs(redis.call('ZRANGEBYSCORE', OLDEST, '-inf', expired_ms, 'LIMIT', 0, SWEPT_MAX)) do
    forget_expired(network)
end
while live() >= live_max do
    local network = redis.call('ZREVRANGE', NETWORKS, 0, 0)[1]
    if not network then break end
    forget_expired(network)
    if live() >= live_max then
        local oldest = redis.call('ZRANGE', OF_NETWORK .. network, 0, 0)[1]
        finish(oldest)
        -- One that Redis has lost by another way is in the count until now.
        if redis.call('ZREM', OF_NETWORK .. network, oldest) == 1 then recount(network) end
    end
end

local fields = {unpack(ARGV, at + 2)}
local values = {}
for index = 1, #fields, 2 do values[fields[index]] = fields[index + 1] end
redis.call('HSET', SESSION .. id, unpack(fields))
redis.call('PEXPIRE', SESSION .. id, string.format('%.0f', tonumber(values.expires_ms) - now_ms))
redis.call('SADD', OF_USER .. values.user_id, id)
redis.call('EXPIRE', OF_USER .. values.user_id, ttl_s)
redis.call('ZADD', OF_NETWORK .. values.network, values.created_ms, id)
redis.call('EXPIRE', OF_NETWORK .. values.network, ttl_s)
recount(values.network)
answer[1] = redis.call('SCARD', OF_USER .. values.user_id)
return answer
