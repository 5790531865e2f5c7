package dev.gatehouse.server;

import static java.nio.charset.StandardCharsets.UTF_8;

/** What the admin interface answers. */
record AdminPage(int status, String contentType, byte[] body) {
  static AdminPage text(int status, String text) {
    return new AdminPage(status, "text/plain; charset=utf-8", (text + "\n").getBytes(UTF_8));
  }

  static AdminPage json(String json) {
    return new AdminPage(200, "application/json", json.getBytes(UTF_8));
  }
}
