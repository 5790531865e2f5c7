package dev.gatehouse.policy.resource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What reading must hold for whatever anyone writes: it never fails, and nothing that is wrong leaves a policy half in force. */
class MutationTest {
  private static final String GATEWAY = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: Gateway
      metadata: {name: g, labels: {a: b}}
      spec:
        listeners:
        - {name: http, port: 80, protocol: HTTP, hostname: a.example.com, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {x: y}}}}}
        - {name: https, port: 443, protocol: HTTPS, tls: {mode: Terminate, certificateRefs: [{name: c, namespace: d}]}}
      """;
  private static final String ROUTE = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: HTTPRoute
      metadata: {name: r}
      spec:
        parentRefs: [{name: g, sectionName: http, port: 80}]
        hostnames: [a.example.com]
        rules:
        - name: one
          matches: [{path: {type: PathPrefix, value: /a}, method: GET, headers: [{name: a, value: b}], queryParams: [{name: c, type: Exact, value: d}]}]
          filters:
          - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], remove: [c]}}
          - {type: URLRewrite, urlRewrite: {hostname: b.example.com, path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}
          backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b, weight: 1}]
          timeouts: {request: 10s}
      """;
  private static final String GRPC_ROUTE = """
      apiVersion: gateway.networking.k8s.io/v1
      kind: GRPCRoute
      metadata: {name: r}
      spec:
        parentRefs: [{name: g, sectionName: http, port: 80}]
        hostnames: [a.example.com]
        rules:
        - name: one
          matches: [{method: {type: RegularExpression, service: a, method: b}, headers: [{name: a, value: b}]}]
          filters:
          - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: b}], remove: [c]}}
          - {type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: a, value: b}]}}
          backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b, weight: 1}]
      """;
  private static final String SECURITY = """
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: p, namespace: n, creationTimestamp: "2026-01-01T00:00:00Z"}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r, sectionName: one}]
        cors: {allowOrigins: ["https://a.example.com"], allowMethods: [GET], allowHeaders: [a], exposeHeaders: [b], maxAge: 1h, allowCredentials: true}
        jwt:
          optional: false
          providers:
          - name: corp
            issuer: https://idp.example.com
            audiences: [a]
            remoteJWKS: {uri: https://idp.example.com/jwks, cacheDuration: 5m}
            claimToHeaders: [{claim: sub, header: x-user}]
            extractFrom: {headers: [{name: a, valuePrefix: b}], cookies: [c], params: [d]}
        authorization:
          defaultAction: Deny
          rules:
          - name: one
            action: Allow
            operation: {methods: [GET], path: {type: Exact, value: /a}}
            principal:
              clientCIDRs: [10.0.0.0/8]
              jwt: {provider: corp, claims: [{name: a, valueType: StringArray, values: [b]}], scopes: [s]}
              headers: [{name: a, values: [b]}]
            cel: "true"
      """;
  private static final String CREDENTIALS = """
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: SecurityPolicy
      metadata: {name: p}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        mergeType: StrategicMerge
        apiKeyAuth:
          credentialRefs: [{group: "", kind: Secret, name: a, namespace: b}]
          extractFrom: [{headers: [a]}, {params: [b]}, {cookies: [c]}]
          forwardClientIDHeader: x-client
          sanitize: true
        basicAuth: {users: {name: a}, forwardUsernameHeader: x-user}
        authorization: {rules: [{action: Deny, cel: "true", operation: {path: {value: /a, invert: true}}}]}
      """;
  private static final String AUTH = """
      apiVersion: gatehouse.dev/v1alpha1
      kind: AuthPolicy
      metadata: {name: p}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        jwt:
          providers:
          - name: corp
            issuer: https://idp.example.com
            audiences: [a]
            remoteJWKS: {cacheDuration: 5m, tls: {caCertificateRefs: [{kind: ConfigMap, name: a}], clientCertificateRef: {name: b}}}
            algorithms: [RS256, EdDSA]
            types: [at+jwt]
            clockSkew: 30s
            maxLifetime: 24h
            requiredClaims: [sub]
        apiKeyAuth: {credentialRefs: [{name: a}], extractFrom: [{headers: [a]}], clients: {name: a}}
        clientCertificate: {from: Forwarded, caSecret: {kind: Secret, name: a}, subjects: ["spiffe://corp/*"], trusted: [10.0.0.0/8]}
        anonymous: {when: "true"}
        response: {headers: {x-a: b}, metadata: {p: c}, deniedHeaders: {x-d: e}}
        enforcement: Shadow
      """;
  private static final String TRAFFIC = """
      apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: BackendTrafficPolicy
      metadata: {name: p}
      spec:
        targetSelectors: [{kind: HTTPRoute, matchLabels: {a: b}}]
        rateLimit:
          type: Global
          global:
            rules:
            - clientSelectors:
              - headers: [{name: a, type: Distinct}, {name: b, value: c, invert: true}]
                methods: [{value: GET, invert: false}]
                path: {type: Exact, value: /a, invert: true}
                sourceCIDR: {type: Distinct, value: 10.0.0.0/8}
                queryParams: [{name: a, type: RegularExpression, value: "b+"}]
              limit: {requests: 5, unit: Minute, fromMetadata: {namespace: n, key: k}}
              cost: {request: {from: Number, number: 2}, response: {from: Metadata, metadata: {namespace: n, key: a:b}}}
              shared: true
              shadowMode: true
              xRateLimitHeaders: "Off"
      """;
  private static final String RATE = """
      apiVersion: gatehouse.dev/v1alpha1
      kind: RateLimitPolicy
      metadata: {name: p}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]
        rules:
        - name: one
          clientSelectors: [{metadata: [{namespace: n, key: a:b, type: Exact, value: c}, {key: d, type: Distinct}]}]
          limit: {requests: 5, unit: Minute, every: 5}
          plan: {metadata: {namespace: n, key: k}, limits: {g: {requests: 5, unit: Hour, every: 2}}}
          algorithm: SlidingWindow
          onUnavailable: Local
          cost: {request: {from: Metadata, metadata: {namespace: n, key: k}}, response: {from: Number, number: 1}}
          shared: true
          shadowMode: true
        - {algorithm: TokenBucket, limit: {requests: 5, unit: Minute, burst: 2}}
        denied: Counted
        response: {status: 503, headers: {a: b}, body: c, limitHeaders: IETF, retryAfter: false}
      """;
  private static final String TRANSFORM = """
      apiVersion: gatehouse.dev/v1alpha1
      kind: TransformPolicy
      metadata: {name: p}
      spec:
        targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]
        limits: {requestBytes: 1Mi, responseBytes: 1Mi}
        onUnprocessable: Pass
        localReplies: Transform
        request:
        - {when: "true", headers: {remove: [a], rename: {b: c}, set: {d: e}, add: {f: g}}, query: {set: {a: b}, remove: [c]}}
        - {path: {regex: "(a)", replacement: $1}, json: [{op: set, at: /a, value: {b: [1, null]}}, {op: mask, at: /b, keepLast: 4}, {op: rename, at: /c, to: d}]}
        - {respond: {status: 415, headers: {a: b}, body: c}}
        response:
        - {status: 502, body: {template: a}}
      """;
  private static final List<String> ALL =
      List.of(GATEWAY, ROUTE, GRPC_ROUTE, SECURITY, CREDENTIALS, AUTH, TRAFFIC, RATE, TRANSFORM);
  private static final List<String> JUNK = List.of(
      "",
      "~",
      "1",
      "-1",
      "1e9",
      "true",
      "[]",
      "{}",
      "\"\"",
      "x",
      "[x]",
      "{x: y}",
      "*a",
      "&a",
      "!!int 1",
      "\u0000",
      "…",
      ": ",
      "- ",
      "\n",
      "\n  ",
      "#",
      "'",
      "{",
      "]",
      "9".repeat(40),
      "(".repeat(300));

  /** Names of one letter are free ones: labels, headers, query parameters. */
  private static final Pattern FIELD = Pattern.compile("(?<=[\\s{])([A-Za-z]{2,}):(?=[ \n])");

  @Test
  void the_samples_are_sound() {
    assertThat(ALL).allSatisfy(sample -> assertThat(Read.of(sample).problems()).isEmpty());
  }

  @Test
  void a_misspelt_field_anywhere_keeps_a_policy_out_of_force() {
    for (var sample : List.of(SECURITY, CREDENTIALS, AUTH, TRAFFIC, RATE, TRANSFORM)) {
      var field = FIELD.matcher(sample);
      while (field.find()) {
        var read =
            Read.of(sample.substring(0, field.end(1)) + "x" + sample.substring(field.end(1)));

        assertThat(read.problems()).as(field.group(1)).isNotEmpty();
        assertThat(read.resources()).as(field.group(1)).allMatch(RejectedPolicy.class::isInstance);
        assertThat(read.resources().size() + read.unreadable().size())
            .as(field.group(1))
            .isEqualTo(1);
      }
    }
  }

  @Test
  void a_misspelt_field_anywhere_keeps_a_route_from_leaving_its_requests_to_another() {
    for (var route : List.of(ROUTE, GRPC_ROUTE)) {
      var field = FIELD.matcher(route);
      while (field.find()) {
        var read = Read.of(route.substring(0, field.end(1)) + "x" + route.substring(field.end(1)));

        assertThat(read.problems()).as(field.group(1)).isNotEmpty();
        boolean answersNothing = read.resources().stream()
            .allMatch(r -> ((HttpRoute) r).rules().getFirst().backendRefs().isEmpty());
        assertThat(answersNothing).as(field.group(1)).isTrue();
        assertThat(read.resources().size() + read.unreadable().size())
            .as(field.group(1))
            .isEqualTo(1);
      }
    }
  }

  @Test
  void whatever_stands_in_a_file_reading_does_not_fail() {
    var random = new Random(42);
    for (int i = 0; i < 4000; i++) {
      var text = new StringBuilder(ALL.get(random.nextInt(ALL.size())));
      for (int j = random.nextInt(3); j >= 0; j--) {
        int at = random.nextInt(text.length());
        int end = Math.min(text.length(), at + random.nextInt(12));
        text.replace(at, end, JUNK.get(random.nextInt(JUNK.size())));
      }
      var mutated = text.toString();
      assertThatCode(() -> Read.of(mutated)).as(mutated).doesNotThrowAnyException();
    }
  }

  @Test
  void a_value_of_another_type_is_reported_and_reading_does_not_fail() {
    var value = Pattern.compile("(?<=: )[A-Za-z0-9/.\"-]+(?=[,}\\]\n])");
    for (var sample : ALL) {
      var places = value.matcher(sample);
      while (places.find()) {
        for (var junk :
            List.of("~x: ", "[]", "{}", "[[x]]", "{x: y}", "-7.5", "true", "null", "'\u007f'")) {
          var mutated = sample.substring(0, places.start()) + junk + sample.substring(places.end());
          assertThatCode(() -> Read.of(mutated)).as(mutated).doesNotThrowAnyException();
        }
      }
    }
  }
}
