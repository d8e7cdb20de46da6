-- Take a job that failed out of the started ones and off the backlog; its hash stays for those who look into it.
--
-- KEYS  1 registry of started jobs  2 job hash  3 backlog counter
-- ARGV  1 member of the registry  2 commands of the job
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and redis.call('HGET', KEYS[2], 'counted') == '1' then
    redis.call('DECRBY', KEYS[3], ARGV[2])
    redis.call('HSET', KEYS[2], 'counted', 0)
end
return redis.status_reply('OK')
