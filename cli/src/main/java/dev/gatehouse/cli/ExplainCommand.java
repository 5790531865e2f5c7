package dev.gatehouse.cli;

import com.google.protobuf.ByteString;
import dev.gatehouse.authz.ExtAuthzSettings;
import dev.gatehouse.cli.explain.Asked;
import dev.gatehouse.cli.explain.BadQuestion;
import dev.gatehouse.cli.explain.Explanation;
import dev.gatehouse.cli.explain.Page;
import dev.gatehouse.cli.explain.RequestFile;
import dev.gatehouse.server.log.Logs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.Level;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    abbreviateSynopsis = true,
    description = {
      "What happens to a request, and why: route, policies, decision, limits, changes.",
      "",
      "The services themselves are asked, in Envoy's order: ext-authz, ext-proc, ratelimit. Nothing is",
      "counted and nothing listens. Tokens, keys, cookies and passwords are never shown in full.",
      ""
    },
    exitCodeListHeading = "%nEnds with:%n",
    exitCodeList = {
      "0:the request passes to the upstream",
      "1:the policies or a file could not be read, or the question does not fit them",
      "2:wrong usage",
      "3:ext-authz denies it (401, 403)",
      "4:no route leads anywhere (404 by Envoy)",
      "5:nobody can decide (503), or ext-proc fails (500)",
      "6:it is over a limit (429)",
      "7:a transformation answers it"
    },
    footer = {
      "",
      "Keys at a URL are fetched, as the service would.",
      "",
      "Examples:",
      "  gatehouse explain --policies policies/ --path /orders \\",
      "      --header \"authorization: Bearer $(gatehouse token --sub ada --scope orders:read)\"",
      "  gatehouse explain --policies policies/ --request req.yaml --output json"
    })
final class ExplainCommand implements Callable<Integer> {
  enum Output {
    text,
    json
  }

  private final Terminal terminal;

  @Mixin(name = "Policies")
  PolicyFolders policies = new PolicyFolders();

  @Option(
      names = "--request",
      paramLabel = "FILE",
      description =
          "The request as YAML: method, scheme, host, path, headers, sourceAddress, body or"
              + " json, listener, route, now, response {status, headers, body or json}; - reads the"
              + " standard input. Options go before what it says.")
  @Nullable
  Path file;

  @Option(
      names = "--output",
      paramLabel = "FORM",
      defaultValue = "text",
      description = "text or json. Default: ${DEFAULT-VALUE}.")
  Output output = Output.text;

  @Mixin(name = "The request")
  RequestOptions request = new RequestOptions();

  @Mixin(name = "The upstream's answer, for transformations of it")
  ResponseOptions response = new ResponseOptions();

  @Mixin(name = "How the services run")
  Settings settings = new Settings();

  @Mixin(name = "Counters")
  RedisOptions redis = new RedisOptions();

  ExplainCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  static final class RequestOptions {
    @Option(names = "--method", paramLabel = "METHOD", description = "GET unless it is said.")
    @Nullable
    String method;

    @Option(names = "--path", paramLabel = "PATH", description = "With the query.")
    @Nullable
    String path;

    @Option(names = "--host", paramLabel = "HOST", description = "localhost unless it is said.")
    @Nullable
    String host;

    @Option(names = "--scheme", paramLabel = "SCHEME", description = "http unless it is said.")
    @Nullable
    String scheme;

    @Option(
        names = "--header",
        paramLabel = "'NAME: VALUE'",
        description = "May be given several times.")
    List<String> headers = List.of();

    @Option(
        names = "--source-address",
        paramLabel = "IP",
        description = "The client's address as Envoy sees it; 127.0.0.1 unless it is said.")
    @Nullable
    String sourceAddress;

    @Option(
        names = "--client-certificate",
        paramLabel = "FILE",
        description = "The certificate (PEM) that the client shows.")
    @Nullable
    Path certificate;

    @Option(names = "--body", paramLabel = "TEXT", description = "The body.")
    @Nullable
    String body;

    @Option(names = "--body-file", paramLabel = "FILE", description = "The body, from a file.")
    @Nullable
    Path bodyFile;

    @Option(
        names = {"--listener", "--gateway"},
        paramLabel = "NAMESPACE/GATEWAY[/LISTENER]",
        description = "Where it arrives; needed only where several have a route for it.")
    @Nullable
    String listener;

    @Option(
        names = "--route",
        paramLabel = "KIND/NAMESPACE/NAME[/RULE]",
        description = "The route, instead of matching the request against all of them.")
    @Nullable
    String route;
  }

  static final class ResponseOptions {
    @Option(names = "--response-status", paramLabel = "CODE", description = "Its status.")
    @Nullable
    Integer status;

    @Option(
        names = "--response-header",
        paramLabel = "'NAME: VALUE'",
        description = "May be given several times.")
    List<String> headers = List.of();

    @Option(names = "--response-body", paramLabel = "TEXT", description = "Its body.")
    @Nullable
    String body;

    @Option(
        names = "--response-body-file",
        paramLabel = "FILE",
        description = "Its body, from a file.")
    @Nullable
    Path bodyFile;

    boolean given() {
      return status != null || !headers.isEmpty() || body != null || bodyFile != null;
    }
  }

