package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** What has come of a body and has not gone on: gathered into one, or chunk by chunk in the order in which answers to them come. */
final class HeldBody {
  record Chunk(ByteString data, boolean end) {}

  private @Nullable ByteString gathered;
  private final Queue<Chunk> chunks = new ArrayDeque<>();

  void gather(ByteString data) {
    gathered = gathered == null ? data : gathered.concat(data);
  }

  /** Instead of all that was gathered. */
  void replace(ByteString body) {
    gathered = body;
  }

  ByteString gathered() {
    return gathered == null ? ByteString.EMPTY : gathered;
  }

  /** Whether there is a gathered body, were it of no bytes. */
  boolean hasGathered() {
    return gathered != null;
  }

  /** Takes what was gathered; null if nothing was. */
  @Nullable
  ByteString takeGathered() {
    var all = gathered;
    gathered = null;
    return all;
  }

  void add(ByteString data, boolean end) {
    chunks.add(new Chunk(data, end));
  }

  /** Takes the oldest chunk; null if there is none. */
  @Nullable
  Chunk takeChunk() {
    return chunks.poll();
  }

  boolean hasChunks() {
    return !chunks.isEmpty();
  }

  int chunkBytes() {
    return chunks.stream().mapToInt(chunk -> chunk.data.size()).sum();
  }

  /** Makes one chunk of all. */
  ByteString join(boolean end) {
    var all = ByteString.EMPTY;
    for (var chunk : chunks) {
      all = all.concat(chunk.data);
    }
    chunks.clear();
    add(all, end);
    return all;
  }

  void clear() {
    gathered = null;
    chunks.clear();
  }
}
