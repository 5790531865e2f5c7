-- Counts the hits of a request: all are judged at once, and where they are denied only those are counted that always are.
--
-- KEYS  for each hit its counter, and behind it, where the window slides, the last window's.
-- ARGV  for each hit three letters, how much (tokens in units), the capacity, and then
--         f (fixed window)    how long the counter lives, in milliseconds
--         s (sliding window)  the same, and the part of the last window that still counts, in 2^-20
--         t (token bucket)    the time in milliseconds, units a millisecond, units a token
--       The letters: f, s or t; whether over it denies: d, with all other quotas: q, never: -; counted also if denied: c, else -.
-- Answers for each hit the counter, or the bucket's level, with the hit in it.
--
-- A bucket is "level time cost": the units that are taken, at a time in milliseconds, in tokens of so many units.
-- All numbers are whole and below 2^53.

local MOST = 9007199254740991
local LARGEST_BUCKET = 4503599627370496
local SLACK = 2000
local AHEAD = 60000

local hits = {}
local before = {}
local after = {}
local bucket = {}
local missing = {}

local function bucketAt(key, value, now, rate, cost)
  local level, time, itsCost = string.match(value or '0 0 0', '^(%d+) (%d+) (%d+)$')
  level, time, itsCost = tonumber(level), tonumber(time), tonumber(itsCost)
  if value and itsCost ~= cost then
    level = math.min(math.ceil(level * cost / itsCost), LARGEST_BUCKET)
  end
  local ahead = time - now > AHEAD
  if ahead then
    time = now
  elseif now > time then
    level = math.max(0, level - (now - time) * rate)
    time = now
  end
  before[key] = level
  bucket[key] = {time = time, rate = rate, cost = cost, ahead = ahead}
end

local k, a = 1, 1
while a <= #ARGV do
  local kind, denies, counted = string.byte(ARGV[a], 1, 3)
  local key = KEYS[k]
  local hit = {key = key, denies = denies, counted = counted == 99, last = 0, take = tonumber(ARGV[a + 1]),
    capacity = tonumber(ARGV[a + 2])}
  hits[#hits + 1] = hit
  k = k + 1
  local known = before[key]
  local value = not known and redis.call('GET', key)
  if not known then
    missing[key] = not value
  end
  if kind == 116 then
    if not known then
      bucketAt(key, value, tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]))
    end
    hit.bucket = true
    a = a + 6
  else
    if not known then
      before[key] = tonumber(value or 0)
    end
    hit.lives = ARGV[a + 3]
    a = a + 4
    if kind == 115 then
      hit.last = math.ceil(math.min(tonumber(redis.call('GET', KEYS[k]) or 0), 8589934592) * tonumber(ARGV[a]) / 1048576)
      k = k + 1
      a = a + 1
    end
  end
  after[key] = before[key]
end

-- Takes the hit; says what its counter comes to. What a bucket does not hold is not taken from it.
local function take(hit)
  local with = math.max(0, after[hit.key] + hit.take)
  if not (hit.bucket and hit.take > 0 and with > hit.capacity) then
    after[hit.key] = with
  end
  return with
end

local answer = {}
local denied, quotas, over = false, 0, 0
for i, hit in ipairs(hits) do
  answer[i] = take(hit) + hit.last
  if hit.denies == 113 then
    quotas = quotas + 1
  end
  if answer[i] > hit.capacity then
    if hit.denies == 113 then
      over = over + 1
    elseif hit.denies == 100 then
      denied = true
    end
  end
end

if denied or quotas > 0 and quotas == over then
  for key, value in pairs(before) do
    after[key] = value
  end
  for _, hit in ipairs(hits) do
    if hit.counted then
      take(hit)
    end
  end
end

for _, hit in ipairs(hits) do
  local key = hit.key
  local value = after[key]
  local its = bucket[key]
  if value ~= before[key] or its and its.ahead then
    if not its then
      if missing[key] then
        redis.call('SET', key, value, 'PX', hit.lives)
      elseif value <= MOST then
        redis.call('INCRBY', key, value - before[key])
      end
    elseif value == 0 then
      redis.call('DEL', key)
    else
      redis.call('SET', key, string.format('%.0f %.0f %.0f', value, its.time, its.cost), 'PX',
        math.ceil(value / math.max(its.rate, 1)) + SLACK)
    end
    before[key] = value
    if its then
      its.ahead = false
    end
  end
end

return answer
