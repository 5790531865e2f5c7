package dev.gatehouse.sandbox.cases;

import com.google.protobuf.ByteString;
import dev.gatehouse.sandbox.ClientCertificate;
import dev.gatehouse.sandbox.Field;
import dev.gatehouse.sandbox.Issuer;
import dev.gatehouse.sandbox.RawHttp;
import dev.gatehouse.sandbox.Upstream;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One case being played, step by step. */
final class Play {
  private static final JsonMapper JSON = JsonMapper.shared();
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration COUNTED_WITHIN = Duration.ofSeconds(2);
  private static final Pattern RELATIVE = Pattern.compile("now(?:([+-]\\d{1,9})([smhd]))?");

  private static final Pattern FORWARDED = Pattern.compile("\\$\\{forwarded:([^}]+)}");

  private final Stage stage;
  private final Issuer forger;
  private final Path folder;

  Play(Stage stage, Issuer forger, Path folder) {
    this.stage = stage;
    this.forger = forger;
    this.folder = folder;
  }

  CaseResult.Step step(CaseFile.Step step) {
    try {
      return new CaseResult.Step(step.title(), step.edit().isEmpty() ? sent(step) : edited(step));
    } catch (CaseException e) {
      return new CaseResult.Step(step.title(), List.of(String.valueOf(e.getMessage())));
    }
  }

  private List<String> edited(CaseFile.Step step) {
    var files = new LinkedHashMap<String, @Nullable String>();
    step.edit().forEach((file, from) -> {
      try {
        files.put(file, from == null ? null : Files.readString(folder.resolve(from)));
      } catch (IOException e) {
        throw new CaseException("edit: " + from + " cannot be read");
      }
    });
    var edited = stage.edit(files);
    var wrong = new ArrayList<String>();
    var expect = step.expect();
    var inForce = expect.inForce() == null || expect.inForce();
    if (edited.inForce() != inForce) {
      wrong.add("inForce: expected "
          + inForce
          + ", got "
          + edited.inForce()
          + ", with "
          + edited.problems());
    }
    if (expect.problems() != null) {
      for (var regex : expect.problems()) {
        if (edited.problems().stream()
            .noneMatch(p -> Pattern.compile(regex).matcher(p).find())) {
          wrong.add(
              "problems: expected one that matches \"" + regex + "\", got " + edited.problems());
        }
      }
    }
    return wrong;
  }

  private List<String> sent(CaseFile.Step step) {
    var expect = step.expect();
    var upstreams = stage.upstreams();
    if (upstreams != null) {
      upstreams.take();
      upstreams.tell(step.reply() == null ? null : reply(step.reply()));
    } else if (step.reply() != null || expect.upstream() != null) {
      return List.of("not checked: the upstream is not ours (give --upstream-listen)");
    }
    var counted = new HashMap<String, Long>();
    if (expect.envoy() != null) {
      for (var regex : expect.envoy().keySet()) {
        var stats = stage.stats(regex);
        if (stats == null) {
          return List.of("not checked: Envoy's counters are not known (give --envoy-admin)");
        }
        counted.put(regex, sum(stats));
      }
    }

    var wrong = new ArrayList<String>();
    var times = step.times() == null ? 1 : step.times();
    for (var i = 1; i <= times && wrong.isEmpty(); i++) {
      var which = times == 1 ? "" : "answer " + i + " of " + times + ": ";
      send(step).forEach(line -> wrong.add(which + line));
    }
    if (upstreams != null && expect.upstream() != null) {
      wrong.addAll(wrong(expect.upstream(), upstreams.take()));
    }
    if (expect.envoy() != null) {
      expect
          .envoy()
          .forEach((regex, more) ->
              wrong.addAll(wrongCount(regex, counted.getOrDefault(regex, 0L), more)));
    }
    return wrong;
  }

  private List<String> send(CaseFile.Step step) {
    var endpoint = stage.endpoint(step.listener());
    var certificate = step.clientCertificate() == null ? null : shown(step.clientCertificate());
    var http = new RawHttp(endpoint.address(), endpoint.tls(), certificate, TIMEOUT);
    var expect = step.expect();
    RawHttp.Answer answer;
    try {
      answer = step.raw() != null
          ? http.send(RawHttp.bytes(filled(step.raw(), token(step))), step.from())
          : http.send(request(step));
    } catch (EOFException | SocketException e) {
      return expect.closed()
          ? List.of()
          : List.of("expected an answer, but the connection was closed: " + e.getMessage());
    } catch (IOException e) {
      return List.of("expected an answer, got: " + e);
    }
    if (expect.closed()) {
      return List.of("expected the connection to be closed, got status " + answer.status());
    }
    return wrong(expect, answer);
  }

