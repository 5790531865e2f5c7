package dev.gatehouse.server;

/** What is answered over HTTP. */
public record AdminPage(int status, String contentType, String body) {
  /** A line of text. */
  public static AdminPage text(int status, String text) {
    return new AdminPage(status, "text/plain; charset=utf-8", text + "\n");
  }

  public static AdminPage json(String json) {
    return json(200, json);
  }

  public static AdminPage json(int status, String json) {
    return new AdminPage(status, "application/json", json);
  }

  /** Text as it is. */
  public static AdminPage plain(int status, String text) {
    return new AdminPage(status, "text/plain; charset=utf-8", text);
  }
}
