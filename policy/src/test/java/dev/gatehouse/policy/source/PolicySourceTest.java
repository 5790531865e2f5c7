package dev.gatehouse.policy.source;

import static dev.gatehouse.policy.source.LoadTest.JWT;
import static dev.gatehouse.policy.source.LoadTest.SHOP;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.gatehouse.policy.attach.Attachment;
import dev.gatehouse.policy.attach.PolicySet;
import dev.gatehouse.policy.resource.Origin;
import dev.gatehouse.policy.resource.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PolicySourceTest {
  /** What a service would make of the policies: here, how each rule is guarded. */
  private static final PlanCompiler<List<String>> GUARDS =
      (policies, previous, problems) -> policies.rules().stream()
          .map(rule -> rule.route().rule() + " " + guard(rule.security()))
          .toList();

  private static String guard(Attachment<?> attachment) {
    return attachment.getClass().getSimpleName();
  }

  @TempDir
  Path folder;

  private final List<PolicySource> sources = new ArrayList<>();

  @AfterEach
  void close() {
    sources.forEach(PolicySource::close);
  }

  private PolicySource source(boolean strict) {
    var source = PolicySource.folders(List.of(folder), strict);
    sources.add(source);
    return source;
  }

  private void write(String name, String text) {
    try {
      Files.createDirectories(folder.resolve(name).getParent());
      Files.writeString(folder.resolve(name), text);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static List<String> errors(Reload reload) {
    return reload.problems().stream()
        .filter(p -> p.severity() == Problem.Severity.ERROR)
        .map(Problem::toString)
        .toList();
  }

  @Test
  void a_change_swaps_every_plan() {
    write("shop.yaml", SHOP);
    var source = source(false);
    var guards = source.live(GUARDS);
    var count = source.<Integer>live(
        (policies, previous, problems) -> policies.policies().size());
    assertThat(source.start().inForce()).isTrue();
    assertThat(guards.current()).containsExactly("read None");
    assertThat(count.current()).isZero();

    write("auth/orders.yml", JWT);
    source.poll();

    assertThat(guards.current()).containsExactly("read Of");
    assertThat(count.current()).isEqualTo(1);
  }

  @Test
  void the_watcher_sees_a_change_by_itself() {
    write("shop.yaml", SHOP);
    var source = source(false);
    var guards = source.live(GUARDS);
    source.start();

    write("orders.yaml", JWT);

    await().atMost(Duration.ofSeconds(10)).until(() -> guards.current().equals(List.of("read Of")));
  }

  @Test
  void a_bad_change_leaves_the_last_good_plans_in_force_until_it_is_mended() {
    write("shop.yaml", SHOP + "---\n" + JWT);
    var source = source(false);
    var guards = source.live(GUARDS);
    var reloads = new ArrayList<Reload>();
    source.onLoad(reloads::add);
    var since = source.start().since();

    write("shop.yaml", SHOP + "---\n" + JWT.replace("issuer", "isuer"));
    source.poll();

    assertThat(guards.current()).containsExactly("read Of");
    assertThat(reloads.getLast().inForce()).isFalse();
    assertThat(reloads.getLast().since()).isEqualTo(since);
    assertThat(errors(reloads.getLast()))
        .singleElement()
        .asString()
        .endsWith("spec.jwt.providers[0].isuer: unknown field (did you mean \"issuer\"?)");
    assertThat(source.inForce().current()).isFalse();
    assertThat(source.inForce().policies().rules().getFirst().security())
        .isInstanceOf(Attachment.Of.class);

    write("shop.yaml", SHOP);
    source.poll();

    assertThat(guards.current()).containsExactly("read None");
    assertThat(reloads).extracting(Reload::inForce).containsExactly(true, false, true);
    assertThat(source.inForce().current()).isTrue();
  }

  @Test
  void a_syntax_error_in_a_change_leaves_the_last_good_plans_in_force() {
    write("shop.yaml", SHOP + "---\n" + JWT);
    var source = source(false);
    var guards = source.live(GUARDS);
    source.start();

    write("other.yaml", "kind: [\n");
    source.poll();

    assertThat(guards.current()).containsExactly("read Of");
    assertThat(source.inForce().problems())
        .singleElement()
        .asString()
        .contains("other.yaml:2:1: this is not YAML");
  }

  @Test
  void at_start_one_bad_policy_is_rejected_and_the_rest_serves() {
    write(
        "shop.yaml",
        SHOP.replace(
            "backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: shop}]",
            "backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: shop}]\n  - name: open\n    matches: [{path: {value: /public}}]"));
    write(
        "bad.yaml",
        JWT.replace("name: orders}]", "name: orders, sectionName: read}]")
            .replace("jwt:", "oidc: {clientID: c}\n  jwt:"));
    var source = source(false);
    var guards = source.live(GUARDS);

    var reload = source.start();

    assertThat(reload.inForce()).isTrue();
    assertThat(errors(reload)).singleElement().asString().contains("spec.oidc: not supported yet");
    assertThat(guards.current()).containsExactly("read Rejected", "open None");
  }

  @Test
  void a_file_that_is_not_yaml_at_start_counts_against_every_route() {
    write("shop.yaml", SHOP);
    write("broken.yaml", "kind: [\n");
    var source = source(false);
    var guards = source.live(GUARDS);

    source.start();

    assertThat(guards.current()).containsExactly("read Rejected");
  }

  @Test
  void an_error_that_was_there_already_holds_back_no_change_elsewhere() {
    write("shop.yaml", SHOP);
    write(
        "bad.yaml",
        JWT.replace("name: orders}]", "name: gone}]").replace("jwt:", "oidc: {}\n  jwt:"));
    var source = source(false);
    var guards = source.live(GUARDS);
    source.start();

    write("orders.yaml", JWT.replace("metadata: {name: orders", "metadata: {name: other"));
    source.poll();

    assertThat(guards.current()).containsExactly("read Of");
    assertThat(source.inForce().current()).isTrue();
    assertThat(source.inForce().problems())
        .anyMatch(p -> p.toString().contains("spec.oidc: not supported yet"));
  }

  @Test
  void strict_refuses_to_start_with_any_error_a_compilers_too() {
    write("shop.yaml", SHOP);
    var source = source(true);
    source.live((policies, previous, problems) -> {
      problems.error(new Origin("shop.yaml", 1, 1), "spec", "no such thing");
      return "";
    });

    assertThatThrownBy(source::start)
        .isInstanceOfSatisfying(
            PolicyException.class,
            e -> assertThat(e.problems())
                .extracting(Problem::toString)
                .contains("shop.yaml:1:1: spec: no such thing"));
  }

  @Test
  void strict_starts_with_warnings() {
    write(
        "shop.yaml",
        SHOP + "---\n"
            + JWT.replace("kind: HTTPRoute, name: orders", "kind: HTTPRoute, name: ordres"));

    var reload = source(true).start();

    assertThat(reload.problems())
        .anySatisfy(p -> assertThat(p.severity()).isEqualTo(Problem.Severity.WARNING));
  }

  @Test
  void a_compilers_error_in_a_change_holds_back_all_plans() {
    write("shop.yaml", SHOP);
    var source = source(false);
    var guards = source.live(GUARDS);
    var picky = source.<Integer>live((policies, previous, problems) -> {
      if (!policies.policies().isEmpty()) {
        problems.error(policies.policies().getFirst().meta().origin(), "spec", "not to my taste");
      }
      return policies.policies().size();
    });
    source.start();

    write("orders.yaml", JWT);
    source.poll();

    assertThat(guards.current()).containsExactly("read None");
    assertThat(picky.current()).isZero();
  }

  @Test
  void a_compiler_that_throws_is_an_error_of_the_load_and_no_crash() {
    write("shop.yaml", SHOP);
    var source = source(false);
    var guards = source.live(GUARDS);
    source.live((policies, previous, problems) -> {
      if (!policies.policies().isEmpty()) {
        throw new IllegalStateException("boom");
      }
      return "";
    });
    source.start();

    write("orders.yaml", JWT);
    source.poll();

    assertThat(guards.current()).containsExactly("read None");
    assertThat(source.inForce().problems())
        .extracting(Problem::toString)
        .containsExactly(
            "no plan could be made of the policies (IllegalStateException, a fault of Gatehouse; the log has more)");
  }

  @Test
  void a_compiler_that_throws_at_start_refuses_everything() {
    write("shop.yaml", SHOP + "---\n" + JWT);
    var source = source(false);
    var guards = source.live(
        (PolicySet policies,
            @Nullable List<String> previous,
            dev.gatehouse.policy.resource.Problems problems) -> {
          if (policies.rules().getFirst().security() instanceof Attachment.Of<?>) {
            throw new IllegalStateException("boom");
          }
          return GUARDS.compile(policies, previous, problems);
        });

    var reload = source.start();

    assertThat(guards.current()).containsExactly("read Rejected");
    assertThat(errors(reload)).singleElement().asString().contains("IllegalStateException");
  }

  @Test
  void a_file_that_is_written_again_with_the_same_content_loads_nothing() {
    write("shop.yaml", SHOP);
    var source = source(false);
    var reloads = new CopyOnWriteArrayList<Reload>();
    source.onLoad(reloads::add);
    source.start();

    write("shop.yaml", SHOP);
    source.poll();
    source.poll();

    assertThat(reloads).hasSize(1);
  }

  @Test
  void a_change_of_the_same_size_at_the_same_time_is_seen() throws IOException {
    write("shop.yaml", SHOP);
    var file = folder.resolve("shop.yaml");
    var source = source(false);
    var guards = source.live(GUARDS);
    var time = Files.getLastModifiedTime(file);
    source.start();

    Files.writeString(file, SHOP.replace("name: read", "name: reed"));
    Files.setLastModifiedTime(file, time);
    source.poll();

    assertThat(guards.current()).containsExactly("reed None");
  }

  @Test
  void the_swap_of_a_config_map_mount_is_one_load() throws IOException {
    mount("2026_1", SHOP);
    var source = source(false);
    var guards = source.live(GUARDS);
    var reloads = new CopyOnWriteArrayList<Reload>();
    source.onLoad(reloads::add);
    source.start();
    assertThat(guards.current()).containsExactly("read None");

    mount("2026_2", SHOP + "---\n" + JWT);
    source.poll();

    assertThat(guards.current()).containsExactly("read Of");
    assertThat(reloads).hasSize(2);
    assertThat(source.inForce().problems()).isEmpty();
  }

  @Test
  void the_watcher_sees_the_swap_of_a_config_map_mount() throws IOException {
    mount("2026_1", SHOP);
    var source = source(false);
    var guards = source.live(GUARDS);
    source.start();

    mount("2026_2", SHOP + "---\n" + JWT);

    await().atMost(Duration.ofSeconds(10)).until(() -> guards.current().equals(List.of("read Of")));
  }

  /** As the kubelet does: a new folder, a link beside the old one, and a rename over it. */
  private void mount(String version, String text) throws IOException {
    write(".." + version + "/shop.yaml", text);
    var link = folder.resolve("..data_tmp");
    Files.createSymbolicLink(link, Path.of(".." + version));
    Files.move(
        link,
        folder.resolve("..data"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    var visible = folder.resolve("shop.yaml");
    if (!Files.isSymbolicLink(visible)) {
      Files.createSymbolicLink(visible, Path.of("..data/shop.yaml"));
    }
  }

  @Test
  void after_close_nothing_is_loaded_and_the_watcher_ends() {
    write("shop.yaml", SHOP);
    var source = source(false);
    var guards = source.live(GUARDS);
    source.start();

    source.close();
    write("orders.yaml", JWT);
    source.poll();

    assertThat(guards.current()).containsExactly("read None");
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(t -> t.getName().equals("gatehouse-policies"));
  }

  @Test
  void a_listener_that_fails_keeps_nobody_from_hearing() {
    write("shop.yaml", SHOP);
    var source = source(false);
    var heard = new ArrayList<Reload>();
    source.onLoad(reload -> {
      throw new IllegalStateException("boom");
    });
    source.onLoad(heard::add);

    source.start();

    assertThat(heard).hasSize(1);
  }

  @Test
  void plans_are_asked_for_before_the_start() {
    var source = source(false);
    source.start();

    assertThatThrownBy(() -> source.live(GUARDS)).isInstanceOf(IllegalStateException.class);
  }
}
