package dev.gatehouse.authz.jwt;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLClassLoader;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.Provider;
import java.security.PublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Collections;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Who computes signatures: the Amazon Corretto Crypto Provider where it loads and passes its own tests, else the JDK's. It is
 * handed to who checks a signature, and stands in no list of the JVM's.
 *
 * <p>Its jars, one for each kind of machine, hold the same names; so a class loader of its own takes the one that fits.
 */
public final class Crypto {
  private static final String CLASS =
      "com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider";
  private static final Crypto BEST = find();

  private final @Nullable Provider provider;
  private final String name;

  private Crypto(@Nullable Provider provider, String name) {
    this.provider = provider;
    this.name = name;
  }

  /** The fastest that works here; found once. */
  public static Crypto best() {
    return BEST;
  }

  public static Crypto jdk() {
    return new Crypto(null, "JDK");
  }

  /** {@code AmazonCorrettoCryptoProvider 2.5.0}, or {@code JDK} and why it is not the other. */
  public String name() {
    return name;
  }

  /** {@code AmazonCorrettoCryptoProvider} or {@code JDK}. */
  public String provider() {
    return provider == null ? "JDK" : provider.getName();
  }

  /** Whether it is not the JDK's. */
  public boolean fast() {
    return provider != null;
  }

  /** The provider for a key of this type and curve; null leaves it to the JDK's order. */
  @Nullable
  Provider forKey(@Nullable String curve) {
    return "Ed448".equals(curve) ? null : provider; // AWS-LC has no Ed448
  }

  /** The same key as an object of the provider: with one of the JDK's an RSA check costs half as much again. */
  PublicKey own(PublicKey key) {
    if (provider == null || provider.getService("KeyFactory", key.getAlgorithm()) == null) {
      return key;
    }
    try {
      return KeyFactory.getInstance(key.getAlgorithm(), provider)
          .generatePublic(new X509EncodedKeySpec(key.getEncoded()));
    } catch (GeneralSecurityException _) {
      return key; // the JDK made it, so it is a key; what the provider does not like of it, its
      // check will say
    }
  }

  private static Crypto find() {
    try {
      var jar = jar();
      if (jar == null) {
        return new Crypto(
            null, "JDK (the Amazon Corretto Crypto Provider is not for " + machine() + ")");
      }
      var provider = load(jar);
      return new Crypto(provider, provider.getName() + " " + provider.getVersionStr());
    } catch (IOException | ReflectiveOperationException | RuntimeException | LinkageError e) {
      return new Crypto(
          null, "JDK (the Amazon Corretto Crypto Provider does not work: " + because(e) + ")");
    }
  }

  private static String because(Throwable error) {
    var why = error instanceof InvocationTargetException ? error.getCause() : error;
    return String.valueOf(why instanceof IllegalStateException ? why.getMessage() : why);
  }

  private static @Nullable URL jar() throws IOException {
    var library = "com/amazon/corretto/crypto/provider/libamazonCorrettoCryptoProvider.so";
    for (var each : Collections.list(Crypto.class.getClassLoader().getResources(library))) {
      if (each.openConnection() instanceof JarURLConnection inside
          && inside.getJarFileURL().getPath().endsWith("-" + machine() + ".jar")) {
        return inside.getJarFileURL();
      }
    }
    return null;
  }

  /** As the jars are called. */
  private static String machine() {
    var arch = System.getProperty("os.arch", "");
    return System.getProperty("os.name", "").toLowerCase(Locale.ROOT) + "-"
        + switch (arch) {
          case "amd64" -> "x86_64";
          case "aarch64" -> "aarch_64";
          default -> arch;
        };
  }

  /** Stays open as long as the process: native code cannot be given back. */
  @SuppressWarnings("resource")
  private static Provider load(URL jar) throws ReflectiveOperationException {
    var loader = new URLClassLoader(new URL[] {jar}, ClassLoader.getPlatformClassLoader());
    var type = Class.forName(CLASS, true, loader);
    var provider = (Provider) type.getField("INSTANCE").get(null);
    if (type.getMethod("getLoadingError").invoke(provider) instanceof Throwable error) {
      throw new IllegalStateException(error.getMessage());
    }
    type.getMethod("assertHealthy").invoke(provider);
    return provider;
  }
}
