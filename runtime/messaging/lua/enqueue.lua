-- Put commands on a queue as one RQ job, all checks first, then the writes: nothing is half done.
--
-- KEYS  1 queue list  2 set of queues  3 job hash  4 backlog counter  5 epoch hash  6 wake list
-- ARGV  1 now_ms  2 job id  3 queue name  4 backlog limit (0: none)  5 id for a new epoch  6 now in RQ's form
--       7 description  8 text before the commands  9 text after them  10 TTL of nonces, s  11 window of limits, s
--       then for each command: id, JSON, nonce key, signed_at_s, limit key, limit,
--       pending key, pending value, pending TTL ms ('' where there is none), bets
-- Returns for each command {code, argument}: code '' is queued; 'EPOCH' (argument: its since_s), 'NONCE' (who used it),
-- 'LIMIT' (argument: how many bets the limit had left; so few of a gesture would have fitted, and they stay), 'FULL'
-- are not.
local HEAD, FIELDS = 11, 10
local now_ms = tonumber(ARGV[1])
local count = (#ARGV - HEAD) / FIELDS
local backlog_max = tonumber(ARGV[4])
local asked = 0
for index = 1, count do asked = asked + tonumber(ARGV[HEAD + index * FIELDS]) end

local since_s = tonumber(redis.call('HGET', KEYS[5], 'since_s') or '')
if not since_s then
    since_s = math.floor(now_ms / 1000)
    redis.call('HSET', KEYS[5], 'id', ARGV[5], 'since_s', since_s)
end

local results, accepted, accepted_bets = {}, {}, 0
local full = backlog_max > 0 and (tonumber(redis.call('GET', KEYS[4]) or '0') + asked > backlog_max)
for index = 0, count - 1 do
    local at = HEAD + index * FIELDS
    local id, nonce_key, signed_at_s = ARGV[at + 1], ARGV[at + 3], ARGV[at + 4]
    local limit_key, limit = ARGV[at + 5], tonumber(ARGV[at + 6])
    local bets = tonumber(ARGV[at + 10])
    local code, argument, hits = '', '', 0
    if limit_key ~= '' then
        hits = redis.call('INCRBY', limit_key, bets)
        if hits == bets then redis.call('EXPIRE', limit_key, ARGV[11]) end
    end
    if limit_key ~= '' and hits > limit then
        local left = limit - (hits - bets)
        if left > 0 then redis.call('DECRBY', limit_key, bets) end
        code, argument = 'LIMIT', tostring(math.max(left, 0))
    elseif signed_at_s ~= '' and tonumber(signed_at_s) <= since_s then
        -- A Redis that has lost only its last second still knows what the others were used by.
        local used_by = nonce_key ~= '' and redis.call('GET', nonce_key)
        if used_by then code, argument = 'NONCE', used_by else code, argument = 'EPOCH', tostring(since_s) end
    elseif full then
        local used_by = nonce_key ~= '' and redis.call('GET', nonce_key)
        if used_by then code, argument = 'NONCE', used_by else code = 'FULL' end
    elseif nonce_key ~= '' and not redis.call('SET', nonce_key, id, 'NX', 'EX', ARGV[10]) then
        code, argument = 'NONCE', redis.call('GET', nonce_key)
    else
        if ARGV[at + 7] ~= '' then redis.call('SET', ARGV[at + 7], ARGV[at + 8], 'PX', ARGV[at + 9]) end
        accepted[#accepted + 1] = ARGV[at + 2]
        accepted_bets = accepted_bets + bets
    end
    results[index + 1] = {code, argument}
end

if #accepted > 0 then
    redis.call('HSET', KEYS[3],
        'created_at', ARGV[6], 'enqueued_at', ARGV[6], 'status', 'queued', 'origin', ARGV[3],
        'description', ARGV[7] .. ' x ' .. accepted_bets, 'timeout', 180, 'result_ttl', 0, 'failure_ttl', 604800,
        'commands', accepted_bets, 'counted', backlog_max > 0 and 1 or 0,
        'data', ARGV[8] .. table.concat(accepted, ',') .. ARGV[9])
    if redis.call('RPUSH', KEYS[1], ARGV[2]) == 1 then redis.call('SADD', KEYS[2], KEYS[1]) end
    if backlog_max > 0 then redis.call('INCRBY', KEYS[4], accepted_bets) end
    redis.call('RPUSH', KEYS[6], '1')
    redis.call('LTRIM', KEYS[6], 0, 0)
end
return results
