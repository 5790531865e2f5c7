package dev.gatehouse.ratelimit.counter;

import static dev.gatehouse.ratelimit.counter.CounterStoreContract.limit;
import static org.assertj.core.api.Assertions.assertThat;

import dev.gatehouse.ratelimit.descriptor.Limit;
import dev.gatehouse.ratelimit.descriptor.Unit;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** All cells or none, wherever a thread stops. */
final class ChangeTest {
  private final Limit limit = limit(5, Unit.DAY, t -> t);
  private final Cell one = new Cell(1);
  private final Cell other = new Cell(2);

  @Test
  void all_change_at_once() {
    assertThat(change(5, 7).finish()).isTrue();
    assertThat(amount(one)).isEqualTo(5);
    assertThat(amount(other)).isEqualTo(7);
  }

  @Test
  void none_changes_if_one_has_changed_meanwhile() {
    var change = change(5, 7);
    var meanwhile = new Value.Count(1);
    assertThat(other.set(other.value(), meanwhile)).isTrue();
    assertThat(change.finish()).isFalse();
    assertThat(amount(one)).isZero();
    assertThat(other.value()).isSameAs(meanwhile);
  }

  /** A thread stops when it has joined the first cell: whoever meets that cell goes on for it. */
  @Test
  void a_thread_that_stops_half_way_is_helped() {
    var before = one.value();
    var change = change(5, 7);
    assertThat(one.join(before, change)).isTrue();
    assertThat(amount(one)).isEqualTo(5);
    assertThat(amount(other)).isEqualTo(7);
    assertThat(change.finish()).as("when it wakes up").isTrue();
    assertThat(amount(one)).isEqualTo(5);
  }

  @Test
  void nobody_sees_the_first_cell_changed_if_the_second_does_not_follow() {
    var before = one.value();
    var change = change(5, 7);
    assertThat(one.join(before, change)).isTrue();
    assertThat(other.set(other.value(), new Value.Count(3))).isTrue();
    assertThat(one.value()).isSameAs(before);
    assertThat(change.finish()).isFalse();
  }

  @Test
  void a_helper_that_comes_late_changes_nothing() {
    var before = one.value();
    var same = other.value();
    var change = new Change(
        new Cell[] {one, other}, new Value[] {before, same}, new Value[] {new Value.Count(5), same
        });
    assertThat(change.finish()).isTrue();
    assertThat(one.set(one.value(), new Value.Count(6))).isTrue();
    assertThat(one.join(before, change)).isFalse();
    assertThat(other.join(same, change)).as("which only stood still").isTrue();
    assertThat(other.value()).isSameAs(same);
    assertThat(amount(one)).isEqualTo(6);
  }

  /** Of five cells two at a time, in any order: what leaves one comes to another. */
  @Test
  void what_threads_carry_from_cell_to_cell_is_neither_lost_nor_made_up() {
    var cells = IntStream.range(0, 5).mapToObj(Cell::new).toArray(Cell[]::new);
    var threads = IntStream.range(0, 6)
        .mapToObj(t -> CompletableFuture.runAsync(() -> carry(cells, new Random(t))))
        .toArray(CompletableFuture<?>[]::new);
    CompletableFuture.allOf(threads).orTimeout(30, TimeUnit.SECONDS).join();
    long sum = 0;
    for (var cell : cells) {
      sum += amount(cell);
    }
    assertThat(sum).isZero();
  }

  private void carry(Cell[] cells, Random random) {
    for (int i = 0; i < 60_000; i++) {
      int a = random.nextInt(cells.length);
      int b = (a + 1 + random.nextInt(cells.length - 1)) % cells.length;
      boolean done = false;
      while (!done) {
        var from = cells[a].value();
        var to = cells[b].value();
        if (i % 16 == 0) {
          Thread.yield();
        }
        done = new Change(new Cell[] {cells[a], cells[b]}, new Value[] {from, to}, new Value[] {
              from.next(limit, from.amount(limit, 0) - 1, 0),
              to.next(limit, to.amount(limit, 0) + 1, 0)
            })
            .finish();
      }
    }
  }

  private Change change(long toOne, long toOther) {
    return new Change(
        new Cell[] {other, one},
        new Value[] {other.value(), one.value()},
        new Value[] {new Value.Count(toOther), new Value.Count(toOne)});
  }

  private long amount(Cell cell) {
    return cell.value().amount(limit, 0);
  }
}
