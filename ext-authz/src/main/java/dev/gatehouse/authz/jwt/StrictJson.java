package dev.gatehouse.authz.jwt;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** JSON from strangers: UTF-8 only, no duplicate members, shallow, nothing behind the object, and no memory of its names. */
public final class StrictJson {
  private static final TypeReference<Map<String, @Nullable Object>> OBJECT =
      new TypeReference<>() {};

  private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .streamReadConstraints(StreamReadConstraints.builder()
              .maxNestingDepth(16)
              .maxNumberLength(40)
              .build())
          .build())
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
      .build();

  private StrictJson() {}

  /** The object, or null if the bytes are anything else. */
  static @Nullable Map<String, @Nullable Object> object(byte[] utf8) {
    try {
      var text =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
      return MAPPER.readValue(text, OBJECT);
    } catch (CharacterCodingException | JacksonException _) {
      return null;
    }
  }

  /** An object that a policy's owner wrote, as claims are: numbers are doubles, and what is null is not there. Null if it is anything else. */
  public static @Nullable Map<String, Object> claims(String json) {
    var object = object(json.getBytes(StandardCharsets.UTF_8));
    if (object == null) {
      return null;
    }
    var claims = new LinkedHashMap<String, Object>();
    object.forEach((name, value) -> {
      var plain = plain(value);
      if (plain != null) {
        claims.put(name, plain);
      }
    });
    return Collections.unmodifiableMap(claims);
  }

  /** A JSON value that cannot be changed, its numbers doubles as they are in dynamic metadata and in every CEL. */
  static @Nullable Object plain(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Number number -> number.doubleValue();
      case List<?> list -> {
        var copy = new ArrayList<@Nullable Object>(list.size());
        list.forEach(each -> copy.add(plain(each)));
        yield Collections.unmodifiableList(copy);
      }
      case Map<?, ?> map -> {
        var copy = new LinkedHashMap<String, @Nullable Object>();
        map.forEach((name, each) -> copy.put((String) name, plain(each)));
        yield Collections.unmodifiableMap(copy);
      }
      default -> value;
    };
  }

  /** Plain data (maps, lists, texts, numbers) as JSON. */
  public static String write(@Nullable Object plain) {
    return MAPPER.writeValueAsString(plain);
  }
}
