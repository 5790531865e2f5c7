package dev.gatehouse.sandbox.cases;

import dev.gatehouse.sandbox.StrictYaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What stands in a case's {@code requests.yaml} (docs/cases.md). Read strictly: an unknown key is an error with its line.
 *
 * @param about what the case shows, in a sentence
 */
record CaseFile(@Nullable String about, Settings settings, List<Step> requests) {
  static final String NAME = "requests.yaml";

  CaseFile {
    settings = settings == null ? Settings.USUAL : settings;
    requests = requests == null ? List.of() : requests;
  }

  /** @throws CaseException naming file, line and column, and the keys there are */
  static CaseFile read(Path folder) {
    var file = folder.resolve(NAME);
    String yaml;
    try {
      yaml = Files.readString(file);
    } catch (IOException e) {
      throw new CaseException(file + ": cannot be read: " + e.getMessage());
    }
    CaseFile read;
    try {
      read = StrictYaml.read(file.toString(), yaml, CaseFile.class);
    } catch (IllegalArgumentException e) {
      throw new CaseException(String.valueOf(e.getMessage()));
    }
    if (read == null || read.requests.isEmpty()) {
      throw new CaseException(file + ": requests: there are none");
    }
    for (var i = 0; i < read.requests.size(); i++) {
      var wrong = read.requests.get(i).wrong();
      if (wrong != null) {
        throw new CaseException(file + ": requests[" + i + "]: " + wrong);
      }
    }
    return read;
  }

  /**
   * How the gate of the case is set up.
   *
   * @param unmatched {@code deny} or {@code allow}
   * @param clientAddress {@code peer} or {@code x-envoy-external-address}
   * @param redis whether the counters are in Redis; else in memory
   * @param upstream {@code echo} or {@code shop}
   * @param failureModeAllow whether Envoy is told to let requests pass that ext_authz cannot answer
   * @param bindings false takes {@code wire}'s bindings out of Envoy's configuration, as another gateway has none
   * @param rawHeaders false lets Envoy tell ext_authz of headers joined by commas, as Envoy Gateway does
   * @param trustedHops how many proxies in front Envoy believes about the client's address ({@code xff_num_trusted_hops})
   */
  record Settings(
      @Nullable String unmatched,
      boolean matchRoutes,
      @Nullable String clientAddress,
      boolean redis,
      @Nullable String upstream,
      boolean failureModeAllow,
      @Nullable Boolean bindings,
      @Nullable Boolean rawHeaders,
      @Nullable Integer trustedHops) {
    static final Settings USUAL =
        new Settings(null, false, null, false, null, false, null, null, null);
  }

  /**
   * A request and what must come of it, or an edit of the policies.
   *
   * @param times how often it is sent; each answer must fit
   * @param from the client's address on the loopback, such as {@code 127.0.0.2}
   * @param listener the port that the Gateway says; the first one by default
   * @param clientCertificate a file of the case's folder: a certificate and its key in PEM, shown to a TLS listener that asks
   * @param json a body as JSON, with its content type
   * @param repeat the body that many times over
   * @param gzip the body compressed, with its content encoding
   * @param chunked the body in chunks, without a length
   * @param token the claims of a token; {@code iss}, {@code iat} and {@code exp} are added, null takes one out
   * @param sign how the token is signed, where it is not as usual
   * @param raw sent instead of a request, as it is
   * @param reply what the upstream answers
   * @param edit files of {@code policies/} to replace by others of the case's folder; null removes one
   */
  record Step(
      @Nullable String name,
      @Nullable String method,
      String path,
      @Nullable String host,
      Map<String, @Nullable JsonNode> headers,
      @Nullable String body,
      @Nullable JsonNode json,
      @Nullable Integer repeat,
      boolean gzip,
      boolean chunked,
      @Nullable Integer times,
      @Nullable String from,
      @Nullable Integer listener,
      @Nullable String clientCertificate,
      @Nullable Map<String, @Nullable JsonNode> token,
      @Nullable Sign sign,
      @Nullable String raw,
      @Nullable Reply reply,
      Map<String, @Nullable String> edit,
      Expect expect) {
    Step {
      path = path == null ? "" : path;
      headers = headers == null ? Map.of() : headers;
      edit = edit == null ? Map.of() : edit;
      expect = expect == null ? Expect.NOTHING : expect;
    }

    String title() {
      if (name != null) {
        return name;
      }
      return edit.isEmpty() ? methodOrGet() + " " + path : "edit " + edit.keySet();
    }

    String methodOrGet() {
      return method == null ? "GET" : method;
    }

    @Nullable
    String wrong() {
      if (edit.isEmpty() && path.isEmpty() && raw == null) {
        return "neither path nor raw nor edit (expected: one of them)";
      }
      if (body != null && json != null) {
        return "both body and json (expected: one of them)";
      }
      return expect.equals(Expect.NOTHING)
          ? "no expect: a step that expects nothing shows nothing"
          : null;
    }
  }

  /**
   * How a token is signed.
   *
   * @param alg {@code RS256}, {@code ES256} or {@code none}
   * @param header laid over the usual one; null takes a member out
   * @param forged with a key that is not the issuer's
   * @param spoil cut off the end of the signature
   */
  record Sign(
      @Nullable String alg,
      @Nullable Map<String, @Nullable JsonNode> header,
      boolean forged,
      boolean spoil) {}

  record Reply(
      @Nullable Integer status,
      @Nullable Map<String, JsonNode> headers,
      @Nullable String body,
      @Nullable JsonNode json,
      @Nullable Integer repeat,
      boolean gzip) {}

  /**
   * What must come back.
   *
   * @param status any of; more than one only where it is Envoy's race which
   * @param upstream what the upstream saw; {@code nothing: true} if it must not have been asked
   * @param envoy by how much counters of Envoy grow, by a regular expression of their names
   * @param inForce of an edit: whether the policies are in force now
   * @param problems of an edit: regular expressions, each of which a problem must fit
   */
  record Expect(
      @Nullable List<Integer> status,
      @Nullable Map<String, Match> headers,
      @Nullable Match body,
      @Nullable Saw upstream,
      @Nullable Map<String, Long> envoy,
      @Nullable Boolean inForce,
      @Nullable List<String> problems,
      boolean closed) {
    static final Expect NOTHING = new Expect(null, null, null, null, null, null, null, false);
  }

  record Saw(
      boolean nothing,
      @Nullable Integer times,
      @Nullable String backend,
      @Nullable Match method,
      @Nullable Match path,
      @Nullable Map<String, Match> headers,
      @Nullable Match body) {}
}
