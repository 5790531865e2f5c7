package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.HeadersMessage;
import dev.gatehouse.extproc.stream.PlainValues;
import dev.gatehouse.policy.attach.Bindings;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.expr.Auth;
import dev.gatehouse.policy.expr.RequestFacts;
import dev.gatehouse.policy.expr.Work;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A stream as conditions and templates see it. A step sees what the steps before it made; response steps see the request as its
 * steps left it. What nobody asks for is not read.
 */
public final class StreamFacts implements RequestFacts {
  private static final String FORWARDED_ADDRESS = "x-envoy-external-address";

  private final @Nullable RouteKey route;
  private final boolean addressFromHeader;
  private HeaderEdits request = new HeaderEdits(null);
  private HeaderEdits response = new HeaderEdits(null);
  private @Nullable HeadersMessage first;
  private @Nullable HeadersMessage latest;
  private @Nullable Auth auth;
  private @Nullable Object requestBody;
  private @Nullable Object responseBody;
  private Map<String, Object> told = Map.of();
  private @Nullable Query query;
  private long work = Work.QUICK;

  private record Query(String path, Map<String, String> parameters) {}

  /** @param addressFromHeader {@code --client-address=x-envoy-external-address} */
  public StreamFacts(@Nullable RouteKey route, boolean addressFromHeader) {
    this.route = route;
    this.addressFromHeader = addressFromHeader;
  }

  /** A direction's headers came. */
  public void came(HeadersMessage message) {
    if (first == null) {
      first = message;
    }
    latest = message;
    if (message.direction() == Direction.REQUEST) {
      request = new HeaderEdits(message);
    } else {
      response = new HeaderEdits(message);
    }
  }

  HeaderEdits edits(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  /** A direction's body was read. */
  void read(Direction direction, Object json) {
    if (direction == Direction.REQUEST) {
      requestBody = json;
    } else {
      responseBody = json;
    }
  }

  /** The steps that could read a body have been run, or have facts of their own. */
  void forgetBodies() {
    requestBody = null;
    responseBody = null;
  }

  /** Dynamic metadata was written; what comes later sees it, whether or not Envoy forwards it. */
  void tell(Map<String, String> metadata) {
    var all = new LinkedHashMap<>(told);
    all.putAll(metadata);
    told = all;
  }

  /** These facts for late steps of a direction, whose edits so far have gone: what is edited on the copy changes nothing here. */
  StreamFacts later(Direction direction) {
    var later = new StreamFacts(route, addressFromHeader);
    later.request = direction == Direction.REQUEST ? request.gone() : request.copy();
    later.response = direction == Direction.RESPONSE ? response.gone() : response.copy();
    later.first = first;
    later.latest = latest;
    later.auth = auth;
    later.requestBody = requestBody;
    later.responseBody = responseBody;
    later.told = told;
    return later;
  }

  /** No event loop waits for what is evaluated over them. */
  StreamFacts onWorker() {
    work = Work.SLOW;
    return this;
  }

  /**
   * What late steps made of a direction's headers, and what they told.
   *
   * @param keepsBody whether the request's body, as they left it, is kept for the steps of the response
   */
  void take(Direction direction, StreamFacts later, boolean keepsBody) {
    if (direction == Direction.REQUEST) {
      request = later.request;
      requestBody = keepsBody ? later.requestBody : null;
    } else {
      response = later.response;
    }
    told = later.told;
  }

  @Override
  public long work() {
    return work;
  }

  @Override
  public String method() {
    return orEmpty(request.joined(":method"));
  }

  @Override
  public String path() {
    return orEmpty(request.joined(":path"));
  }

  @Override
  public String urlPath() {
    var path = path();
    var mark = path.indexOf('?');
    return mark < 0 ? path : path.substring(0, mark);
  }

  @Override
  public String host() {
    return orEmpty(request.joined(":authority"));
  }

  @Override
  public String scheme() {
    return orEmpty(request.joined(":scheme"));
  }

  @Override
  public String id() {
    return orEmpty(request.joined(Bindings.REQUEST_ID));
  }

  @Override
  public @Nullable String header(String name) {
    return request.joined(name);
  }

  @Override
  public Map<String, String> headers() {
    return request.all();
  }

  /** Read once, however many conditions look at it: a client may send a long one. */
  @Override
  public Map<String, String> query() {
    var path = path();
    var known = query;
    if (known == null || !known.path.equals(path)) {
      known = new Query(path, Parameters.query(path));
      query = known;
    }
    return known.parameters;
  }

  @Override
  public String sourceAddress() {
    if (addressFromHeader) {
      return orEmpty(request.joined(FORWARDED_ADDRESS));
    }
    var address = first == null ? null : first.attribute("source.address");
    return address == null ? "" : withoutPort(address);
  }

  @Override
  public @Nullable Auth auth() {
    if (auth == null && latest != null) {
      auth = latest.auth();
    }
    return auth;
  }

  @Override
  public @Nullable RouteKey route() {
    return route;
  }

  @Override
  public int responseCode() {
    var status = response.joined(":status");
    return status == null || status.length() != 3 ? 0 : number(status);
  }

  @Override
  public Map<String, String> responseHeaders() {
    return response.all();
  }

  @Override
  public @Nullable Object requestBody() {
    return requestBody;
  }

  @Override
  public @Nullable Object responseBody() {
    return responseBody;
  }

  @Override
  public @Nullable Map<String, Object> metadata(String namespace) {
    var struct = latest == null ? null : latest.metadata(namespace);
    if (struct == null && first != null) {
      struct = first.metadata(namespace);
    }
    var ours = namespace.equals(Bindings.PROCESSOR_NAMESPACE) ? told : Map.<String, Object>of();
    if (struct == null) {
      return ours.isEmpty() ? null : ours;
    }
    var all = PlainValues.of(struct);
    all.putAll(ours);
    return all;
  }

  private static int number(String digits) {
    try {
      return Integer.parseInt(digits);
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** {@code 10.0.0.1:1234}, {@code [::1]:1234}; without a port it is taken as it is. */
  private static String withoutPort(String address) {
    if (address.startsWith("[")) {
      var end = address.indexOf(']');
      return end < 0 ? address : address.substring(1, end);
    }
    var colon = address.indexOf(':');
    return colon < 0 || colon != address.lastIndexOf(':') ? address : address.substring(0, colon);
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }
}
