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
    -- No job has less than one command. A call costs more than what most of them do, so jobs are moved together.
    local waiting = redis.call('LRANGE', list, 0, most)
    local taken, jobs, begun = 0, {0}, {}
    for _, id in ipairs(waiting) do
        local key = ARGV[3] .. id
        local found = redis.call('HMGET', key, 'data', 'commands')
        local commands = tonumber(found[2] or '1') or 1
        if taken > 0 and taken + commands > most then break end
        if found[1] then
            redis.call('HSET', key, 'status', 'started', 'started_at', ARGV[2], 'worker_name', ARGV[1])
            begun[#begun + 1] = '+inf'
            begun[#begun + 1] = id .. ':' .. ARGV[1]
        end
        jobs[#jobs + 1] = {id, found[1] or '', commands}
        taken = taken + commands
    end
    local count = #jobs - 1
    if count > 0 then redis.call('LTRIM', list, count, -1) end
    if #begun > 0 then redis.call('ZADD', started, unpack(begun)) end
    jobs[1] = #waiting > most and redis.call('LLEN', list) or #waiting - count
    answer[#answer + 1] = jobs
end
return answer
