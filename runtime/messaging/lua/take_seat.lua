-- Take the seat of the machine at work, or keep it. In one script: between a look and a write it may run out, and be
-- taken by another.
--
-- KEYS  1 seat
-- ARGV  1 machine  2 milliseconds to keep it
-- Returns 1 if it is the machine's now, else 0.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
