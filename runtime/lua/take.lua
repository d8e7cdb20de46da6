-- Move waiting jobs to the started ones, whole jobs, up to a number of commands; none is ever only in the worker's hands.
--
-- KEYS  1 queue list  2 registry of started jobs
-- ARGV  1 most commands  2 worker name  3 now in RQ's form  4 prefix of job keys
-- Returns {jobs that still wait, {job id, data, commands}, ...}; a job whose hash is gone is listed with empty data.
local most, taken = tonumber(ARGV[1]), 0
local answer = {0}
while true do
    local id = redis.call('LINDEX', KEYS[1], 0)
    if not id then break end
    local key = ARGV[4] .. id
    local found = redis.call('HMGET', key, 'data', 'commands')
    local commands = tonumber(found[2] or '1') or 1
    if taken > 0 and taken + commands > most then break end
    redis.call('LPOP', KEYS[1])
    if found[1] then
        redis.call('HSET', key, 'status', 'started', 'started_at', ARGV[3], 'worker_name', ARGV[2])
        redis.call('ZADD', KEYS[2], '+inf', id .. ':' .. ARGV[2])
    end
    answer[#answer + 1] = {id, found[1] or '', commands}
    taken = taken + commands
end
answer[1] = redis.call('LLEN', KEYS[1])
return answer
