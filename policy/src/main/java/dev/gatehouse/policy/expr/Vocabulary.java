package dev.gatehouse.policy.expr;

import dev.cel.common.CelOptions;
import dev.cel.common.types.CelType;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompiler;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.extensions.CelExtensions;
import dev.cel.extensions.CelStringExtensions;
import dev.cel.extensions.CelStringExtensions.Function;
import dev.cel.parser.CelStandardMacro;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What an expression can name in its {@link Place}, with its type: a name that is not there is an error when policies load. */
final class Vocabulary {
  static final String HEADERS = "request.headers";
  static final String QUERY = "request.query";
  static final String RESPONSE_HEADERS = "response.headers";
  static final String AUTH = "auth";
  static final String DECISION = "decision.id";
  static final String REQUEST_BODY = "request.body";
  static final String RESPONSE_BODY = "response.body";
  static final String METADATA = "metadata";

  /** What {@code auth} holds; what is in {@code auth.claims} only a token knows. */
  static final List<String> AUTH_KEYS = List.of("method", "sub", "iss", "scopes", "claims", "plan");

  /** The maps of which an expression mostly wants a few keys. */
  static final List<String> MAPS = List.of(HEADERS, QUERY, RESPONSE_HEADERS, AUTH, METADATA);

  /** Bounds on an expression and on what it may do in one evaluation. */
  static final CelOptions OPTIONS = CelOptions.current()
      .maxExpressionCodePointSize(10_000)
      .maxParseRecursionDepth(64)
      .comprehensionMaxIterations(10_000)
      .enableHeterogeneousNumericComparisons(true)
      .build();

  /** Beyond CEL's standard functions: those whose result is no longer than what they are given. */
  static final CelStringExtensions STRINGS = CelExtensions.strings(
      Function.INDEX_OF,
      Function.LAST_INDEX_OF,
      Function.LOWER_ASCII,
      Function.UPPER_ASCII,
      Function.SPLIT,
      Function.SUBSTRING,
      Function.TRIM);

  /** What can be called, for who mistypes it. */
  static final List<String> FUNCTIONS = List.of(
      ("all bool bytes contains double duration dyn endsWith exists exists_one filter getDate getDayOfMonth getDayOfWeek getDayOfYear "
              + "getFullYear getHours getMilliseconds getMinutes getMonth getSeconds has indexOf int lastIndexOf lowerAscii map matches "
              + "size split startsWith string substring timestamp trim type uint upperAscii")
          .split(" "));

  private static final MapType STRING_MAP = MapType.create(SimpleType.STRING, SimpleType.STRING);
  private static final Map<Place, Vocabulary> BY_PLACE = byPlace();

  private final Map<String, CelType> variables;
  private final CelCompiler compiler;

  private Vocabulary(Map<String, CelType> variables) {
    this.variables = variables;
    var builder = CelCompilerFactory.standardCelCompilerBuilder()
        .setOptions(OPTIONS)
        .setStandardMacros(CelStandardMacro.STANDARD_MACROS)
        .addLibraries(STRINGS);
    variables.forEach(builder::addVar);
    this.compiler = builder.build();
  }

  static Vocabulary of(Place place) {
    var vocabulary = BY_PLACE.get(place);
    if (vocabulary == null) {
      throw new IllegalArgumentException("no vocabulary of " + place);
    }
    return vocabulary;
  }

  CelCompiler compiler() {
    return compiler;
  }

  /** Such as {@code request.method}; those of {@code auth} too. */
  List<String> names() {
    var names = new ArrayList<>(variables.keySet());
    if (names.remove(AUTH)) {
      AUTH_KEYS.forEach(key -> names.add(AUTH + "." + key));
    }
    return names;
  }

  private static Map<Place, Vocabulary> byPlace() {
    var request = new Vocabulary(request());
    var transform = request();
    transform.put(METADATA, MapType.create(SimpleType.STRING, SimpleType.DYN));
    transform.put(REQUEST_BODY, SimpleType.DYN);
    var withResponse = new LinkedHashMap<>(transform);
    withResponse.put("response.code", SimpleType.INT);
    withResponse.put(RESPONSE_HEADERS, STRING_MAP);
    withResponse.put(RESPONSE_BODY, SimpleType.DYN);
    var decided = request();
    decided.put(DECISION, SimpleType.STRING);
    var denied = nobody();
    denied.put(DECISION, SimpleType.STRING);
    return new EnumMap<>(Map.of(
        Place.ANONYMOUS,
        new Vocabulary(nobody()),
        Place.AUTHORIZATION,
        request,
        Place.AUTH_RESPONSE,
        new Vocabulary(decided),
        Place.DENIAL,
        new Vocabulary(denied),
        Place.TRANSFORM_REQUEST,
        new Vocabulary(transform),
        Place.TRANSFORM_RESPONSE,
        new Vocabulary(withResponse)));
  }

  private static Map<String, CelType> request() {
    var variables = nobody();
    variables.put(AUTH, MapType.create(SimpleType.STRING, SimpleType.DYN));
    return variables;
  }

  /** Of a request that nobody is known to have sent. */
  private static Map<String, CelType> nobody() {
    var variables = new LinkedHashMap<String, CelType>();
    for (var name : List.of("method", "path", "url_path", "host", "scheme", "id")) {
      variables.put("request." + name, SimpleType.STRING);
    }
    variables.put(HEADERS, STRING_MAP);
    variables.put(QUERY, STRING_MAP);
    variables.put("source.address", SimpleType.STRING);
    for (var name : List.of("kind", "namespace", "name", "rule")) {
      variables.put("route." + name, SimpleType.STRING);
    }
    return variables;
  }
}
