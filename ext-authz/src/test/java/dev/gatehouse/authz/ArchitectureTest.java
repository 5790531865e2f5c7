package dev.gatehouse.authz;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.gatehouse.authz.jwt.VerifiedToken;
import dev.gatehouse.authz.jwt.Verifier;
import dev.gatehouse.authz.rules.ClaimPath;
import io.envoyproxy.envoy.service.auth.v3.CheckResponse;
import io.envoyproxy.envoy.service.auth.v3.DeniedHttpResponse;
import io.envoyproxy.envoy.service.auth.v3.OkHttpResponse;
import io.jsonwebtoken.JwtParser;
import java.util.concurrent.CompletableFuture;

/** Deny by construction, held by the compiler's output. */
@AnalyzeClasses(packages = "dev.gatehouse.authz", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {
  private static final DescribedPredicate<JavaClass> ANSWERS =
      DescribedPredicate.describe("Answers", c -> c.getName().startsWith(Answers.class.getName()));

  @ArchTest
  static final ArchRule one_class_makes_answers = noClasses()
      .that(DescribedPredicate.not(ANSWERS))
      .should()
      .dependOnClassesThat()
      .belongToAnyOf(CheckResponse.class, OkHttpResponse.class, DeniedHttpResponse.class);

  @ArchTest
  static final ArchRule one_class_hands_bytes_to_grpc = noClasses()
      .that()
      .doNotBelongToAnyOf(AuthzService.class)
      .should()
      .callMethod(io.grpc.stub.StreamObserver.class, "onNext", Object.class);

  @ArchTest
  static final ArchRule one_class_says_allow = classes()
      .that()
      .belongToAnyOf(Verdict.Allow.class)
      .should()
      .onlyHaveDependentClassesThat()
      .belongToAnyOf(Authorizer.class, Answers.class, AuthzService.class, WarmUp.class);

  @ArchTest
  static final ArchRule only_the_authorizer_makes_an_allow = noClasses()
      .that()
      .doNotBelongToAnyOf(Authorizer.class)
      .should()
      .callConstructor(Verdict.Allow.class, Grant.class, String.class, Verdict.class);

  @ArchTest
  static final ArchRule only_the_verifier_makes_a_verified_token = noClasses()
      .that()
      .doNotBelongToAnyOf(Verifier.class)
      .should()
      .callConstructorWhere(DescribedPredicate.describe(
          "of a verified token",
          call -> call.getTargetOwner().isEquivalentTo(VerifiedToken.class)));

  /** A token is read once, by TokenReader; jjwt checks signatures. */
  @ArchTest
  static final ArchRule jjwt_parses_no_token =
      noClasses().should().dependOnClassesThat().areAssignableTo(JwtParser.class);

  @ArchTest
  static final ArchRule a_denial_is_no_grpc_error = noClasses()
      .should()
      .callMethod(io.grpc.stub.StreamObserver.class, "onError", Throwable.class);

  @ArchTest
  static final ArchRule nothing_waits_while_serving = noClasses()
      .that()
      .doNotBelongToAnyOf(WarmUp.class)
      .should()
      .callMethodWhere(DescribedPredicate.describe(
          "that wait",
          call -> call.getTargetOwner().isAssignableTo(CompletableFuture.class)
              && (call.getName().equals("get") || call.getName().equals("join"))));

  @ArchTest
  static final ArchRule tokens_know_no_requests = noClasses()
      .that()
      .resideInAPackage("dev.gatehouse.authz.jwt")
      .should()
      .dependOnClassesThat(DescribedPredicate.describe(
          "are of requests, rules or policies",
          c -> !c.getName().equals(ClaimPath.class.getName()) // knows claims only
              && JavaClass.Predicates.resideInAnyPackage(
                      "dev.gatehouse.authz",
                      "dev.gatehouse.authz.rules",
                      "io.envoyproxy..",
                      "dev.gatehouse.policy..")
                  .test(c)));

  @ArchTest
  static final ArchRule rules_know_no_envoy = noClasses()
      .that()
      .resideInAPackage("dev.gatehouse.authz.rules")
      .should()
      .dependOnClassesThat()
      .resideInAnyPackage("dev.gatehouse.authz", "dev.gatehouse.authz.jwt", "io.envoyproxy..");
}
