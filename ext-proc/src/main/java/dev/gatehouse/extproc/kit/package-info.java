/**
 * A team's own processors: Java classes that Envoy's ext_proc filter asks about requests and responses.
 *
 * <p>Write an {@link dev.gatehouse.extproc.kit.HttpProcessor}: a callback for each thing that can come (headers, a whole body or its
 * chunks, trailers, each way), and for each a {@link dev.gatehouse.extproc.stream.Reply}. What is not overridden lets pass unchanged,
 * and whatever is replied, the stream says it in words that Envoy takes. There is one object a stream, so its fields are one
 * request's; a {@link dev.gatehouse.extproc.kit.ProcessorFactory} makes it out of the {@link
 * dev.gatehouse.extproc.kit.StreamContext}, or lets the stream pass.
 *
 * <p>Callbacks run on event loops and must not block; those of a {@link dev.gatehouse.extproc.kit.BlockingProcessor} run on virtual
 * threads and may. Either way one message of a stream at a time, in order.
 *
 * <p>It fails closed: who throws, is too late, or needs what the processing mode does not send gets the request answered 500, and a
 * line in the log says what to change. A processor that may be left out overrides {@code failed}.
 *
 * <p>Serve it by a {@link dev.gatehouse.extproc.kit.ProcessorServer} of its own, or put the {@link
 * dev.gatehouse.extproc.kit.ProcessorService} into a grpc-java server that is there. TransformPolicies are served by the same class.
 * {@code docs/kit.md} is the tutorial, {@code examples/processor} the example.
 */
@NullMarked
package dev.gatehouse.extproc.kit;

import org.jspecify.annotations.NullMarked;
