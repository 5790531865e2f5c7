package dev.gatehouse.policy.expr;

/** Where an expression stands, which says what it can see (POLICIES, "CEL variables, by place"). */
public enum Place {
  AUTHORIZATION,
  TRANSFORM_REQUEST,
  TRANSFORM_RESPONSE
}
