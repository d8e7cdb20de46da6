-- Claim a nonce once, unless the signature is from before the epoch.
--
-- KEYS  1 nonce  2 epoch hash
-- ARGV  1 value  2 TTL s  3 signed_at_s  4 now_ms  5 id for a new epoch
-- Returns {code, argument} as enqueue.lua does for one command.
if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('HSET', KEYS[2], 'id', ARGV[5], 'since_s', math.floor(tonumber(ARGV[4]) / 1000))
end
local since_s = redis.call('HGET', KEYS[2], 'since_s')
if tonumber(ARGV[3]) <= tonumber(since_s) then
    local used_by = redis.call('GET', KEYS[1])
    if used_by then return {'NONCE', used_by} end
    return {'EPOCH', since_s}
end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then
    return {'', ''}
end
return {'NONCE', redis.call('GET', KEYS[1]) or ''}
