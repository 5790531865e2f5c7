package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.DirectPeer;
import dev.gatehouse.extproc.stream.Direction;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.stream.ProcessorStream.Opened;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.RouteKey;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.server.Decision;
import dev.gatehouse.testkit.EnvoyStream;
import io.envoyproxy.envoy.extensions.filters.http.ext_proc.v3.ProcessingMode.BodySendMode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A policy that a test writes, and the Envoys that come to it. */
public final class Transforming {
  private static final String FRAME = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: web, namespace: shop}
      spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
      ---
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: orders, namespace: shop}
      spec:
        parentRefs: [{name: web}]
        rules: [{name: list, backendRefs: [{name: shop, port: 80}]}]
      ---
      apiVersion: gatehouse.dev/v1alpha1
      kind: TransformPolicy
      metadata: {name: orders, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
      """;

  private final TransformPlan plan;
  private final List<Decision> decisions = new ArrayList<>();
  private DirectPeer peer = new DirectPeer(first -> new Opened.Refused("not opened"));

  private Transforming(TransformPlan plan) {
    this.plan = plan;
  }

  /** @param spec what follows {@code targetRefs} in the policy's spec */
  public static Transforming by(String spec) {
    var problems = new Problems();
    var plan = new TransformCompiler(problems).compile(policy(spec));
    if (plan == null) {
      throw new AssertionError("the policy does not compile: " + problems.all());
    }
    return new Transforming(plan);
  }

  public static TransformPolicy policy(String spec) {
    var load = Load.text("test.yaml", yaml(spec));
    if (load.policies().rules().getFirst().transform()
        instanceof Attachment.Of<TransformPolicy>(var policy)) {
      return policy;
    }
    throw new AssertionError("the policy is not in force: " + load.problems().all());
  }

  public static String yaml(String spec) {
    return FRAME + spec.indent(2);
  }

  /** An Envoy that sends bodies as the policy needs them. */
  public EnvoyStream envoy() {
    return envoyWithoutConfig().bodies(requestMode(), responseMode());
  }

  /** One whose stream's work is done elsewhere. */
  EnvoyStream envoy(Executor workers) {
    return new EnvoyStream(open(workers)).bodies(requestMode(), responseMode());
  }

  /** One whose stream is seen so. */
  EnvoyStream envoy(StreamFacts facts) {
    peer = new DirectPeer(first -> new Opened.With(processor(facts, null)));
    return new EnvoyStream(peer).bodies(requestMode(), responseMode());
  }

  public EnvoyStream envoyWithoutConfig() {
    return new EnvoyStream(open());
  }

  /** One whose stream runs all steps: nothing of what is done is ready-made. */
  EnvoyStream envoyOfRunSteps() {
    var processor = processor(facts(), new StepRecord());
    peer = new DirectPeer(first -> new Opened.With(processor));
    return new EnvoyStream(peer);
  }

  /** A new stream. */
  public DirectPeer open() {
    return open(Runnable::run);
  }

  /** A new stream whose work is done elsewhere. */
  DirectPeer open(Executor workers) {
    var processor = processor();
    peer = new DirectPeer(first -> new Opened.With(processor), workers);
    return peer;
  }

  /** Of one stream. */
  public Processor processor() {
    return processor(facts(), null);
  }

  private Processor processor(StreamFacts facts, @Nullable StepRecord record) {
    return new TransformProcessor(plan, facts, "from-metadata", decisions::add, record);
  }

  private static StreamFacts facts() {
    return new StreamFacts(new RouteKey("HTTPRoute", "shop", "orders", "list"), false);
  }

  public BodySendMode requestMode() {
    return mode(Direction.REQUEST);
  }

  public BodySendMode responseMode() {
    return mode(Direction.RESPONSE);
  }

  public int decisions() {
    return decisions.size();
  }

  public void cancel() {
    peer.cancel();
  }

  /** The decision about the last stream, which ends by a reset now. */
  public Decision decision() {
    peer.cancel();
    return decisions.getLast();
  }

  private BodySendMode mode(Direction direction) {
    return plan.way(direction).steps().stream()
            .anyMatch(step -> step.needs().looksAtBody(direction))
        ? BodySendMode.BUFFERED
        : BodySendMode.NONE;
  }
}
