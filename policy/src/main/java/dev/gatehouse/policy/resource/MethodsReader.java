package dev.gatehouse.policy.resource;

import com.google.re2j.Pattern;
import dev.gatehouse.policy.resource.SecurityPolicy.Anonymous;
import dev.gatehouse.policy.resource.SecurityPolicy.ApiKeyAuth;
import dev.gatehouse.policy.resource.SecurityPolicy.BasicAuth;
import dev.gatehouse.policy.resource.SecurityPolicy.ClientCertificate;
import dev.gatehouse.policy.resource.SecurityPolicy.ExtractFrom;
import dev.gatehouse.policy.resource.SecurityPolicy.FromHeader;
import java.util.Map;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/** Reads the ways of showing who one is, other than tokens: {@code apiKeyAuth}, {@code basicAuth}, {@code clientCertificate}, {@code anonymous}. */
final class MethodsReader {
  /** One {@code *} at the end, behind a slash: a wildcard trust domain would take anybody. */
  private static final Pattern URI_SUBJECT = Pattern.compile(
      "[a-z][a-z0-9+.-]*://[^/*\\s]+(/[^*\\s]*)?|[a-z][a-z0-9+.-]*://[^/*\\s]+/[^*\\s]*\\*");

  private static final Pattern DNS_SUBJECT =
      Pattern.compile("(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+");

  private final boolean ours;
  private final RefReader refs;

  /** @param ours an AuthPolicy */
  MethodsReader(boolean ours, RefReader refs) {
    this.ours = ours;
    this.refs = refs;
  }

  ApiKeyAuth apiKeyAuth(Fields fields) {
    fields.required("credentialRefs");
    var credentials = fields.nonEmptyList("credentialRefs", 64, item -> item.object(refs::secret));
    fields.required("extractFrom");
    var extractFrom =
        fields.nonEmptyList("extractFrom", 16, item -> item.object(MethodsReader::keySource));
    var clientId =
        fields.<@Nullable String>optional("forwardClientIDHeader", v -> Formats.ownedHeader(v));
    boolean sanitize = fields.flag("sanitize");
    @Nullable ObjectRef clients = null;
    if (ours) {
      clients = fields.optional("clients", v -> v.object(refs::configMap));
    } else {
      fields.onlyInAuthPolicy("clients");
    }
    return new ApiKeyAuth(credentials, extractFrom, clientId, sanitize, clients, fields.origin());
  }

  private static ExtractFrom keySource(Fields fields) {
    if (fields.count("headers", "params", "cookies") != 1) {
      fields.error("expected exactly one of headers, params and cookies");
    }
    var headers = fields.nonEmptyList("headers", 16, v -> new FromHeader(Formats.header(v), null));
    var cookies = fields.nonEmptyList("cookies", 16, v -> v.text(256));
    return new ExtractFrom(headers, cookies, fields.nonEmptyList("params", 16, v -> v.text(256)));
  }

  BasicAuth basicAuth(Fields fields) {
    return new BasicAuth(
        fields.required("users", v -> v.object(refs::secret)),
        fields.<@Nullable String>optional("forwardUsernameHeader", v -> Formats.ownedHeader(v)),
        fields.origin());
  }

  ClientCertificate clientCertificate(Fields fields) {
    boolean forwarded =
        fields.optional("from", v -> v.oneOf(Map.of("Peer", false, "Forwarded", true)), false);
    var ca = fields.required("caSecret", v -> v.object(f -> refs.either(f, "Secret")));
    var subjects = fields.nonEmptyList("subjects", 64, MethodsReader::subject);
    var trusted = fields.nonEmptyList("trusted", 64, MethodsReader::proxies);
    if (forwarded && !fields.has("trusted")) {
      fields.error(
          "\"trusted\" is missing: anybody can write x-forwarded-client-cert, so name the addresses of the proxies whose word counts");
    } else if (!forwarded) {
      fields.given("trusted", v -> v.error("only means something with from: Forwarded"));
    }
    return new ClientCertificate(forwarded, ca, subjects, trusted, fields.origin());
  }

  private static String subject(Value value) {
    var text = value.text(1024);
    if (text.isEmpty()) {
      return text;
    }
    if (text.contains("://")) {
      if (!URI_SUBJECT.matches(text)) {
        value.error(
            value.show(text)
                + " is no URI such as spiffe://corp/orders or spiffe://corp/* (a * stands at the end, behind a slash)");
      }
    } else if (text.contains("=")) {
      requireName(value, text);
    } else if (!DNS_SUBJECT.matches(text)) {
      value.error(
          value.show(text)
              + " is neither a URI (spiffe://corp/*), a DNS name in lower case (*.corp.example) nor a subject (CN=orders,O=Corp)");
    }
    return text;
  }

  private static void requireName(Value value, String text) {
    try {
      new X500Principal(text);
    } catch (IllegalArgumentException e) {
      value.error(value.show(text) + " is no subject such as CN=orders,O=Corp (RFC 4514)");
    }
  }

  private static String proxies(Value value) {
    var range = Formats.cidr(value);
    if (range.endsWith("/0")) {
      value.error(
          value.show(range) + " is every address: then anybody can say whose certificate he has");
    }
    return range;
  }

  static Anonymous anonymous(Fields fields) {
    return new Anonymous(
        fields.<@Nullable String>optional("when", v -> v.text(Value.MAX_TEXT)), fields.origin());
  }
}