  static final class Settings {
    @Option(
        names = "--now",
        paramLabel = "TIME",
        description = "The services' time, such as 2026-11-25T10:00:00Z, for an old token.")
    @Nullable
    String now;

    @Option(
        names = "--max-token-bytes",
        paramLabel = "N",
        defaultValue = "16384",
        description = "Longer tokens are refused unread. Default: ${DEFAULT-VALUE}.")
    int maxTokenBytes;

    @Option(
        names = "--client-address",
        paramLabel = "FROM",
        defaultValue = "peer",
        description = "peer or x-envoy-external-address. Default: ${DEFAULT-VALUE}.")
    String clientAddress = "peer";
  }

  @Override
  public Integer call() throws IOException {
    Logs.configure(Level.ERROR, Logs.Format.TEXT);
    var folders = policies.folders();
    Explanation explanation;
    try {
      var written = file == null ? RequestFile.EMPTY : RequestFile.read(file, text(file));
      explanation = Explanation.of(
          asked(written), folders, authz(), redis.settings(terminal.env()), clock(written.now()));
    } catch (BadQuestion e) {
      throw new Failure(String.valueOf(e.getMessage()), e);
    }
    if (output == Output.json) {
      terminal.out().println(explanation.json());
    } else {
      explanation.lines().forEach(line -> terminal.out().println(painted(line)));
    }
    terminal.out().flush();
    return explanation.end().code();
  }

  private String painted(Page.Line line) {
    return switch (line.style()) {
      case HEADING -> terminal.bold(line.text());
      case PLAIN -> line.text();
      case DIM -> terminal.dim(line.text());
      case GOOD, ADDED -> terminal.green(line.text());
      case BAD, REMOVED -> terminal.red(line.text());
    };
  }

  private Asked asked(RequestFile written) throws IOException {
    var path = first(request.path, written.path(), null);
    if (path == null) {
      throw new Failure("the request has no path: say --path /…, or path: in --request FILE");
    }
    var headers = new ArrayList<>(written.headerList());
    replace(headers, request.headers);
    var body = body(request.body, request.bodyFile);
    return new Asked(
        String.valueOf(first(request.method, written.method(), "GET")),
        String.valueOf(first(request.scheme, written.scheme(), "http")),
        String.valueOf(first(request.host, written.host(), "localhost")),
        path,
        headers,
        String.valueOf(first(request.sourceAddress, written.sourceAddress(), "127.0.0.1")),
        request.certificate == null ? null : Files.readString(request.certificate),
        body == null ? written.bodyBytes() : body,
        first(request.listener, written.listener(), null),
        first(request.route, written.route(), null),
        response(written.response()));
  }

  private Asked.@Nullable Response response(RequestFile.@Nullable Reply written)
      throws IOException {
    if (written == null && !response.given()) {
      return null;
    }
    var status = response.status != null
        ? response.status
        : written != null && written.status() != null ? written.status() : Integer.valueOf(200);
    var headers =
        written == null ? new ArrayList<Asked.Header>() : new ArrayList<>(written.headerList());
    replace(headers, response.headers);
    var body = body(response.body, response.bodyFile);
    return new Asked.Response(
        status,
        headers,
        body != null ? body : written == null ? ByteString.EMPTY : written.bodyBytes());
  }

  /** A header that is given goes before all of its name that the file has. */
  private static void replace(List<Asked.Header> headers, List<String> given) {
    var read = given.stream().map(ExplainCommand::header).toList();
    headers.removeIf(
        header -> read.stream().anyMatch(other -> other.name().equalsIgnoreCase(header.name())));
    headers.addAll(read);
  }

  private static Asked.Header header(String text) {
    int colon = text.indexOf(':', 1);
    if (colon < 0) {
      // Not the text itself: it may be a secret whose name was left out.
      throw new Failure("a header has no colon (expected: 'name: value')");
    }
    return new Asked.Header(
        text.substring(0, colon).strip(), text.substring(colon + 1).strip());
  }

  private static @Nullable ByteString body(@Nullable String text, @Nullable Path file)
      throws IOException {
    if (text != null) {
      return ByteString.copyFromUtf8(text);
    }
    return file == null ? null : ByteString.copyFrom(Files.readAllBytes(file));
  }

  private static String text(Path file) throws IOException {
    return file.toString().equals("-")
        ? new String(System.in.readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
        : Files.readString(file);
  }

  private ExtAuthzSettings authz() {
    var usual = ExtAuthzSettings.defaults();
    return new ExtAuthzSettings(
        usual.unmatchedAllow(),
        usual.matchRoutes(),
        PolicyOptions.addressFromHeader(settings.clientAddress),
        settings.maxTokenBytes);
  }

  private InstantSource clock(@Nullable String written) {
    var now = first(settings.now, written, null);
    if (now == null) {
      return InstantSource.system();
    }
    try {
      return InstantSource.fixed(Instant.parse(now));
    } catch (DateTimeParseException e) {
      throw new Failure(
          "--now=" + now + " (expected: a time in UTC, such as 2026-11-25T10:00:00Z)", e);
    }
  }

  private static @Nullable String first(
      @Nullable String one, @Nullable String other, @Nullable String usual) {
    return one != null ? one : other != null ? other : usual;
  }
}
