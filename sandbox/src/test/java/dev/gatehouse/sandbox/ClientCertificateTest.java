package dev.gatehouse.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class ClientCertificateTest {
  /** Made by openssl. */
  private static final String CERTIFICATE = """
      -----BEGIN CERTIFICATE-----
      MIIB4TCCAYegAwIBAgIJAJjlS48w5nNuMAoGCCqGSM49BAMCMCExDTALBgNVBAoM
      BENvcnAxEDAOBgNVBAMMB0NvcnAgQ0EwIBcNMjYxMTI1MTgwNTAwWhgPMjEyNjEx
      MDExODA1MDBaMCAxDTALBgNVBAoMBENvcnAxDzANBgNVBAMMBm9yZGVyczBZMBMG
      ByqGSM49AgEGCCqGSM49AwEHA0IABEoeaDKDp5W271SAsSVllbic4s4SHi4AOPKi
      AOD8g4tqAcWzY1dTNWzTZBjlimDwUjw9dk0sa/G/HIxsJOvY15ejgaYwgaMwPAYD
      VR0RBDUwM4Ycc3BpZmZlOi8vY29ycC9ucy9zaG9wL29yZGVyc4ITb3JkZXJzLmNv
      cnAuZXhhbXBsZTATBgNVHSUEDDAKBggrBgEFBQcDAjAOBgNVHQ8BAf8EBAMCB4Aw
      HQYDVR0OBBYEFLuFo/z26oT4UjWN9RVRsAP+5RlpMB8GA1UdIwQYMBaAFAS0qXF+
      91vkr9C9gvkzW6PC0ze6MAoGCCqGSM49BAMCA0gAMEUCIQD23JU5tuaPuc7t9V/t
      g6WZ/+GPjrPvjuSj7BcFBJJuqAIgOy3S6V01mLvSvZr8hyqB1FevKfi0tlTgiGfY
      xUNf2sk=
      -----END CERTIFICATE-----
      """;

  private static final String KEY = """
      -----BEGIN PRIVATE KEY-----
      MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghTQGSOLlSBzDz8yR
      LwuXkun2S9u3rq4hRgl+ffkSMuWhRANCAARKHmgyg6eVtu9UgLElZZW4nOLOEh4u
      ADjyogDg/IOLagHFs2NXUzVs02QY5Ypg8FI8PXZNLGvxvxyMbCTr2NeX
      -----END PRIVATE KEY-----
      """;

  @Test
  void it_is_forwarded_as_an_envoy_forwards_it() {
    assertThat(ClientCertificate.of(CERTIFICATE + KEY).forwarded())
        .isEqualTo("Hash=f8e1c9b3a42c83431c0196eeece0e0cfa80c78e2d61deaa89c81a49ef36c0c41;Cert=\""
            + CERTIFICATE
                .replace("\n", "%0A")
                .replace(" ", "%20")
                .replace("+", "%2B")
                .replace("/", "%2F")
                .replace("=", "%3D")
            + "\"");
  }

  @Test
  void without_a_certificate_or_a_key_it_is_none() {
    assertThatIllegalArgumentException().isThrownBy(() -> ClientCertificate.of(CERTIFICATE));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ClientCertificate.of(KEY))
        .withMessageContaining("no certificate")
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("MIG"));
  }
}
