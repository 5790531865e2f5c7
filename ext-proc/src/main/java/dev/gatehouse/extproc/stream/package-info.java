/**
 * One ext_proc stream: what is said by whoever processes it ({@link dev.gatehouse.extproc.stream.Processor}, {@link
 * dev.gatehouse.extproc.stream.Reply}, {@link dev.gatehouse.extproc.stream.BodyWish}, {@link
 * dev.gatehouse.extproc.stream.HeaderChanges}), and the machine that says it to Envoy ({@code StreamMachine}, {@link
 * dev.gatehouse.extproc.stream.ProcessorStream}). Whoever writes a processor begins at {@code dev.gatehouse.extproc.kit}.
 */
@NullMarked
package dev.gatehouse.extproc.stream;

import org.jspecify.annotations.NullMarked;
