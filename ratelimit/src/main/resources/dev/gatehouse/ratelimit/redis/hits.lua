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

-- By key: what it comes to before and after, and of a bucket the rest of it.
local counters = {}

local function counterOf(key, kind, a)
  local value = redis.call('GET', key)
  if kind ~= 116 then
    local count = tonumber(value or 0)
    return {key = key, before = count, after = count, missing = not value, lives = ARGV[a + 3]}
  end
  local now, rate, cost = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5])
  local level, time, ahead = 0, now, false
  if value then
    local itsLevel, itsTime, itsCost = string.match(value, '^(%d+) (%d+) (%d+)$')
    level, time, itsCost = tonumber(itsLevel), tonumber(itsTime), tonumber(itsCost)
    if itsCost ~= cost then
      level = math.min(math.ceil(level * cost / itsCost), LARGEST_BUCKET)
    end
    ahead = time - now > AHEAD
    if now > time then
      level = math.max(0, level - (now - time) * rate)
      time = now
    elseif ahead then
      time = now
    end
  end
  return {key = key, before = level, after = level, time = time, rate = rate, cost = cost, ahead = ahead}
end

-- Takes the hit; says what its counter comes to. What a bucket does not hold is not taken from it.
local function take(hit)
  local counter = hit.counter
  local with = counter.after + hit.units
  if with < 0 then
    with = 0
  end
  if not (counter.cost and hit.units > 0 and with > hit.capacity) then
    counter.after = with
  end
  return with
end

local hits = {}
local answer = {}
local denied, quotas, over = false, 0, 0
local k, a, n = 1, 1, 0
while ARGV[a] do
  local kind, denies, counted = string.byte(ARGV[a], 1, 3)
  local key = KEYS[k]
  local counter = counters[key]
  if not counter then
    counter = counterOf(key, kind, a)
    counters[key] = counter
  end
  local hit = {counter = counter, counted = counted == 99, units = tonumber(ARGV[a + 1]), capacity = tonumber(ARGV[a + 2])}
  local used = take(hit)
  k = k + 1
  if kind == 115 then
    local last = math.min(tonumber(redis.call('GET', KEYS[k]) or 0), 8589934592)
    used = used + math.ceil(last * tonumber(ARGV[a + 4]) / 1048576)
    k = k + 1
    a = a + 5
  elseif kind == 116 then
    a = a + 6
  else
    a = a + 4
  end
  if denies == 113 then
    quotas = quotas + 1
    if used > hit.capacity then
      over = over + 1
    end
  elseif denies == 100 and used > hit.capacity then
    denied = true
  end
  n = n + 1
  hits[n] = hit
  answer[n] = used
end

if denied or quotas > 0 and quotas == over then
  for _, counter in pairs(counters) do
    counter.after = counter.before
  end
  for i = 1, n do
    if hits[i].counted then
      take(hits[i])
    end
  end
end

for i = 1, n do
  local counter = hits[i].counter
  local count = counter.after
  if count ~= counter.before or counter.ahead then
    if not counter.cost then
      if counter.missing then
        redis.call('SET', counter.key, count, 'PX', counter.lives)
      elseif count <= MOST then
        redis.call('INCRBY', counter.key, count - counter.before)
      end
    elseif count == 0 then
      redis.call('DEL', counter.key)
    else
      redis.call('SET', counter.key, string.format('%.0f %.0f %.0f', count, counter.time, counter.cost), 'PX',
        math.ceil(count / math.max(counter.rate, 1)) + SLACK)
    end
    counter.before = count
    counter.ahead = false
  end
end

return answer
