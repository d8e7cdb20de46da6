-- Count one request against several buckets. A bucket is a hash, of who is counted and how often, for one window.
--
-- KEYS  the hashes
-- ARGV  1 the most whom a hash counts, then for each hash: who, the limit, ms until the window has passed
-- Returns the hits of each, this request among them. What one bucket refuses, those behind it do not count.
--
-- Whoever comes to a full hash is not counted. That helps only who comes from more addresses, or with more wallets, than
-- a hash counts, and who has so many is not stopped by counting each of them.
local who_max = tonumber(ARGV[1])
local answer, refused = {}, false
for at, key in ipairs(KEYS) do
    local who, limit = ARGV[at * 3 - 1], tonumber(ARGV[at * 3])
    local hits = tonumber(redis.call('HGET', key, who) or '0')
    if not refused then
        hits = hits + 1
        if hits > 1 or redis.call('HLEN', key) < who_max then
            redis.call('HINCRBY', key, who, 1)
            if hits == 1 and redis.call('HLEN', key) == 1 then redis.call('PEXPIRE', key, ARGV[at * 3 + 1]) end
        end
        refused = hits > limit
    end
    answer[at] = hits
end
return answer
