package dev.gatehouse.extproc.kit;

import dev.gatehouse.extproc.stream.Processor;

/**
 * Makes the processor of each stream, so that what it remembers is one request's alone. Called on the stream's event loop, which it
 * must not block.
 */
@FunctionalInterface
public interface ProcessorFactory {
  /**
   * @return {@link Processor#PASS} leaves the stream alone; {@link Processor#refusing} fails it. Whoever throws gets its requests
   *     answered 500
   */
  Processor open(StreamContext context);
}
