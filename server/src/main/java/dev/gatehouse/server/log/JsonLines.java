package dev.gatehouse.server.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import org.jspecify.annotations.Nullable;

/**
 * An event as one JSON object a line: {@code time} (RFC 3339, UTC), {@code level}, {@code logger}, {@code message}, then the
 * event's own keys at the top level, which logback's JsonEncoder would put into a list of objects, and {@code error} with the
 * stack trace.
 */
final class JsonLines extends EncoderBase<ILoggingEvent> {
  @Override
  public byte[] encode(ILoggingEvent event) {
    var json = new StringBuilder(256);
    json.append("{\"time\":\"").append(event.getInstant()).append('"');
    member(json, "level", event.getLevel().toString());
    member(json, "logger", event.getLoggerName());
    member(json, "message", event.getFormattedMessage());
    if (event.getKeyValuePairs() != null) {
      event.getKeyValuePairs().forEach(pair -> member(json, pair.key, pair.value));
    }
    if (event.getThrowableProxy() != null) {
      member(json, "error", ThrowableProxyUtil.asString(event.getThrowableProxy()));
    }
    return json.append("}\n").toString().getBytes(UTF_8);
  }

  private static void member(StringBuilder json, String key, @Nullable Object value) {
    json.append(",\"");
    Escaped.json(json, key);
    json.append("\":");
    if (value == null
        || value instanceof Boolean
        || value instanceof Integer
        || value instanceof Long) {
      json.append(value);
      return;
    }
    json.append('"');
    Escaped.json(json, value.toString());
    json.append('"');
  }

  @Override
  public byte @Nullable [] headerBytes() {
    return null;
  }

  @Override
  public byte @Nullable [] footerBytes() {
    return null;
  }
}
