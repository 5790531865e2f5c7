package dev.gatehouse.extproc.json;

import dev.gatehouse.extproc.json.JsonPath.Token;
import dev.gatehouse.extproc.json.Masking.Mask;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Edits that can be made in one walk, compiled: an automaton over the names on the way down. A {@link Place} is all that the edits
 * want of a value, so that a walk asks once a member, however many edits there are; a {@code **} is a place that leads to itself.
 */
final class JsonMatcher {
  /** Where several edits need more places, they are made in more walks. */
  private static final int MAX_PLACES = 2_000;

  /** A single edit needs no more: see {@link JsonPath}'s bounds. */
  private static final int MOST_PLACES = 100_000;

  private final Place root;
  private final int longestName;

  private JsonMatcher(Place root, int longestName) {
    this.root = root;
    this.longestName = longestName;
  }

  Place root() {
    return root;
  }

  /** In bytes of UTF-8. */
  int longestName() {
    return longestName;
  }

  /** A value, as the edits see it. */
  static final class Place {
    private static final Name[] NO_NAMES = {};
    private static final Addition[] NO_ADDITIONS = {};

    /** Nothing is wanted here or below. */
    static final Place NOTHING = new Place();

    /** One bit for each length that a name has, the last one for all above. */
    private long lengths;

    private Name[] names = NO_NAMES;

    /** Of members and elements that bear none of the names. */
    Place other = this;

    /** Whether there is something to look for inside. */
    boolean isOpen;

    /** Whether the value itself is changed or minded, and not only what is inside. */
    boolean isSpecial;

    boolean isRemoved;

    /** How the value is masked, with all that is inside. */
    @Nullable
    Mask mask;

    /** Takes the value's place. */
    @Nullable
    JsonValue value;

    /** Takes the value's place where it is no object; null where nothing does. */
    JsonValue @Nullable [] unlessObject;

    /** The edit that must not be kept out by a value that is no container. */
    @Nullable
    JsonEdit mustLead;

    /** Whether members or elements may go, come or be renamed. */
    boolean isReshaped;

    /** Whether what happens to a member depends on those before it. */
    boolean renames;

    /** Whether its containers are numbered by {@link JsonWalk}. */
    boolean isNumbered;

    /** Whether what a move has taken comes here instead of {@link #value}. */
    boolean putsMoved;

    /** Whether its value is noted. */
    boolean isCaptured;

    Addition[] additions = NO_ADDITIONS;

    @Nullable
    Name named(byte[] in, int from, int to) {
      int length = to - from;
      if (((lengths >>> Math.min(length, 63)) & 1) == 0) {
        return null;
      }
      for (var name : names) {
        if (name.says(in, from, length)) {
          return name;
        }
      }
      return null;
    }

    Place element(int index) {
      for (var name : names) {
        if (name.index == index) {
          return name.place;
        }
      }
      return other;
    }

    @Nullable
    Name elementName(int index) {
      for (var name : names) {
        if (name.index == index) {
          return name;
        }
      }
      return null;
    }

    boolean hasNames() {
      return names.length > 0;
    }
  }

  /** A member that is looked for. The bits are the place's own and say what has been seen in one object. */
  static final class Name {
    private final byte[] utf8;
    private final int index;
    private Place place = Place.NOTHING;

    /** The name that it gets, in quotes. */
    byte @Nullable [] renamed;

    /** Set when there is such a member, 0 if nobody minds. */
    long seen;

    /** Goes when this has been seen. */
    long yieldsTo;

    /** Cannot come any more when this has been seen. */
    long clashesWith;

    private Name(String name) {
      var token = Token.named(name);
      this.utf8 = token.utf8();
      this.index = token.index();
    }

    Place place() {
      return place;
    }

    private boolean says(byte[] in, int from, int length) {
      if (length != utf8.length) {
        return false;
      }
      for (int i = 0; i < length; i++) {
        if (in[from + i] != utf8[i]) {
          return false;
        }
      }
      return true;
    }
  }

