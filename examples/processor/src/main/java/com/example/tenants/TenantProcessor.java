package com.example.tenants;

import com.google.protobuf.ByteString;
import dev.gatehouse.extproc.kit.HttpProcessor;
import dev.gatehouse.extproc.kit.StreamContext;
import dev.gatehouse.extproc.stream.BodyWish;
import dev.gatehouse.extproc.stream.DynamicMetadata;
import dev.gatehouse.extproc.stream.HeaderChanges;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.Reply;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Tells the upstream, and the filters behind, whose request it is: the member of the JSON body that the route names goes into the
 * header {@code x-tenant} and into dynamic metadata. A body without one is refused; responses say how long they took.
 */
public final class TenantProcessor implements HttpProcessor {
  static final String NAMESPACE = "example.tenants";

  private static final JsonFactory JSON = JsonFactory.builder().build();
  private static final Pattern TENANT = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");
  private static final HeaderChanges NOT_THE_CLIENTS =
      HeaderChanges.builder().remove("x-tenant").build();

  private final String member;
  private final long began = System.nanoTime();

  private TenantProcessor(String member) {
    this.member = member;
  }

  /** Routes without the setting are left alone. */
  static Processor open(StreamContext stream) {
    var member = stream.setting("x-tenant-member");
    return member == null ? Processor.PASS : new TenantProcessor(member);
  }

  @Override
  public Reply requestHeaders(HeadersMessage headers) {
    var type = headers.first("content-type");
    if (headers.endOfStream()) {
      return Reply.Continue.of(NOT_THE_CLIENTS, BodyWish.UNSEEN);
    }
    if (type == null || !type.toLowerCase(Locale.ROOT).startsWith("application/json")) {
      return Reply.Respond.problem(415, "Send JSON", "tenant_no_json");
    }
    return Reply.Continue.of(NOT_THE_CLIENTS, BodyWish.WHOLE);
  }

  @Override
  public Reply requestBody(ByteString body) {
    var tenant = tenant(body);
    if (tenant == null || !TENANT.matcher(tenant).matches()) {
      return Reply.Respond.problem(422, "The body names no tenant", "tenant_missing");
    }
    var header = HeaderChanges.builder().overwrite("x-tenant", tenant).build();
    return Reply.Continue.of(header, BodyWish.UNSEEN)
        .with(DynamicMetadata.of(NAMESPACE, "tenant", tenant));
  }

  @Override
  public Reply responseHeaders(HeadersMessage headers) {
    var millis = (System.nanoTime() - began) / 1e6;
    var timing = String.format(Locale.ROOT, "upstream;dur=%.1f", millis);
    return Reply.Continue.of(
        HeaderChanges.builder()
            .append("server-timing", ByteString.copyFromUtf8(timing))
            .build(),
        BodyWish.UNSEEN);
  }

  /** The member of the outermost object; null where it is absent, no text, or the body is no JSON. */
  private @Nullable String tenant(ByteString body) {
    try (var json = JSON.createParser(ObjectReadContext.empty(), body.newInput())) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        return null;
      }
      String found = null;
      while (json.nextToken() == JsonToken.PROPERTY_NAME) {
        var isIt = json.currentName().equals(member);
        var value = json.nextToken();
        if (isIt) {
          if (found != null || value != JsonToken.VALUE_STRING) {
            return null; // Of two, each reader would take another.
          }
          found = json.getString();
        }
        json.skipChildren();
      }
      return json.nextToken() == null ? found : null;
    } catch (JacksonException e) {
      return null;
    }
  }
}
