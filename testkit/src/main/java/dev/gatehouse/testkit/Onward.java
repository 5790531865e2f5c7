package dev.gatehouse.testkit;

import com.google.protobuf.ByteString;

/** What has gone on from one direction, to the upstream or to the client. */
final class Onward {
  private final String side;
  private final HttpMessage message = new HttpMessage();
  private boolean headersGone;
  private boolean bodyEnded;
  private boolean trailersGone;

  /** @param side {@code request} or {@code response} */
  Onward(String side) {
    this.side = side;
  }

  /** Headers that are held are what they are so far, the body is what has gone. */
  HttpMessage message() {
    return message;
  }

  boolean headersGone() {
    return headersGone;
  }

  boolean trailersGone() {
    return trailersGone;
  }

  boolean bodyEnded() {
    return bodyEnded;
  }

  /** Whether the body that has gone on is all of it. */
  boolean ended() {
    return bodyEnded || trailersGone;
  }

  void headersGo() {
    headersGone = true;
  }

  void pass(ByteString data, boolean end) {
    Rule.AFTER_THE_END.keep(
        !bodyEnded || data.isEmpty(), data.size() + " bytes after the end of the " + side);
    message.pass(data);
    bodyEnded |= end;
  }

  void passAll(HeldBody held) {
    for (var chunk = held.takeChunk(); chunk != null; chunk = held.takeChunk()) {
      pass(chunk.data(), chunk.end());
    }
  }

  /** @param end nothing follows */
  void passGathered(HeldBody held, boolean end) {
    var gathered = held.takeGathered();
    if (gathered != null) {
      pass(gathered, end);
    }
  }

  /** Of a body that was replaced at the headers, or that there is none of. */
  void endBody() {
    bodyEnded = true;
  }

  void trailersGo() {
    trailersGone = true;
  }
}
