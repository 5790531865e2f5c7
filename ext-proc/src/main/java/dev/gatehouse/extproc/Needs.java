package dev.gatehouse.extproc;

import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.transform.BodyUse.How;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.Meta;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.TransformPolicy;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * The least that Envoy must send for a rule's TransformPolicy, and which step is the cause of each: what {@code wire} writes and {@code
 * lint} compares with.
 *
 * @param metadata the namespaces of dynamic metadata that it reads
 * @param writesMetadata why it must be allowed to write its own namespace; null if it writes none
 */
public record Needs(
    Way request,
    Way response,
    SortedMap<String, Reason> metadata,
    @Nullable Reason writesMetadata) {
  /** Response attribute that tells Envoy's own answers from the upstream's. */
  public static final String CODE_DETAILS = "response.code_details";

  public static final String SOURCE_ADDRESS = "source.address";

  private static final Needs NOTHING =
      new Needs(Way.NOTHING, Way.NOTHING, Collections.emptySortedMap(), null);

  /** How Envoy is to send a body: those of its {@code BodySendMode}s that a plan uses. */
  public enum Mode {
    NONE,
    BUFFERED,
    FULL_DUPLEX_STREAMED
  }

  /**
   * Why something is needed.
   *
   * @param step such as {@code response[1]}; the policy where it is no step's
   * @param name of the step, if it has one
   * @param why a half sentence about it: "its when reads response.body"
   */
  public record Reason(String step, @Nullable String name, Origin origin, String why) {
    static Reason refusing(Meta policy) {
      return new Reason(
          policy.title(),
          null,
          policy.origin(),
          "it cannot be honoured, and so the streams must fail");
    }

    Reason saying(String otherwise) {
      return new Reason(step, name, origin, otherwise);
    }

    /** {@code response[1] "hide" (shop.yaml:20:5)}: the step and where it stands. */
    @Override
    public String toString() {
      return step + (name == null ? "" : " \"" + name + "\"") + " (" + origin + ")";
    }
  }

  /**
   * What is needed of one direction.
   *
   * @param headers why its headers must be sent; empty: they need not be
   * @param bodyReasons why the body is needed as it is, no weaker reasons among them
   * @param limit the largest body in bytes; 0 where none is needed
   * @param attributes those of Envoy's attributes that must be sent with its headers
   */
  public record Way(
      List<Reason> headers,
      How body,
      List<Reason> bodyReasons,
      long limit,
      Map<String, Reason> attributes) {
    static final Way NOTHING = new Way(List.of(), How.NONE, List.of(), 0, Map.of());

    public boolean sendsHeaders() {
      return !headers.isEmpty();
    }

    public boolean readsBody() {
      return body != How.NONE;
    }
  }

  /** Compiles the policy: who asks for many rules has a {@link NeedsBook}. */
  public static Needs of(AttachedRule rule) {
    return switch (rule.transform()) {
      case Attachment.None<TransformPolicy> none -> NOTHING;
      case Attachment.Rejected<TransformPolicy>(var meta) -> refusal(Reason.refusing(meta));
      case Attachment.Of<TransformPolicy>(var policy) -> Planner.plan(policy);
    };
  }

  /** The request's headers alone: enough for the service to fail the stream, and local replies stay what they are. */
  private static Needs refusal(Reason reason) {
    return new Needs(
        new Way(List.of(reason), How.NONE, List.of(), 0, Map.of()),
        Way.NOTHING,
        Collections.emptySortedMap(),
        null);
  }

  public Way way(Direction direction) {
    return direction == Direction.REQUEST ? request : response;
  }

  /** Whether the route needs ext_proc at all. */
  public boolean any() {
    return request.sendsHeaders() || response.sendsHeaders();
  }

  /** Whether either direction's body is needed. */
  public boolean anyBody() {
    return request.readsBody() || response.readsBody();
  }

  /**
   * How Envoy should send a direction's body. If one direction streams, the other does too where it has a body: while a FULL_DUPLEX_STREAMED
   * mode is configured Envoy heeds no {@code mode_override}, which a BUFFERED one needs for bodies that nobody wants.
   */
  public Mode mode(Direction direction) {
    if (!way(direction).readsBody()) {
      return Mode.NONE;
    }
    return request.body == How.STREAM || response.body == How.STREAM
        ? Mode.FULL_DUPLEX_STREAMED
        : Mode.BUFFERED;
  }

  /** How large a body Envoy must be able to hold, in bytes; 0 where it holds none. */
  public long buffer() {
    return Math.max(buffer(Direction.REQUEST), buffer(Direction.RESPONSE));
  }

  private long buffer(Direction direction) {
    return mode(direction) == Mode.BUFFERED ? way(direction).limit : 0;
  }
}
