package dev.gatehouse.cli;

import picocli.CommandLine;

/** Makes the commands; those that write somewhere get the terminal. */
record Commands(Terminal terminal) implements CommandLine.IFactory {
  @Override
  public <K> K create(Class<K> type) throws Exception {
    if (Environment.class.equals(type)) {
      return type.cast(new Environment(terminal.env()));
    }
    for (var constructor : type.getDeclaredConstructors()) {
      var parameters = constructor.getParameterTypes();
      if (parameters.length == 1 && parameters[0] == Terminal.class) {
        return type.cast(constructor.newInstance(terminal));
      }
    }
    return CommandLine.defaultFactory().create(type);
  }
}
