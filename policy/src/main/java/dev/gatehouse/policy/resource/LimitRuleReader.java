package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Algorithm;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Cost;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Limit;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.LimitHeaders;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.MetadataKey;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.OnUnavailable;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Plan;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Rule;
import dev.gatehouse.policy.resource.BackendTrafficPolicy.Unit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the rules of a BackendTrafficPolicy, and those of a RateLimitPolicy, which say more. */
final class LimitRuleReader {
  private static final Map<String, Unit> UNITS = Map.of(
      "Second",
      Unit.SECOND,
      "Minute",
      Unit.MINUTE,
      "Hour",
      Unit.HOUR,
      "Day",
      Unit.DAY,
      "Week",
      Unit.WEEK,
      "Month",
      Unit.MONTH,
      "Year",
      Unit.YEAR);
  private static final Map<String, Algorithm> ALGORITHMS = Map.of(
      "FixedWindow",
      Algorithm.FIXED_WINDOW,
      "SlidingWindow",
      Algorithm.SLIDING_WINDOW,
      "TokenBucket",
      Algorithm.TOKEN_BUCKET);
  private static final Map<String, OnUnavailable> ON_UNAVAILABLE = Map.of(
      "Allow", OnUnavailable.ALLOW, "Deny", OnUnavailable.DENY, "Local", OnUnavailable.LOCAL);

  /** Envoy Gateway's names; null of the field is the Gateway's own setting. */
  private static final Map<String, LimitHeaders> X_RATE_LIMIT_HEADERS =
      Map.of("DraftVersion03", LimitHeaders.X_RATE_LIMIT, "Off", LimitHeaders.NONE);

  private static final Pattern RULE_NAME =
      Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?");
  private static final int MAX_RULES = 256;
  private static final int MAX_PLANS = 64;
  private static final int MAX_EVERY = 1_000_000;

  /** {@code limit.requests} of Envoy Gateway's API. */
  private static final long MAX_REQUESTS = 4_294_967_295L;

  /** {@code RateLimit.HitsAddend.number}: Envoy refuses a configuration with a larger one. */
  private static final long MAX_COST = 1_000_000_000L;

  private final boolean ours;
  private final SelectorReader selectors;

  /** @param ours a RateLimitPolicy */
  LimitRuleReader(boolean ours) {
    this.ours = ours;
    this.selectors = new SelectorReader(ours);
  }

  List<Rule> rules(Value value) {
    var names = new HashMap<String, Integer>();
    var rules = value.list(
        MAX_RULES,
        item -> item.object(fields -> {
          var rule = rule(fields);
          unique(fields, names);
          return rule;
        }));
    if (ours && value.node() instanceof YamlNode.Sequence list && list.items().isEmpty()) {
      value.error("is empty; a policy without a rule limits nothing: remove it");
    }
    return rules;
  }

  /** A name stands in an answer and must say which rule is meant. */
  private static void unique(Fields fields, Map<String, Integer> names) {
    fields.given("name", value -> {
      var name = value.anyText(Value.MAX_TEXT);
      var first = names.putIfAbsent(name, names.size());
      if (first != null && !name.isEmpty()) {
        value.error("\"" + Shown.of(name) + "\" stands twice; a rule's name is its own");
      }
    });
  }

  private Rule rule(Fields fields) {
    var clients = fields.list("clientSelectors", 8, item -> item.object(selectors::selector));
    var algorithm = Algorithm.FIXED_WINDOW;
    var onUnavailable = OnUnavailable.ERROR;
    var name = "";
    if (ours) {
      name = fields.optional("name", LimitRuleReader::name, "");
      algorithm = fields.optional("algorithm", v -> v.oneOf(ALGORITHMS), algorithm);
      onUnavailable =
          fields.optional("onUnavailable", v -> v.oneOf(ON_UNAVAILABLE), OnUnavailable.ALLOW);
    } else {
      onlyOurs(fields, "name", "algorithm", "onUnavailable", "plan");
    }
    var bucket = algorithm == Algorithm.TOKEN_BUCKET;
    var limit = fields.required("limit", v -> v.object(f -> limit(f, bucket)));
    var plan =
        ours ? fields.<@Nullable Plan>optional("plan", v -> v.object(f -> plan(f, bucket))) : null;
    if (plan != null && limit.fromMetadata() != null) {
      fields.error("plan and limit.fromMetadata exclude each other: both say how much is allowed");
    }
    var cost = fields.optional("cost", v -> v.object(LimitRuleReader::costs), Costs.USUAL);
    if (bucket && cost.response() != null) {
      fields.error(
          "cost.response cannot be taken from a token bucket, which gives no more than it holds, while a response has cost what it has; use FixedWindow or SlidingWindow");
    }
    var headers = fields.<@Nullable LimitHeaders>optional(
        "xRateLimitHeaders", v -> v.oneOf(X_RATE_LIMIT_HEADERS));
    if (ours) {
      fields.given(
          "xRateLimitHeaders",
          value -> value.error(
              "is a field of BackendTrafficPolicy; a RateLimitPolicy says it for all its rules: spec.response.limitHeaders"));
    }
    return new Rule(
        name,
        clients,
        limit,
        plan,
        algorithm,
        onUnavailable,
        cost.request(),
        cost.response(),
        fields.flag("shared"),
        fields.flag("shadowMode"),
        headers,
        fields.origin());
  }

