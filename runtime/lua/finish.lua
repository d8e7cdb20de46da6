-- End a started job, once: telling it twice moves the backlog once.
--
-- KEYS  1 registry of started jobs  2 job hash  3 backlog counter
-- ARGV  1 member of the registry  2 commands to take off the backlog (0: not a bet job)  3 '1' to delete the hash
if redis.call('ZREM', KEYS[1], ARGV[1]) == 1 and tonumber(ARGV[2]) > 0 then
    redis.call('DECRBY', KEYS[3], ARGV[2])
end
if ARGV[3] == '1' then redis.call('DEL', KEYS[2]) end
return redis.status_reply('OK')
