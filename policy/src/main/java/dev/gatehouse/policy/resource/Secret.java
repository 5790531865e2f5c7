package dev.gatehouse.policy.resource;

import java.util.Map;

/** {@code v1 Secret}, its {@code data} decoded and its {@code stringData} laid over it. {@code toString} hides the values. */
public record Secret(Meta meta, String type, Map<String, byte[]> data) implements Resource {
  @Override
  public String toString() {
    return meta.title() + data.keySet();
  }
}