  /** What is added to a container that has had no such member. */
  static final class Addition {
    /** The bit that says that it has. */
    final long seen;

    /** The name and the colon. */
    final byte[] member;

    final JsonValue[] value;

    /** Whether what a move has taken stands between {@link #value} and {@link #after}. */
    final boolean putsMoved;

    final byte[] after;

    /** Of the element, -1 for the one after the last, -2 for none. */
    final int index;

    /** The edit that makes a text unprocessable where this is no element; null: it is left out then. */
    final @Nullable JsonEdit must;

    private Addition(
        long seen,
        byte[] member,
        JsonValue[] value,
        boolean putsMoved,
        byte[] after,
        int index,
        @Nullable JsonEdit must) {
      this.seen = seen;
      this.member = member;
      this.value = value;
      this.putsMoved = putsMoved;
      this.after = after;
      this.index = index;
      this.must = must;
    }
  }

  /** @return null if they are too much for one walk */
  static @Nullable JsonMatcher of(List<? extends JsonEdit> edits) {
    return new Compiler(edits, null, -1).compile();
  }

  /** The first walk of a move: notes what it takes. */
  static JsonMatcher captures(JsonEdit.Move move) {
    return alone(new Compiler(List.of(new JsonEdit.Remove(move.at())), move, move.common()));
  }

  /** The second walk of a move: what it takes goes. */
  static JsonMatcher removes(JsonEdit.Move move) {
    return alone(new Compiler(List.of(new JsonEdit.Remove(move.at())), null, -1));
  }

  /** The last walk of a move: puts what it took. */
  static JsonMatcher puts(JsonEdit.Move move) {
    return alone(new Compiler(List.of(new JsonEdit.Set(move.to(), "0")), move, move.common()));
  }

  static JsonMatcher merges(JsonEdit.Merge merge) {
    var merging = new Merging();
    return new JsonMatcher(merging.into(merge.members()), merging.longest);
  }

  private static JsonMatcher alone(Compiler compiler) {
    var matcher = compiler.compile();
    if (matcher == null) {
      throw new IllegalStateException();
    }
    return matcher;
  }

  /** Makes the places of a merge patch: one for each object of it. */
  private static final class Merging {
    private static final byte[] NOTHING = {};

    private int longest;

    Place into(Map<String, JsonEdit.Merge.Change> members) {
      var place = new Place();
      var additions = new ArrayList<Addition>();
      var names = new ArrayList<Name>();
      members.forEach((text, change) -> {
        var name = new Name(text);
        names.add(name);
        longest = Math.max(longest, name.utf8.length);
        place.lengths |= 1L << Math.min(name.utf8.length, 63);
        name.place = place(change);
        if (!(change instanceof JsonEdit.Merge.Removal)) {
          name.seen = 1L << additions.size();
          var member = new Bytes().add(JsonTemplate.quote(text)).add(":").toArray();
          additions.add(new Addition(name.seen, member, fresh(change), false, NOTHING, -2, null));
        }
      });
      place.names = names.toArray(Name[]::new);
      place.additions = additions.toArray(Addition[]::new);
      place.other = Place.NOTHING;
      place.unlessObject = fresh(new JsonEdit.Merge.Into(members));
      place.isSpecial = true;
      place.isOpen = !names.isEmpty();
      place.isReshaped = !names.isEmpty();
      return place;
    }

    private Place place(JsonEdit.Merge.Change change) {
      return switch (change) {
        case JsonEdit.Merge.Into(var inner) -> into(inner);
        case JsonEdit.Merge.Removal removal -> {
          var place = new Place();
          place.isRemoved = true;
          place.other = Place.NOTHING;
          yield place;
        }
        case JsonEdit.Merge.Value value -> {
          var place = new Place();
          place.value = value.value();
          place.isSpecial = true;
          place.other = Place.NOTHING;
          yield place;
        }
      };
    }

    /** What a member becomes that was not there: the patch's value without what it removes. */
    private static JsonValue[] fresh(JsonEdit.Merge.Change change) {
      var value = new Fresh();
      value.add(change);
      return value.toArray();
    }
  }

