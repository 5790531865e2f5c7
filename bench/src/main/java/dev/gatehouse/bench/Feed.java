package dev.gatehouse.bench;

import java.util.List;

/** Where a server's calls come from. They are made ready before a measurement, so that making them costs nothing during it. */
interface Feed {
  /** Makes the calls of a measurement that lasts so long. */
  void prepare(double seconds);

  /** Those that were prepared. */
  Calls calls();

  /** Told how a measurement went. */
  void served(Load.Result result);

  /** The same calls in each measurement, over and over. */
  static Feed same(List<List<byte[]>> calls) {
    var cycling = Calls.cycling(calls);
    return new Feed() {
      @Override
      public void prepare(double seconds) {}

      @Override
      public Calls calls() {
        return cycling;
      }

      @Override
      public void served(Load.Result result) {}
    };
  }

  /** A token in each call that no call had before. */
  static Feed fresh(Shop shop) {
    return new Fresh(shop);
  }

  /** Signs as many tokens as the server is going to take, and some more; a measurement that uses them up is a little shorter. */
  final class Fresh implements Feed {
    private static final int FIRST_GUESS = 8_000;
    private static final double SOME_MORE = 1.25;

    private final Shop shop;
    private double rate = FIRST_GUESS;
    private int signed = 1_000_000; // the callers that are asked about otherwise stand before
    private Calls calls = () -> null;

    private Fresh(Shop shop) {
      this.shop = shop;
    }

    @Override
    public void prepare(double seconds) {
      int count = (int) Math.ceil(rate * SOME_MORE * seconds);
      calls = Calls.once(Messages.checks(shop, shop.tokens(signed, count)));
      signed += count;
    }

    @Override
    public Calls calls() {
      return calls;
    }

    @Override
    public void served(Load.Result result) {
      rate = Math.max(FIRST_GUESS, result.rate());
    }
  }
}
