package dev.gatehouse.e2e.streams;

import com.google.protobuf.ByteString;
import dev.gatehouse.e2e.ShopYaml;
import dev.gatehouse.extproc.stream.Processor;
import dev.gatehouse.extproc.transform.StreamFacts;
import dev.gatehouse.extproc.transform.TransformCompiler;
import dev.gatehouse.extproc.transform.TransformPlan;
import dev.gatehouse.extproc.transform.TransformProcessor;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.TransformPolicy;
import dev.gatehouse.policy.source.Load;
import dev.gatehouse.server.DecisionListener;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPOutputStream;

/** TransformPolicies for a {@link ProcessingGate}, which knows no routes. */
final class Transforms {
  /** A record whose card is there to be masked. */
  static final String ROW = "{\"card\":\"4111111111111111\",\"n\":1.50}";

  private static final String FRAME =
      ShopYaml.GATEWAY + ShopYaml.route("orders", "{path: {value: /}}") + """
      ---
      apiVersion: gatehouse.dev/v1alpha1
      kind: TransformPolicy
      metadata: {name: orders, namespace: shop}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: orders}]
      """;

  private Transforms() {}

  /** @param spec what follows {@code targetRefs} in the policy's spec */
  static TransformPlan plan(String spec) {
    var load = Load.text("test.yaml", FRAME + spec.indent(2));
    var problems = new Problems();
    if (load.policies().rules().getFirst().transform()
        instanceof Attachment.Of<TransformPolicy>(var policy)) {
      var plan = new TransformCompiler(problems).compile(policy);
      if (plan != null) {
        return plan;
      }
    }
    throw new AssertionError("" + load.problems().all() + problems.all());
  }

  /**
   * The plan of a policy that masks the cards in the rows of responses.
   *
   * @param more of the policy's spec
   */
  static TransformPlan masking(String more) {
    return plan(more + "response: [{json: [{op: mask, at: /rows/*/card, keepLast: 4}]}]");
  }

  static ByteString gzip(String text) throws IOException {
    var bytes = ByteString.newOutput();
    try (var gzip = new GZIPOutputStream(bytes)) {
      gzip.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteString();
  }

  /** Of one stream. */
  static Processor processor(TransformPlan plan) {
    return new TransformProcessor(plan, new StreamFacts(null, false), "", DecisionListener.NONE);
  }
}