  private static final class Compiler {
    /** Where one is: the edits' tokens that come next, and how all here is masked. */
    private record Key(BitSet states, @Nullable Mask mask) {}

    private final List<? extends JsonEdit> edits;
    private final int[] offsets;
    private final Map<Key, Place> places = new HashMap<>();
    private final JsonEdit.@Nullable Move move;
    private final int numbered;
    private int longest;
    private boolean tooMuch;

    /** @param numbered the depth of a move's containers that are numbered, -1 for none */
    Compiler(List<? extends JsonEdit> edits, JsonEdit.@Nullable Move move, int numbered) {
      this.edits = edits;
      this.offsets = new int[edits.size()];
      this.move = move;
      this.numbered = numbered;
      for (int i = 1; i < offsets.length; i++) {
        offsets[i] = offsets[i - 1] + path(i - 1).length() + 1;
      }
    }

    @Nullable
    JsonMatcher compile() {
      var start = new BitSet();
      for (int i = 0; i < edits.size(); i++) {
        reach(start, i, 0);
      }
      var root = place(start, null);
      return tooMuch ? null : new JsonMatcher(root, longest);
    }

    private JsonPath path(int edit) {
      return edits.get(edit).at();
    }

    /** A {@code **} may be no level at all. */
    private void reach(BitSet states, int edit, int at) {
      states.set(offsets[edit] + at);
      if (at < path(edit).length() && path(edit).token(at).isDescent()) {
        reach(states, edit, at + 1);
      }
    }

    private Place place(BitSet states, @Nullable Mask inherited) {
      if (states.isEmpty() && inherited == null) {
        return Place.NOTHING;
      }
      var key = new Key(states, inherited);
      var known = places.get(key);
      if (known != null) {
        return known;
      }
      var place = new Place();
      if (places.size() >= (edits.size() == 1 ? MOST_PLACES : MAX_PLACES)) {
        if (edits.size() == 1) {
          throw new IllegalArgumentException("\"" + path(0) + "\" has too many stars");
        }
        tooMuch = true;
        return place;
      }
      places.put(key, place);
      fill(place, states, inherited);
      return place;
    }

    private void fill(Place place, BitSet states, @Nullable Mask inherited) {
      var mask = inherited;
      for (int i = 0; i < edits.size(); i++) {
        if (!states.get(offsets[i] + path(i).length())) {
          continue;
        }
        switch (edits.get(i)) {
          case JsonEdit.Mask m -> {
            var own = new Mask(m.keepLast(), m.keepLast());
            mask = mask == null ? own : mask.and(own);
          }
          case JsonEdit.Set set -> {
            place.value = set.value();
            place.putsMoved = move != null;
          }
          case JsonEdit.Remove remove -> {
            place.isCaptured = move != null;
            place.isRemoved = move == null;
          }
          case JsonEdit.Rename rename -> {} // Its name has seen to it.
          case JsonEdit.Default ready -> {} // It is there.
          case JsonEdit.Move other -> throw new IllegalStateException();
          case JsonEdit.Merge merge -> throw new IllegalStateException();
        }
      }
      place.isSpecial = mask != null || place.value != null || place.isCaptured;
      if (place.value != null || place.isRemoved) {
        place.other = Place.NOTHING; // What is inside goes with it.
        return;
      }
      place.mask = mask;
      place.isNumbered = numbered >= 0 && states.get(numbered);
      place.mustLead = mustLead(states);
      var names = names(place, states);
      var bits = new Bits();
      renames(place, states, names, bits);
      additions(place, states, names, bits);
      place.other = place(next(states, null), mask);
      place.isOpen = place.names.length > 0 || place.other != Place.NOTHING || place.isNumbered;
      place.isSpecial |= place.mustLead != null;
      place.isReshaped = place.additions.length > 0 || place.other.isRemoved || place.renames;
      for (var name : place.names) {
        place.isReshaped |= name.place.isRemoved;
      }
    }

