package dev.gatehouse.ratelimit.counter;

/** Which of the counters of a {@link Period}. */
record CounterKey(String limit, String subject) {}
