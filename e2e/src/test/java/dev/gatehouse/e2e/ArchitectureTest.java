package dev.gatehouse.e2e;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows between the rooms (CONTRIBUTING, "The house"). */
class ArchitectureTest {
  private static JavaClasses house;

  @BeforeAll
  static void read() {
    house = new ClassFileImporter()
        .withImportOption(new ImportOption.DoNotIncludeTests())
        .importPackages("dev.gatehouse");
  }

  @Test
  void policy_knows_neither_grpc_nor_envoy_nor_any_other_room() {
    noClasses()
        .that()
        .resideInAPackage("dev.gatehouse.policy..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.grpc..",
            "io.netty..",
            "io.envoyproxy..",
            "dev.gatehouse.server..",
            "dev.gatehouse.authz..",
            "dev.gatehouse.ratelimit..",
            "dev.gatehouse.extproc..",
            "dev.gatehouse.wire..")
        .check(house);
  }

  @Test
  void the_server_knows_no_policy() {
    noClasses()
        .that()
        .resideInAPackage("dev.gatehouse.server..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.gatehouse.policy..",
            "dev.gatehouse.authz..",
            "dev.gatehouse.ratelimit..",
            "dev.gatehouse.extproc..")
        .check(house);
  }

  @Test
  void no_service_knows_another() {
    services("authz", "ratelimit", "extproc");
    services("ratelimit", "authz", "extproc");
    services("extproc", "authz", "ratelimit");
  }

  private static void services(String one, String another, String third) {
    noClasses()
        .that()
        .resideInAPackage("dev.gatehouse." + one + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.gatehouse." + another + "..",
            "dev.gatehouse." + third + "..",
            "dev.gatehouse.wire..",
            "dev.gatehouse.sandbox..",
            "dev.gatehouse.cli..")
        .check(house);
  }

  /** Whoever writes a processor needs the stream and the kit; TransformPolicies are one processor among others. */
  @Test
  void the_stream_knows_no_processor_and_the_kit_no_policy() {
    noClasses()
        .that()
        .resideInAPackage("dev.gatehouse.extproc.stream..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.gatehouse.extproc",
            "dev.gatehouse.extproc.kit..",
            "dev.gatehouse.extproc.transform..",
            "dev.gatehouse.extproc.json..")
        .check(house);
    noClasses()
        .that()
        .resideInAPackage("dev.gatehouse.extproc.kit..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.gatehouse.extproc",
            "dev.gatehouse.extproc.transform..",
            "dev.gatehouse.extproc.json..",
            "dev.gatehouse.policy.resource..",
            "dev.gatehouse.policy.source..")
        .check(house);
  }

  @Test
  void wire_knows_policies_and_what_the_services_ask_of_envoy() {
    noClasses()
        .that()
        .resideInAPackage("dev.gatehouse.wire..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.grpc..",
            "dev.gatehouse.server..",
            "dev.gatehouse.authz..",
            "dev.gatehouse.sandbox..",
            "dev.gatehouse.cli..")
        .check(house);
  }

  @Test
  void only_the_command_line_reads_the_environment_for_services() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.gatehouse.policy..",
            "dev.gatehouse.authz..",
            "dev.gatehouse.ratelimit..",
            "dev.gatehouse.extproc..",
            "dev.gatehouse.wire..")
        .should()
        .callMethod(System.class, "getenv", String.class)
        .orShould()
        .callMethod(System.class, "getenv")
        .check(house);
  }

  /** The obvious ones; that nothing blocks a loop is shown by recording one (LoopGuard). */
  @Test
  void no_service_waits_for_a_future_or_sleeps() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.gatehouse.authz..", "dev.gatehouse.ratelimit..", "dev.gatehouse.extproc..")
        .and()
        .haveSimpleNameNotEndingWith("WarmUp") // on an ordinary thread, before anything is served
        .should()
        .callMethod(Thread.class, "sleep", long.class)
        .orShould()
        .callMethod(Future.class, "get")
        .orShould()
        .callMethod(CompletableFuture.class, "get")
        .orShould()
        .callMethod(CompletableFuture.class, "join")
        .orShould()
        .callMethod(CountDownLatch.class, "await")
        .check(house);
  }

  @Test
  void the_sandbox_needs_no_test_framework() {
    noClasses()
        .that()
        .resideInAnyPackage("dev.gatehouse.sandbox..", "dev.gatehouse.cli..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.junit..", "org.assertj..", "dev.gatehouse.testkit..")
        .check(house);
  }

  @Test
  void there_is_no_util() {
    classes()
        .should()
        .resideOutsideOfPackages("..util..", "..utils..", "..impl..", "..common..")
        .check(house);
  }
}
