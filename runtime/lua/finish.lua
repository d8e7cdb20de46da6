-- End a started job, once: telling it twice moves the backlog once, and a job requeued after a failure, which the
-- backlog does not count any more, moves it not at all.
--
-- KEYS  1 registry of started jobs  2 job hash  3 backlog counter
-- ARGV  1 member of the registry  2 commands to take off the backlog (0: not a bet job)  3 '1' to delete the hash
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and redis.call('HGET', KEYS[2], 'counted') == '1' then
    redis.call('DECRBY', KEYS[3], ARGV[2])
    redis.call('HSET', KEYS[2], 'counted', 0)
end
if ARGV[3] == '1' then redis.call('DEL', KEYS[2]) end
return redis.status_reply('OK')
