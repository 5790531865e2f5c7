package dev.gatehouse.server;

/** What the admin interface answers. */
record AdminPage(int status, String contentType, String body) {
  static AdminPage text(int status, String text) {
    return new AdminPage(status, "text/plain; charset=utf-8", text + "\n");
  }

  static AdminPage json(String json) {
    return new AdminPage(200, "application/json", json);
  }
}
