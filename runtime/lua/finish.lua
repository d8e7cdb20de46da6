-- End started jobs, each once: telling it twice moves the backlog once, and a job requeued after a failure, which the
-- backlog does not count any more, moves it not at all.
--
-- KEYS  1 backlog counter
-- ARGV  1 '1' to delete the hashes, then for each job: registry of started jobs, member of it, job hash, commands
for at = 2, #ARGV, 4 do
    local ended = redis.call('ZREM', ARGV[at], ARGV[at + 1])
    if ended == 1 and redis.call('HGET', ARGV[at + 2], 'counted') == '1' then
        redis.call('DECRBY', KEYS[1], ARGV[at + 3])
        redis.call('HSET', ARGV[at + 2], 'counted', 0)
    end
    if ARGV[1] == '1' then redis.call('DEL', ARGV[at + 2]) end
end
return redis.status_reply('OK')