  private static List<String> wrong(CaseFile.Expect expect, RawHttp.Answer answer) {
    var wrong = new ArrayList<String>();
    if (expect.status() != null && !expect.status().contains(answer.status())) {
      wrong.add("status: expected "
          + (expect.status().size() == 1 ? expect.status().getFirst() : "one of " + expect.status())
          + ", got "
          + answer.status()
          + (answer.body().isEmpty() ? "" : " with body " + shortened(text(answer))));
    }
    if (expect.headers() != null) {
      expect
          .headers()
          .forEach(
              (name, match) -> wrong.addAll(match.wrong("header " + name, answer.header(name))));
    }
    if (expect.body() != null) {
      wrong.addAll(expect.body().wrongText("body", text(answer)));
    }
    return wrong;
  }

  private static List<String> wrong(CaseFile.Saw expected, List<Upstreams.Arrival> arrived) {
    if (expected.nothing()) {
      return arrived.isEmpty()
          ? List.of()
          : List.of("upstream: expected nothing, got " + described(arrived));
    }
    if (arrived.isEmpty()) {
      return List.of("upstream: expected a request, got nothing");
    }
    var wrong = new ArrayList<String>();
    if (expected.times() != null && expected.times() != arrived.size()) {
      wrong.add("upstream: expected " + expected.times() + " requests, got " + described(arrived));
    }
    for (var arrival : arrived) {
      var request = arrival.request();
      if (expected.backend() != null && !expected.backend().equals(arrival.backend())) {
        wrong.add(
            "upstream backend: expected " + expected.backend() + ", got " + arrival.backend());
      }
      if (expected.method() != null) {
        wrong.addAll(expected.method().wrongText("upstream method", request.method()));
      }
      if (expected.path() != null) {
        wrong.addAll(expected.path().wrongText("upstream path", request.path()));
      }
      if (expected.headers() != null) {
        expected
            .headers()
            .forEach((name, match) ->
                wrong.addAll(match.wrong("upstream header " + name, request.header(name))));
      }
      if (expected.body() != null) {
        wrong.addAll(expected.body().wrongText("upstream body", request.text()));
      }
    }
    return wrong.stream().distinct().toList();
  }

  private static String described(List<Upstreams.Arrival> arrived) {
    return String.join(
        ", ",
        arrived.stream()
            .map(a -> a.request().method() + " " + a.request().path())
            .toList());
  }

  /** Envoy counts some things a moment after the answer: what must grow is waited for. */
  private List<String> wrongCount(String regex, long before, long more) {
    var deadline = System.nanoTime() + COUNTED_WITHIN.toNanos();
    while (true) {
      var grown = sum(Objects.requireNonNull(stage.stats(regex))) - before;
      if (grown == more) {
        return List.of();
      }
      if (grown > more || System.nanoTime() > deadline) {
        return List.of("envoy " + regex + ": expected to grow by " + more + ", grew by " + grown);
      }
      pause();
    }
  }

  private static void pause() {
    try {
      Thread.sleep(10);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CaseException("interrupted");
    }
  }

  private static long sum(Map<String, Long> stats) {
    return stats.values().stream().mapToLong(Long::longValue).sum();
  }

  private RawHttp.Request request(CaseFile.Step step) throws IOException {
    var token = token(step);
    var fields = new ArrayList<Field>();
    if (!named(step, "host")) {
      fields.add(new Field("host", step.host() == null ? "localhost" : step.host()));
    }
    var mentioned = step.path().contains("${token}");
    for (var header : step.headers().entrySet()) {
      for (var value : values(header.getValue())) {
        mentioned |= value.contains("${token}");
        fields.add(new Field(header.getKey(), forwarded(filled(value, token))));
      }
    }
    if (!token.isEmpty() && !mentioned && !named(step, "authorization")) {
      fields.add(new Field("authorization", "Bearer " + token));
    }
    var body = body(step, token, fields);
    if (step.chunked()) {
      fields.add(new Field("transfer-encoding", "chunked"));
      body = ByteString.copyFromUtf8(Integer.toHexString(body.size()) + "\r\n")
          .concat(body)
          .concat(ByteString.copyFromUtf8("\r\n0\r\n\r\n"));
    } else if (!body.isEmpty() && !named(step, "content-length")) {
      fields.add(new Field("content-length", Integer.toString(body.size())));
    }
    return new RawHttp.Request(
        step.methodOrGet(), filled(step.path(), token), fields, body, step.from());
  }

  /** Whether the step itself says what that header is to be, or with null that there is none. */
  private static boolean named(CaseFile.Step step, String header) {
    return step.headers().keySet().stream().anyMatch(header::equalsIgnoreCase);
  }

