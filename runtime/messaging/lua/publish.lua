-- Tell of a commit and end its jobs, all at once. Telling it twice does no harm: a repeated answer or entry of the bus
-- is known by its ids, and a job ends once. A job requeued after a failure is not counted in the backlog any more.
--
-- KEYS  1 bus of commits  2 number of the newest published commit  3 backlog counter  4 the worker's hash
-- ARGV  1 commit number ('' if nothing was written)  2 its events  3 entries of the bus to keep  4 TTL of answers, s
--       5 answers  6 pending keys  7 jobs, then as many:
--       list and answers of each, the pending keys, registry, member, job hash and commands of each job

-- Lua hands over some thousand values at most.
local MOST_AT_ONCE = 1000

-- Answers and events are only carried, and stay out of the append-only file, of which they would be two thirds. If Redis
-- dies with some on their way, who waits is told `pending` and finds the bet in the database, where the events are too.
redis.set_repl(redis.REPL_NONE)
local at = 7
for _ = 1, tonumber(ARGV[5]) do
    redis.call('RPUSH', ARGV[at + 1], ARGV[at + 2])
    redis.call('EXPIRE', ARGV[at + 1], ARGV[4])
    at = at + 2
end
if ARGV[1] ~= '' then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'commit', ARGV[1], 'events', ARGV[2])
end
redis.set_repl(redis.REPL_ALL)
if ARGV[1] ~= '' then redis.call('SET', KEYS[2], ARGV[1]) end
-- A call costs more than to delete a key does, so what is over goes together, and the backlog goes down once.
local over = {}
for _ = 1, tonumber(ARGV[6]) do
    over[#over + 1] = ARGV[at + 1]
    at = at + 1
end
local ended, counted = tonumber(ARGV[7]), 0
for _ = 1, ended do
    local was_started = redis.call('ZREM', ARGV[at + 1], ARGV[at + 2]) == 1
    if was_started and redis.call('HGET', ARGV[at + 3], 'counted') == '1' then counted = counted + ARGV[at + 4] end
    over[#over + 1] = ARGV[at + 3]
    at = at + 4
end
for first = 1, #over, MOST_AT_ONCE do
    redis.call('DEL', unpack(over, first, math.min(first + MOST_AT_ONCE - 1, #over)))
end
if counted > 0 then redis.call('DECRBY', KEYS[3], counted) end
if ended > 0 then redis.call('HINCRBY', KEYS[4], 'successful_job_count', ended) end
return redis.status_reply('OK')
