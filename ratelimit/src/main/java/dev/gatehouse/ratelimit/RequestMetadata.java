package dev.gatehouse.ratelimit;

import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.service.ratelimit.v3.RateLimitRequest;

/**
 * An answer's {@code dynamic_metadata}, field for field that of envoyproxy/ratelimit with {@code RESPONSE_DYNAMIC_METADATA}: the domain, the
 * descriptors, the addend, and the {@code metadata} of limits that passed; beside it, which is ours, the names of those that denied.
 */
final class RequestMetadata {
  private RequestMetadata() {}

  static Struct of(RateLimitRequest request, Plan.Count plan, Verdict verdict) {
    var fields = Struct.newBuilder().putFields("domain", text(request.getDomain()));
    var descriptors = ListValue.newBuilder();
    request.getDescriptorsList().forEach(d -> descriptors.addValues(struct(descriptor(d))));
    fields.putFields("descriptors", Value.newBuilder().setListValue(descriptors).build());
    if (request.getHitsAddend() != 0) {
      fields.putFields("hitsAddend", number(Integer.toUnsignedLong(request.getHitsAddend())));
    }
    var told = Struct.newBuilder();
    var deniedBy = ListValue.newBuilder();
    for (var hit : plan.hits()) {
      var terms = hit.limit().terms();
      if (verdict.statuses().get(hit.descriptor()).denies()) {
        deniedBy.addValues(text(terms.name().isEmpty() ? hit.limit().metric() : terms.name()));
      } else if (terms.metadata() != null) {
        merge(told, terms.metadata());
      }
    }
    if (told.getFieldsCount() > 0) {
      fields.putFields("metadata", struct(told.build()));
    }
    if (deniedBy.getValuesCount() > 0) {
      fields.putFields("deniedBy", Value.newBuilder().setListValue(deniedBy).build());
    }
    return fields.build();
  }

  private static Struct descriptor(RateLimitDescriptor descriptor) {
    var entries = ListValue.newBuilder();
    descriptor
        .getEntriesList()
        .forEach(entry -> entries.addValues(text(entry.getKey() + "=" + entry.getValue())));
    var fields = Struct.newBuilder()
        .putFields("entries", Value.newBuilder().setListValue(entries).build());
    if (descriptor.hasLimit()) {
      var limit = descriptor.getLimit();
      fields.putFields(
          "limit",
          text((limit.getRequestsPerUnit() == 0
                  ? ""
                  : "requests_per_unit:" + Integer.toUnsignedString(limit.getRequestsPerUnit())
                      + " ")
              + "unit:" + limit.getUnit()));
    }
    if (descriptor.hasHitsAddend()) {
      fields.putFields("hitsAddend", number(descriptor.getHitsAddend().getValue()));
    }
    return fields.build();
  }

  /** What is there stays; only structs of the same name are joined. */
  private static void merge(Struct.Builder all, Struct more) {
    more.getFieldsMap().forEach((name, value) -> {
      var before = all.getFieldsMap().get(name);
      if (before == null) {
        all.putFields(name, value);
      } else if (before.hasStructValue() && value.hasStructValue()) {
        var joined = before.getStructValue().toBuilder();
        merge(joined, value.getStructValue());
        all.putFields(name, struct(joined.build()));
      }
    });
  }

  private static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }

  private static Value number(long number) {
    return Value.newBuilder().setNumberValue((double) number).build();
  }

  private static Value struct(Struct struct) {
    return Value.newBuilder().setStructValue(struct).build();
  }
}