  private static ByteString body(CaseFile.Step step, String token, List<Field> fields)
      throws IOException {
    String text;
    if (step.json() != null) {
      text = JSON.writeValueAsString(step.json());
      if (!named(step, "content-type")) {
        fields.add(new Field("content-type", "application/json"));
      }
    } else {
      text = step.body() == null ? "" : filled(step.body(), token);
    }
    if (step.repeat() != null) {
      text = text.repeat(step.repeat());
    }
    var bytes = ByteString.copyFrom(RawHttp.bytes(text));
    if (!step.gzip()) {
      return bytes;
    }
    fields.add(new Field("content-encoding", "gzip"));
    return gzip(bytes);
  }

  private static Upstream.Reply reply(CaseFile.Reply reply) {
    var fields = new ArrayList<Field>();
    if (reply.headers() != null) {
      reply
          .headers()
          .forEach((name, value) -> values(value).forEach(v -> fields.add(new Field(name, v))));
    }
    var text = reply.body() == null ? "" : reply.body();
    if (reply.json() != null) {
      text = JSON.writeValueAsString(reply.json());
      if (Field.values(fields, "content-type").isEmpty()) {
        fields.add(new Field("content-type", "application/json"));
      }
    }
    if (reply.repeat() != null) {
      text = text.repeat(reply.repeat());
    }
    var body = ByteString.copyFrom(RawHttp.bytes(text));
    if (reply.gzip()) {
      fields.add(new Field("content-encoding", "gzip"));
      try {
        body = gzip(body);
      } catch (IOException e) {
        throw new CaseException("reply: " + e);
      }
    }
    return new Upstream.Reply(reply.status() == null ? 200 : reply.status(), fields, body);
  }

  private static ByteString gzip(ByteString plain) throws IOException {
    var bytes = ByteString.newOutput();
    try (var out = new GZIPOutputStream(bytes)) {
      plain.writeTo(out);
    }
    return bytes.toByteString();
  }

  private String token(CaseFile.Step step) {
    if (step.token() == null) {
      return "";
    }
    var claims = new LinkedHashMap<String, Object>();
    claims.put("iss", stage.issuer().url());
    claims.put("iat", Instant.now().getEpochSecond());
    claims.put("exp", Instant.now().plusSeconds(3_600).getEpochSecond());
    step.token().forEach((name, value) -> {
      if (value == null || value.isNull()) {
        claims.remove(name);
      } else {
        claims.put(name, claim(value));
      }
    });
    var sign = step.sign();
    var header = new HashMap<String, @Nullable Object>();
    if (sign != null && sign.header() != null) {
      sign.header()
          .forEach(
              (name, value) -> header.put(name, value == null || value.isNull() ? null : value));
    }
    var signer = sign != null && sign.forged() ? forger : stage.issuer();
    var algorithm = sign == null || sign.alg() == null ? "RS256" : sign.alg();
    var token = signer.token(algorithm, header, claims);
    return sign != null && sign.spoil() ? token.substring(0, token.length() - 4) + "AAAA" : token;
  }

  /** A text such as {@code now-1m} is that time in seconds. */
  private static Object claim(JsonNode value) {
    var time = value.isString() ? RELATIVE.matcher(value.asString()) : null;
    if (time == null || !time.matches()) {
      return value;
    }
    var now = Instant.now().getEpochSecond();
    if (time.group(1) == null) {
      return now;
    }
    var unit = switch (time.group(2)) {
      case "s" -> 1;
      case "m" -> 60;
      case "h" -> 3_600;
      default -> 86_400;
    };
    return now + Long.parseLong(time.group(1)) * unit;
  }

  private ClientCertificate shown(String file) {
    try {
      return ClientCertificate.of(Files.readString(folder.resolve(file)));
    } catch (IOException | IllegalArgumentException e) {
      throw new CaseException("clientCertificate: " + file + ": " + e.getMessage());
    }
  }

  /** Puts what a proxy in front says of certificates in the place of their files' names. */
  private String forwarded(String text) {
    return FORWARDED
        .matcher(text)
        .replaceAll(found -> Matcher.quoteReplacement(shown(found.group(1)).forwarded()));
  }

  private static String filled(String text, String token) {
    return text.replace("${token}", token);
  }

  private static List<String> values(@Nullable JsonNode value) {
    if (value == null || value.isNull()) {
      return List.of();
    }
    if (!value.isArray()) {
      return List.of(value.asString());
    }
    var values = new ArrayList<String>();
    value.forEach(element -> values.add(element.asString()));
    return values;
  }

  private static String text(RawHttp.Answer answer) {
    if (!answer.header("content-encoding").contains("gzip")) {
      return answer.text();
    }
    try (var in = new GZIPInputStream(answer.body().newInput())) {
      return ByteString.readFrom(in).toStringUtf8();
    } catch (IOException e) {
      return answer.text();
    }
  }

  private static String shortened(String text) {
    return "\"" + (text.length() <= 300 ? text : text.substring(0, 300) + "…") + "\"";
  }
}
