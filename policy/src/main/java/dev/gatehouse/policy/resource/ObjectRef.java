package dev.gatehouse.policy.resource;

/** A reference to an object by kind, namespace (the referrer's own where none is given) and name. */
public record ObjectRef(String group, String kind, String namespace, String name, Origin origin) {}