  private static void onlyOurs(Fields fields, String... names) {
    for (var name : names) {
      fields.given(
          name,
          value -> value.error(
              "is a field of RateLimitPolicy (gatehouse.dev/v1alpha1), not of BackendTrafficPolicy"));
    }
  }

  private static String name(Value value) {
    var text = value.text(63);
    if (!text.isEmpty() && !RULE_NAME.matches(text)) {
      value.error(
          value.show(text)
              + " is not a name of at most 63 letters, digits, '-', '_' and '.', that begins and ends with a letter or digit");
    }
    return text;
  }

  private Limit limit(Fields fields, boolean bucket) {
    var requests = fields.required("requests", v -> v.integer(0L, MAX_REQUESTS));
    var unit = fields.required("unit", v -> v.oneOf(UNITS));
    var fromMetadata = fields.<@Nullable MetadataKey>optional(
        "fromMetadata", v -> v.object(f -> MetadataKeys.limit(f, ours)));
    if (!ours) {
      onlyOurs(fields, "every", "burst");
      return new Limit(requests, unit, 1, null, fromMetadata);
    }
    var every = fields.optional("every", v -> v.integer(1, MAX_EVERY), 1);
    var burst = fields.<@Nullable Long>optional("burst", v -> v.integer(1L, MAX_REQUESTS));
    if (!bucket) {
      fields.given(
          "burst",
          value -> value.error("only means something with algorithm: TokenBucket; a window takes"
              + " all its requests at once anyway"));
    }
    if (fromMetadata != null) {
      for (var other : List.of("every", "burst")) {
        fields.given(
            other,
            value -> value.error(
                "cannot stand beside fromMetadata: what the metadata says has a number and a unit and nothing else"));
      }
    }
    return new Limit(requests, unit, every, burst, fromMetadata);
  }

  private Plan plan(Fields fields, boolean bucket) {
    var from = fields.optional(
        "metadata", v -> v.object(MetadataKeys::ours), MetadataKeys.descriptor("plan"));
    var limits = fields.required(
        "limits", v -> v.<Limit>map(MAX_PLANS, limit -> limit.object(f -> planLimit(f, bucket))));
    fields.given("limits", value -> {
      if (limits.isEmpty() && value.node() instanceof YamlNode.Mapping) {
        value.error("is empty; name at least one plan, or remove plan");
      }
      if (limits.containsKey("")) {
        value.error("a plan's name is empty");
      }
      if (limits.containsKey("*")) {
        value.error(
            "\"*\" is no plan's name: the rule's own limit is for all that have none of these");
      }
    });
    return new Plan(from, limits);
  }

  private Limit planLimit(Fields fields, boolean bucket) {
    fields.given(
        "fromMetadata", value -> value.error("a plan's limit is what it says here; remove it"));
    return limit(fields, bucket);
  }

  private record Costs(@Nullable Cost request, @Nullable Cost response) {
    static final Costs USUAL = new Costs(null, null);
  }

  private static Costs costs(Fields fields) {
    return new Costs(
        fields.<@Nullable Cost>optional("request", v -> v.object(LimitRuleReader::cost)),
        fields.<@Nullable Cost>optional("response", v -> v.object(LimitRuleReader::cost)));
  }

  /** Envoy Gateway's API takes one of {@code number} and {@code metadata}; here it must be the one that {@code from} names. */
  private static Cost cost(Fields fields) {
    boolean number =
        fields.required("from", v -> v.oneOf(Map.of("Number", true, "Metadata", false)));
    var other = number ? "metadata" : "number";
    if (fields.has("from")) {
      fields.given(
          other,
          value -> value.error("only one of number or metadata can be specified: from says "
              + (number ? "Number" : "Metadata")));
    }
    return number
        ? new Cost.Fixed(fields.required("number", v -> v.integer(0L, MAX_COST)))
        : new Cost.Metadata(fields.required("metadata", v -> v.object(MetadataKeys::cost)));
  }
}
