-- Look at the writer's queues: move waiting jobs to the started ones, whole jobs, up to a number of commands of each
-- queue, and read the newest tick. None of the jobs is ever only in the worker's hands.
--
-- KEYS  1 newest tick, then for each queue: its list, its registry of started jobs
-- ARGV  1 worker name  2 now in RQ's form  3 prefix of job keys, then for each queue: the most commands
-- Returns {tick, for each queue {jobs that still wait, {job id, data, commands}, ...}}; a job whose hash is gone is
-- listed with empty data.
local answer = {redis.call('GET', KEYS[1])}
for queue = 1, (#KEYS - 1) / 2 do
    local list, started, most = KEYS[queue * 2], KEYS[queue * 2 + 1], tonumber(ARGV[3 + queue])
    local taken, jobs = 0, {0}
    while true do
        local id = redis.call('LINDEX', list, 0)
        if not id then break end
        local key = ARGV[3] .. id
        local found = redis.call('HMGET', key, 'data', 'commands')
        local commands = tonumber(found[2] or '1') or 1
        if taken > 0 and taken + commands > most then break end
        redis.call('LPOP', list)
        if found[1] then
            redis.call('HSET', key, 'status', 'started', 'started_at', ARGV[2], 'worker_name', ARGV[1])
            redis.call('ZADD', started, '+inf', id .. ':' .. ARGV[1])
        end
        jobs[#jobs + 1] = {id, found[1] or '', commands}
        taken = taken + commands
    end
    jobs[1] = redis.call('LLEN', list)
    answer[#answer + 1] = jobs
end
return answer
