package dev.gatehouse.authz;

import dev.gatehouse.authz.basic.Passwords;
import dev.gatehouse.authz.certificate.ClientCertificates;
import dev.gatehouse.authz.jwt.BadKeySet;
import dev.gatehouse.authz.jwt.KeyAddress;
import dev.gatehouse.authz.jwt.KeySource;
import dev.gatehouse.authz.jwt.KeySources;
import dev.gatehouse.authz.rules.ClaimPath;
import dev.gatehouse.authz.rules.Rules;
import dev.gatehouse.policy.attach.AttachedRule;
import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.attach.RoutePlans;
import dev.gatehouse.policy.expr.Expressions;
import dev.gatehouse.policy.expr.Place;
import dev.gatehouse.policy.resource.ConfigMap;
import dev.gatehouse.policy.resource.Problems;
import dev.gatehouse.policy.resource.SecurityPolicy;
import dev.gatehouse.policy.source.PlanCompiler;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Makes ext-authz's plan of the policies: what is costly or may fail happens here and not while serving. A policy of which
 * anything cannot be honoured is compiled to a refusal.
 */
final class AuthCompiler implements PlanCompiler<AuthPlan> {
  private final KeySources keys;
  private final TokenCache cache;
  private final Passwords passwords = new Passwords();
  private final ClientCertificates certificates = new ClientCertificates();
  private final ExtAuthzSettings settings;

  AuthCompiler(KeySources keys, TokenCache cache, ExtAuthzSettings settings) {
    this.keys = keys;
    this.cache = cache;
    this.settings = settings;
  }

  @Override
  public AuthPlan compile(PolicySet policies, @Nullable AuthPlan previous, Problems problems) {
    var load = new OneLoad(policies, problems);
    var routes =
        RoutePlans.<RoutePlan>of(policies, load::plan, previous == null ? null : previous.routes());
    return new AuthPlan(
        routes,
        settings.unmatchedAllow() ? Grant.open(load.ownedAnywhere()) : null,
        settings.matchRoutes());
  }

  /** One compilation. Routes that share a policy and a Gateway's owned headers share what is made of them. */
  private final class OneLoad {
    private final PolicySet policies;
    private final Problems problems;
    private final Map<Shared, Optional<Guard>> guards = new HashMap<>();
    private final Map<SortedSet<String>, RoutePlan> opens = new HashMap<>();

    /** By the policy itself: one of two kinds, or merged into two parents, is not another of its name. */
    private record Shared(SecurityPolicy policy, SortedSet<String> ownedHeaders) {}

    OneLoad(PolicySet policies, Problems problems) {
      this.policies = policies;
      this.problems = problems;
    }

    RoutePlan plan(AttachedRule rule) {
      var owned = policies.ownedHeaders(rule.gateway());
      return switch (rule.security()) {
        case Attachment.Rejected<SecurityPolicy>(var meta) -> new RoutePlan.Refused(meta.id());
        case Attachment.Of<SecurityPolicy>(var policy)
        when rule.guarded() -> guarded(rule, policy, owned);
        case Attachment.Of<SecurityPolicy> _ -> open(owned);
        case Attachment.None<SecurityPolicy> _ -> open(owned);
      };
    }

    SortedSet<String> ownedAnywhere() {
      var all = new TreeSet<String>();
      policies.gateways().forEach(gateway -> all.addAll(policies.ownedHeaders(gateway)));
      return all;
    }

    private RoutePlan open(SortedSet<String> owned) {
      return opens.computeIfAbsent(owned, o -> new RoutePlan.Open(Grant.open(o)));
    }

    private RoutePlan guarded(AttachedRule rule, SecurityPolicy policy, SortedSet<String> owned) {
      var guard = guards
          .computeIfAbsent(
              new Shared(policy, owned), _ -> Optional.ofNullable(guard(policy, owned)))
          .orElse(null);
      return guard == null
          ? new RoutePlan.Refused(policy.meta().id())
          : new RoutePlan.Guarded(rule.route(), guard);
    }

    /** Null if anything of the policy cannot be honoured. A Secret or ConfigMap that is not there was reported when it was attached. */
    private @Nullable Guard guard(SecurityPolicy policy, SortedSet<String> owned) {
      int before = problems.errors();
      var methods = new ArrayList<@Nullable Method>();
      if (policy.jwt() != null) {
        methods.add(tokens(policy, policy.jwt()));
      }
      if (policy.apiKeyAuth() != null) {
        methods.add(new ApiKeyCompiler(policies, problems).compile(policy.apiKeyAuth()));
      }
      if (policy.basicAuth() != null) {
        methods.add(new BasicCompiler(policies, passwords, problems).compile(policy.basicAuth()));
      }
      if (policy.clientCertificate() != null) {
        methods.add(new CertificateCompiler(policies, certificates, problems)
            .compile(policy.clientCertificate()));
      }
      var authorization = policy.authorization();
      var rules = authorization == null ? null : Rules.compile(authorization, problems);
      if (authorization != null && policy.jwt() != null) {
        requireKnownProviders(authorization, policy.jwt());
      }
      var passing = passing(policy);
      var response = response(policy.response());
      boolean sound = !methods.contains(null) && (authorization == null || rules != null);
      return sound && problems.errors() == before
          ? new Guard(policy.meta().id(), owned, passing, methods, rules, response)
          : null;
    }

