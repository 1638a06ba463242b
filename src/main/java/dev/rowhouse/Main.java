package dev.rowhouse;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** The program: {@code rowhouse serve | help | version}. */
public final class Main {
  private static final String HELP =
      """
      Rowhouse: one roof, many tenants. A multi-tenant AI serving platform behind the OpenAI API.

      Usage: rowhouse COMMAND

      Commands
        serve     start a node (the default)
        version   print the version
        help      print this

      Environment (wins over conf/)
        ROWHOUSE_HOST             address of both planes          127.0.0.1
        ROWHOUSE_HTTP_PORT        port of the tenant plane        8080
        ROWHOUSE_OPERATOR_PORT    port of the operator plane      8081
        ROWHOUSE_DATA_DIR         journal, indexes, secrets       data
        ROWHOUSE_OPERATOR_TOKEN   operator token                  made at the first start
        ROWHOUSE_CLUSTER_SECRET   secret that keys are minted by  made at the first start
        ROWHOUSE_MASTER_KEY       key that wraps the data keys    made at the first start
        ROWHOUSE_ARTERY_HOST      address between nodes           127.0.0.1
        ROWHOUSE_ARTERY_PORT      port between nodes              any free one

      Exit codes
        0 stopped in order   2 usage   3 configuration   4 data directory   5 address in use
        6 journal   7 cluster   8 master key   1 anything else

      SIGTERM finishes the answers in hand, closes the journal and stops with 0.
      """;

  private Main() {}

  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    String command = arguments.length == 0 ? "serve" : arguments[0];
    if (arguments.length > 1) {
      err.println("rowhouse: too many arguments. 'rowhouse help' lists the commands.");
      System.exit(StartFailure.USAGE);
    }
    switch (command) {
      case "serve" -> serve(out, err);
      case "version", "--version" -> out.println("rowhouse " + Node.version());
      case "help", "--help", "-h" -> out.print(HELP);
      default -> {
        err.println(
            "rowhouse: unknown command '" + command + "'. 'rowhouse help' lists the commands.");
        System.exit(StartFailure.USAGE);
      }
    }
  }

  private static void serve(PrintStream out, PrintStream err) {
    try {
      Node node = Node.start();
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    int exitCode = node.stop();
                    // A JVM that a signal ends exits with 128 + signal; an orderly end is a 0.
                    Runtime.getRuntime().halt(exitCode);
                  },
                  "shutdown"));
      out.println(node.greeting());
      node.awaitEnd();
      System.exit(node.stop());
    } catch (StartFailure failure) {
      err.println("rowhouse: " + failure.getMessage());
      Runtime.getRuntime().halt(failure.exitCode());
    }
  }
}
