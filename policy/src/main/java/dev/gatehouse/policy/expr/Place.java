package dev.gatehouse.policy.expr;

/** Where an expression stands, which says what it can see (POLICIES, "CEL variables, by place"). */
public enum Place {
  /** What ext-authz asks before it knows who calls: no {@code auth}. */
  ANONYMOUS,
  AUTHORIZATION,
  /** What ext-authz adds to an answer that allows: also {@code decision.id}. */
  AUTH_RESPONSE,
  /** What ext-authz adds to a denial: {@code decision.id}, but no {@code auth}. */
  DENIAL,
  TRANSFORM_REQUEST,
  TRANSFORM_RESPONSE
}