    private @Nullable JsonEdit mustLead(BitSet states) {
      for (int i = 0; i < edits.size(); i++) {
        if (edits.get(i) instanceof JsonEdit.Set set
            && !set.at().descends()
            && anyWithin(
                states, offsets[i] + numbered + 1, offsets[i] + set.at().length())) {
          return move == null ? set : move;
        }
      }
      return null;
    }

    private static boolean anyWithin(BitSet states, int from, int to) {
      int first = states.nextSetBit(from);
      return first >= 0 && first < to;
    }

    private BitSet next(BitSet states, @Nullable String name) {
      var next = new BitSet();
      for (int i = 0; i < edits.size(); i++) {
        for (int at = 0; at < path(i).length(); at++) {
          if (!states.get(offsets[i] + at)) {
            continue;
          }
          var token = path(i).token(at);
          if (token.isDescent()) {
            reach(next, i, at);
          } else if (token.isAny() || (name != null && name.equals(token.name()))) {
            reach(next, i, at + 1);
          }
        }
      }
      return next;
    }

    private Map<String, Name> names(Place place, BitSet states) {
      var names = new LinkedHashMap<String, Name>();
      for (var text : namesWanted(states)) {
        var name = new Name(text);
        longest = Math.max(longest, name.utf8.length);
        names.put(text, name);
        var next = next(states, text);
        name.place = place(next, place.mask);
      }
      place.names = names.values().toArray(Name[]::new);
      for (var name : place.names) {
        place.lengths |= 1L << Math.min(name.utf8.length, 63);
      }
      return names;
    }

    private void renames(Place place, BitSet states, Map<String, Name> names, Bits bits) {
      for (int i = 0; i < edits.size(); i++) {
        if (!(edits.get(i) instanceof JsonEdit.Rename rename) || !rename.at().endsInName()) {
          continue;
        }
        int last = rename.at().length() - 1;
        var old = rename.at().token(last).name();
        if (!states.get(offsets[i] + last) || rename.to().equals(old)) {
          continue;
        }
        var from = names.get(old);
        var to = names.get(rename.to());
        if (from == null || to == null) {
          throw new IllegalStateException();
        }
        from.renamed = JsonTemplate.quote(rename.to()).getBytes(StandardCharsets.UTF_8);
        from.seen = bits.take();
        to.yieldsTo = from.seen;
        to.seen = bits.take();
        from.clashesWith = to.seen;
        place.renames = true;
      }
    }

    /** The bits of one place. */
    private final class Bits {
      private long next = 1;

      long take() {
        long bit = next;
        next <<= 1;
        tooMuch |= bit == 0;
        return bit;
      }
    }

    private Iterable<String> namesWanted(BitSet states) {
      var wanted = new LinkedHashSet<String>();
      for (int i = 0; i < edits.size(); i++) {
        for (int at = 0; at < path(i).length(); at++) {
          var name = path(i).token(at).name();
          if (name == null || !states.get(offsets[i] + at)) {
            continue;
          }
          wanted.add(name);
          if (edits.get(i) instanceof JsonEdit.Rename rename && at == path(i).length() - 1) {
            wanted.add(rename.to());
          }
        }
      }
      return wanted;
    }

    private void additions(Place place, BitSet states, Map<String, Name> names, Bits bits) {
      var byName = new LinkedHashMap<String, List<Missing>>();
      for (int i = 0; i < edits.size(); i++) {
        var path = path(i);
        var edit = edits.get(i);
        if (!(edit instanceof JsonEdit.Set || edit instanceof JsonEdit.Default)
            || path.descends()) {
          continue;
        }
        for (int at = 0; at < path.length(); at++) {
          var name = path.token(at).name();
          if (states.get(offsets[i] + at) && name != null && path.isDefinite(at + 1)) {
            byName.computeIfAbsent(name, key -> new ArrayList<>()).add(new Missing(edit, at + 1));
          }
        }
      }
      if (byName.isEmpty()) {
        return;
      }
      var additions = new ArrayList<Addition>();
      byName.forEach((text, missing) -> {
        var name = names.get(text);
        if (name == null) {
          throw new IllegalStateException();
        }
        if (name.seen == 0) {
          name.seen = bits.take();
        }
        additions.add(addition(text, name, missing));
      });
      additions.sort(Comparator.comparingInt(
          addition -> addition.index < 0 ? Integer.MAX_VALUE : addition.index));
      place.additions = additions.toArray(Addition[]::new);
    }

