package dev.gatehouse.extproc.transform;

import dev.gatehouse.extproc.json.JsonEdits;
import dev.gatehouse.extproc.json.UnprocessableBody;
import dev.gatehouse.policy.expr.Expressions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/** A body as conditions and templates see it. It is read as strictly as edits read it, and a member that occurs twice is refused: who reads it behind us may take the other one. */
final class BodyJson {
  /** What one body may become in memory is bounded by this, to some 10 MB beside its texts. */
  private static final int MAX_VALUES = 100_000;

  /** Does not remember names from one body to the next: thousands of them, each as long as a client likes, would be kept for good. */
  private static final JsonFactory FACTORY = JsonFactory.builder()
      .streamReadConstraints(StreamReadConstraints.builder()
          .maxNestingDepth(512)
          .maxStringLength(Integer.MAX_VALUE)
          .maxNameLength(64 << 10)
          .build())
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
      .build();

  private final JsonParser parser;
  private int values;

  private BodyJson(JsonParser parser) {
    this.parser = parser;
  }

  /** @return maps, lists, texts, booleans, {@code Long} or {@code Double}, {@link Expressions#NULL}; an empty map of an empty body */
  static Object parse(byte[] body) throws UnprocessableBody {
    if (body.length == 0) {
      return Map.of();
    }
    JsonEdits.check(body);
    try (var parser = FACTORY.createParser(ObjectReadContext.empty(), body)) {
      var reader = new BodyJson(parser);
      return reader.value(parser.nextToken());
    } catch (JacksonException e) {
      throw new UnprocessableBody(
          "its JSON cannot be read for a condition or template: a member occurs twice, or a name or number is too long");
    }
  }

  private Object value(JsonToken token) throws UnprocessableBody {
    if (++values > MAX_VALUES) {
      throw new UnprocessableBody("it has more than " + MAX_VALUES
          + " values, too many to be read for a condition or template");
    }
    return switch (token) {
      case START_OBJECT -> object();
      case START_ARRAY -> array();
      case VALUE_STRING -> parser.getString();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NUMBER_INT -> whole();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      default -> Expressions.NULL;
    };
  }

  /** Beyond 64 bits as a double. */
  private Object whole() {
    return switch (parser.getNumberType()) {
      case INT, LONG -> parser.getLongValue();
      default -> parser.getDoubleValue();
    };
  }

  private Map<String, Object> object() throws UnprocessableBody {
    var members = new LinkedHashMap<String, Object>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      var name = parser.currentName();
      members.put(name, value(parser.nextToken()));
    }
    return members;
  }

  private List<Object> array() throws UnprocessableBody {
    var elements = new ArrayList<>();
    for (var token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
      elements.add(value(token));
    }
    return elements;
  }
}
