package dev.gatehouse.cli.reference;

import dev.gatehouse.ratelimit.config.Sources;
import dev.gatehouse.ratelimit.config.xds.XdsSettings;
import dev.gatehouse.ratelimit.config.xds.XdsSource;
import dev.gatehouse.ratelimit.config.yaml.RuntimeFolderSettings;
import dev.gatehouse.ratelimit.config.yaml.YamlSource;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where limits come from beside the policies: the reference's folder of YAML, or a control plane. */
public sealed interface ReferenceConfiguration {
  /** Begins to load; the first load of a folder is done when it returns. */
  AutoCloseable start(Sources sources);

  record Folder(RuntimeFolderSettings settings) implements ReferenceConfiguration {
    @Override
    public AutoCloseable start(Sources sources) {
      return YamlSource.start(settings, sources);
    }
  }

  record Xds(XdsSettings settings) implements ReferenceConfiguration {
    @Override
    public AutoCloseable start(Sources sources) {
      return XdsSource.start(settings, sources);
    }
  }

  /**
   * @return null if there is none: that is only where we do not stand in for the reference and {@code CONFIG_TYPE} is not set
   * @throws IllegalArgumentException naming the variable that is not what it should be
   */
  static @Nullable ReferenceConfiguration of(ReferenceEnvironment env) {
    var type = env.text(Variable.CONFIG_TYPE);
    if (type.isEmpty()) {
      return null;
    }
    return type.get().equalsIgnoreCase("FILE") ? new Folder(folder(env)) : new Xds(xds(env));
  }

  private static RuntimeFolderSettings folder(ReferenceEnvironment env) {
    return new RuntimeFolderSettings(
        Path.of(env.textOrUsual(Variable.RUNTIME_ROOT)),
        env.textOrUsual(Variable.RUNTIME_SUBDIRECTORY),
        env.textOrUsual(Variable.RUNTIME_APPDIRECTORY),
        env.flag(Variable.RUNTIME_IGNOREDOTFILES));
  }

  private static XdsSettings xds(ReferenceEnvironment env) {
    return new XdsSettings(
        env.textOrUsual(Variable.CONFIG_GRPC_XDS_SERVER_URL),
        env.textOrUsual(Variable.CONFIG_GRPC_XDS_NODE_ID),
        nodeMetadata(env.textOrUsual(Variable.CONFIG_GRPC_XDS_NODE_METADATA)),
        env.pairs(Variable.CONFIG_GRPC_XDS_CLIENT_ADDITIONAL_HEADERS),
        env.duration(Variable.CONFIG_GRPC_XDS_SERVER_CONNECT_RETRY_INTERVAL),
        new XdsSettings.Retry(
            env.duration(Variable.XDS_CLIENT_BACKOFF_INITIAL_INTERVAL),
            env.duration(Variable.XDS_CLIENT_BACKOFF_MAX_INTERVAL),
            env.fraction(Variable.XDS_CLIENT_BACKOFF_RANDOM_FACTOR),
            !env.isSet(Variable.XDS_CLIENT_BACKOFF_JITTER)
                || env.flag(Variable.XDS_CLIENT_BACKOFF_JITTER)),
        env.isSet(Variable.XDS_CLIENT_MAX_MSG_SIZE_IN_BYTES)
            ? (int) env.number(Variable.XDS_CLIENT_MAX_MSG_SIZE_IN_BYTES)
            : XdsSettings.DEFAULT_MAX_MESSAGE_BYTES,
        env.flag(Variable.CONFIG_GRPC_XDS_SERVER_USE_TLS) ? tls(env) : null);
  }

  /** Unlike the other lists this one has {@code =}; what has none is passed over there too. */
  private static Map<String, String> nodeMetadata(String text) {
    var metadata = new LinkedHashMap<String, String>();
    for (var pair : text.split(",", -1)) {
      int equals = pair.indexOf('=');
      if (equals >= 0) {
        metadata.put(pair.substring(0, equals), pair.substring(equals + 1));
      }
    }
    return metadata;
  }

  private static XdsSettings.Tls tls(ReferenceEnvironment env) {
    return new XdsSettings.Tls(
        file(env, Variable.CONFIG_GRPC_XDS_SERVER_TLS_CACERT),
        file(env, Variable.CONFIG_GRPC_XDS_CLIENT_TLS_CERT),
        file(env, Variable.CONFIG_GRPC_XDS_CLIENT_TLS_KEY),
        env.text(Variable.CONFIG_GRPC_XDS_SERVER_TLS_SAN).orElse(null));
  }

  private static @Nullable Path file(ReferenceEnvironment env, Variable variable) {
    return env.text(variable).map(Path::of).orElse(null);
  }
}