    /** Null if one of the providers cannot be honoured. */
    private @Nullable TokenMethod tokens(SecurityPolicy policy, SecurityPolicy.Jwt jwt) {
      var providers = new ArrayList<Provider>();
      for (int i = 0; i < jwt.providers().size(); i++) {
        var provider = provider(jwt.providers().get(i), "spec.jwt.providers[" + i + "]");
        if (provider != null) {
          providers.add(provider);
        }
      }
      if (providers.stream().map(Provider::name).distinct().count() < providers.size()) {
        problems.error(policy.meta().origin(), "spec.jwt.providers", "two providers of one name");
      }
      if (jwt.providers().isEmpty()) {
        problems.error(
            policy.meta().origin(),
            "spec.jwt.providers",
            "empty (expected: at least one provider)");
      }
      return providers.size() < jwt.providers().size()
          ? null
          : new TokenMethod(providers, !jwt.optional(), cache, settings.maxTokenBytes());
    }

    private Guard.Passing passing(SecurityPolicy policy) {
      var anonymous = policy.anonymous();
      var when = anonymous == null || anonymous.when() == null
          ? null
          : Expressions.condition(
              anonymous.when(),
              Place.ANONYMOUS,
              anonymous.origin(),
              "spec.anonymous.when",
              problems);
      return new Guard.Passing(
          policy.anyMethod(),
          policy.jwt() != null && policy.jwt().optional(),
          anonymous != null,
          when,
          policy.shadow());
    }

    private ResponsePlan response(SecurityPolicy.Response response) {
      return new ResponsePlan(
          fields(response.headers(), Place.AUTH_RESPONSE, "spec.response.headers"),
          fields(response.metadata(), Place.AUTH_RESPONSE, "spec.response.metadata"),
          fields(response.deniedHeaders(), Place.DENIAL, "spec.response.deniedHeaders"));
    }

    private List<ResponsePlan.Field> fields(
        List<SecurityPolicy.Field> fields, Place place, String path) {
      var compiled = new ArrayList<ResponsePlan.Field>();
      for (var field : fields) {
        var value = Expressions.template(
            field.template(), place, field.origin(), path + "[" + field.name() + "]", problems);
        if (value != null) {
          compiled.add(new ResponsePlan.Field(field.name(), value));
        }
      }
      return List.copyOf(compiled);
    }

    private void requireKnownProviders(
        SecurityPolicy.Authorization authorization, SecurityPolicy.Jwt jwt) {
      var names = jwt.providers().stream().map(SecurityPolicy.Provider::name).toList();
      for (int i = 0; i < authorization.rules().size(); i++) {
        var rule = authorization.rules().get(i);
        var principal = rule.principal();
        var wanted = principal == null ? null : principal.jwt();
        if (wanted != null && !names.contains(wanted.provider())) {
          problems.error(
              rule.origin(),
              "spec.authorization.rules[" + i + "].principal.jwt.provider",
              "no provider \"" + wanted.provider() + "\" (there are: " + String.join(", ", names)
                  + ")");
        }
      }
    }

    private @Nullable Provider provider(SecurityPolicy.Provider provider, String path) {
      var source = source(provider, path);
      var headers = claimHeaders(provider, path);
      if (source == null || headers == null) {
        return null;
      }
      var requirements = TokenRequirements.of(provider, path, problems);
      if (requirements == null) {
        return null;
      }
      return new Provider(
          provider.name(), keys.verifier(source, requirements), locations(provider), headers);
    }

    private @Nullable KeySource source(SecurityPolicy.Provider provider, String path) {
      try {
        return switch (provider.jwks()) {
          case SecurityPolicy.RemoteJwks remote ->
            keys.remote(
                remote.uri() == null
                    ? KeyAddress.discoveredBy(provider.issuer())
                    : KeyAddress.at(remote.uri()),
                remote.cacheDuration(),
                ProviderTls.of(remote.tls(), policies));
          case SecurityPolicy.InlineJwks(var json) -> keys.local(json);
          case SecurityPolicy.RefJwks(var ref) -> {
            var map = policies.configMap(ref);
            yield map == null ? null : keys.local(keySetOf(map));
          }
        };
      } catch (ProviderTls.Unusable e) {
        problems.error(e.origin(), path + ".remoteJWKS.tls." + e.field(), e.message());
        return null;
      } catch (BadKeySet e) {
        var where =
            provider.jwks() instanceof SecurityPolicy.RemoteJwks ? ".remoteJWKS.uri" : ".localJWKS";
        problems.error(provider.origin(), path + where, String.valueOf(e.getMessage()));
        return null;
      }
    }

    /** The ConfigMap's key {@code jwks}, or its only one. */
    private static String keySetOf(ConfigMap map) throws BadKeySet {
      var named = map.data().get("jwks");
      if (named != null) {
        return named;
      }
      if (map.data().size() != 1) {
        throw new BadKeySet(map.meta().title() + " has the keys " + map.data().keySet()
            + " (expected: jwks, or a single one)");
      }
      return map.data().values().iterator().next();
    }

    private @Nullable List<Provider.ClaimHeader> claimHeaders(
        SecurityPolicy.Provider provider, String path) {
      var headers = new ArrayList<Provider.ClaimHeader>();
      for (var each : provider.claimToHeaders()) {
        var name = each.header().toLowerCase(Locale.ROOT);
        // Envoy cannot remove pseudo headers and Host, so a client's own could not be kept from the
        // upstream.
        if (!name.matches("[!#$%&'*+.^_`|~0-9a-z-]+") || name.equals("host")) {
          problems.error(
              provider.origin(),
              path + ".claimToHeaders",
              "\"" + each.header()
                  + "\" (expected: a header's name, neither Host nor one with a colon)");
          return null;
        }
        headers.add(new Provider.ClaimHeader(ClaimPath.of(each.claim()), name));
      }
      return List.copyOf(headers);
    }
  }

  private static List<TokenLocation> locations(SecurityPolicy.Provider provider) {
    var from = provider.extractFrom();
    var locations = from == null ? List.<TokenLocation>of() : TokenLocation.of(from);
    return locations.isEmpty() ? TokenLocation.DEFAULT : locations;
  }
}