    private Addition addition(String text, Name name, List<Missing> missing) {
      var member = new Bytes().add(JsonTemplate.quote(text)).add(":").toArray();
      int index = text.equals("-") ? -1 : name.index >= 0 ? name.index : -2;
      var must = missing.stream()
          .map(Missing::edit)
          .filter(JsonEdit.Set.class::isInstance)
          .findFirst()
          .orElse(null);
      if (move != null) {
        var path = missing.getFirst().edit.at();
        var open = new Bytes();
        for (int i = missing.getFirst().from; i < path.length(); i++) {
          open.add("{")
              .add(JsonTemplate.quote(String.valueOf(path.token(i).name())))
              .add(":");
        }
        var close = "}".repeat(path.length() - missing.getFirst().from);
        return new Addition(
            name.seen,
            member,
            new JsonValue[] {JsonValue.of(open.toArray())},
            true,
            new Bytes().add(close).toArray(),
            index,
            move);
      }
      var value = new Fresh();
      value.add(missing);
      return new Addition(name.seen, member, value.toArray(), false, new byte[0], index, must);
    }
  }

  /** A value that is missing, with all that the edits put into it: texts between the values. */
  private static final class Fresh {
    private final List<JsonValue> pieces = new ArrayList<>();
    private Bytes text = new Bytes();

    void add(JsonEdit.Merge.Change change) {
      switch (change) {
        case JsonEdit.Merge.Value value -> add(value.value());
        case JsonEdit.Merge.Into(var members) -> {
          text.add("{");
          var comma = "";
          for (var entry : members.entrySet()) {
            if (entry.getValue() instanceof JsonEdit.Merge.Removal) {
              continue;
            }
            text.add(comma).add(JsonTemplate.quote(entry.getKey())).add(":");
            add(entry.getValue());
            comma = ",";
          }
          text.add("}");
        }
        case JsonEdit.Merge.Removal removal -> throw new IllegalStateException();
      }
    }

    void add(List<Missing> missing) {
      var first = missing.getFirst();
      if (first.from == first.edit.at().length()) {
        add(first.value());
        return;
      }
      var byName = new LinkedHashMap<String, List<Missing>>();
      for (var one : missing) {
        var name = String.valueOf(one.edit.at().token(one.from).name());
        byName
            .computeIfAbsent(name, key -> new ArrayList<>())
            .add(new Missing(one.edit, one.from + 1));
      }
      text.add("{");
      var comma = "";
      for (var entry : byName.entrySet()) {
        text.add(comma).add(JsonTemplate.quote(entry.getKey())).add(":");
        add(entry.getValue());
        comma = ",";
      }
      text.add("}");
    }

    private void add(JsonValue value) {
      pieces.add(JsonValue.of(text.toArray()));
      pieces.add(value);
      text = new Bytes();
    }

    JsonValue[] toArray() {
      pieces.add(JsonValue.of(text.toArray()));
      return pieces.toArray(JsonValue[]::new);
    }
  }

  /** @param from the token that names what is inside */
  private record Missing(JsonEdit edit, int from) {
    JsonValue value() {
      return switch (edit) {
        case JsonEdit.Set set -> set.value();
        case JsonEdit.Default ready -> ready.value();
        case JsonEdit.Mask mask -> throw new IllegalStateException();
        case JsonEdit.Remove remove -> throw new IllegalStateException();
        case JsonEdit.Rename rename -> throw new IllegalStateException();
        case JsonEdit.Move move -> throw new IllegalStateException();
        case JsonEdit.Merge merge -> throw new IllegalStateException();
      };
    }
  }
}
