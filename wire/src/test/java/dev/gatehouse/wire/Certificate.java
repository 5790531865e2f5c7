package dev.gatehouse.wire;

/** A certificate for tests alone: P-256, {@code *.shop.example}, its key published here. */
final class Certificate {
  static final String SECRET = """
      apiVersion: v1
      kind: Secret
      metadata: {name: cert, namespace: shop}
      type: kubernetes.io/tls
      stringData:
        tls.crt: |
          -----BEGIN CERTIFICATE-----
          MIIBrjCCAVSgAwIBAgIUY0RaV+ja8ctViYgbavnUyYJdTAYwCgYIKoZIzj0EAwIw
          FzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMCAXDTI2MTEyMjE5NDYzOVoYDzIxMjYx
          MDI5MTk0NjM5WjAXMRUwEwYDVQQDDAxzaG9wLmV4YW1wbGUwWTATBgcqhkjOPQIB
          BggqhkjOPQMBBwNCAATylVJPXa7XaRCI243xv8dQ10jGVRnGGrAvtCRaJvk8MSbg
          mypXHoHSJ3etkoS6SVN0XDj0ylaWBRY6tPeC/mqTo3wwejAdBgNVHQ4EFgQU3XC/
          A2+bM+5HI+ba50xjhuKMX6QwHwYDVR0jBBgwFoAU3XC/A2+bM+5HI+ba50xjhuKM
          X6QwDwYDVR0TAQH/BAUwAwEB/zAnBgNVHREEIDAeggxzaG9wLmV4YW1wbGWCDiou
          c2hvcC5leGFtcGxlMAoGCCqGSM49BAMCA0gAMEUCIBl7rtW/hrvbH3o/+DVyrjCG
          LF9wZFhsiBVrkOc5WfONAiEAlyU7Y52t+UtgT0LU1/dKvGD2rS7Hg6C22ZCKBoWb
          dqM=
          -----END CERTIFICATE-----
        tls.key: |
          -----BEGIN PRIVATE KEY-----
          MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgO6xEvkeup+54IWah
          yymb4pLsL9goahicsJI1XluLj5GhRANCAATylVJPXa7XaRCI243xv8dQ10jGVRnG
          GrAvtCRaJvk8MSbgmypXHoHSJ3etkoS6SVN0XDj0ylaWBRY6tPeC/mqT
          -----END PRIVATE KEY-----
      """;

  private Certificate() {}
}
