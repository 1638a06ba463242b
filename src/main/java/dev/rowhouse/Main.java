package dev.rowhouse;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * The program: {@code rowhouse serve | version | help}, and the commands of operators ({@code
 * schema}, {@code replay}, {@code reconcile}, {@code audit}).
 */
public final class Main {
  private static final int USAGE_WIDTH = 100;

  private static final String HELP =
      """
      Rowhouse: one roof, many tenants. A multi-tenant AI serving platform behind the OpenAI API.

      Usage: rowhouse COMMAND

      Commands
        serve        start a node (the default)
        schema       make keyspace and tables on Cassandra
        replay       compute figures again from the journal: totals, price, what-if, export
        reconcile    compare journal, ledgers and usage tables
        audit        verify the audit log
        version      print the version
        help         print this

      'rowhouse COMMAND --help' has the options of a command, and examples.

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
        ROWHOUSE_SEED_NODES       host:port,host:port of nodes    none: a node on its own
        ROWHOUSE_ROLES            gateway,tenant,worker           all three
        ROWHOUSE_PROFILES         files of conf/ on top           none

      Exit codes
        0 stopped in order   2 usage   3 configuration   4 data directory   5 address in use
        6 journal   7 cluster   8 master key   1 anything else

      SIGTERM finishes the answers in hand, closes the journal and stops with 0.
      """;

  private Main() {}

  /** A command that has others, and does nothing by itself. */
  @Command(name = "replay", description = "Computes figures again from the journal.")
  private static final class ReplayGroup {}

  @Command(name = "audit", description = "Looks after the audit log.")
  private static final class AuditGroup {}

  @Command(name = "rowhouse")
  private static final class Root {}

  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    String command = arguments.length == 0 ? "serve" : arguments[0];
    switch (command) {
      case "serve" -> {
        alone(arguments, err);
        serve(out, err);
      }
      case "version", "--version" -> {
        alone(arguments, err);
        out.println("rowhouse " + Node.version());
      }
      case "help", "--help", "-h" -> {
        alone(arguments, err);
        out.print(HELP);
      }
      // The JVM's own threads may still run: a command ends with its code, not with the last
      // thread.
      default -> Runtime.getRuntime().halt(flushed(execute(arguments, out, err), out, err));
    }
  }

  private static void alone(String[] arguments, PrintStream err) {
    if (arguments.length > 1) {
      err.println("rowhouse: too many arguments. 'rowhouse help' lists the commands.");
      System.exit(StartFailure.USAGE);
    }
  }

  private static int flushed(int exitCode, PrintStream out, PrintStream err) {
    out.flush();
    err.flush();
    return exitCode;
  }

  /** Carries out one of the operator's commands; gives the exit code. */
  static int execute(String[] arguments, PrintStream out, PrintStream err) {
    CommandLine replay =
        new CommandLine(new ReplayGroup())
            .addSubcommand(new ReplayCommand.Totals(out, err))
            .addSubcommand(new ReplayCommand.Price(out, err))
            .addSubcommand(new ReplayCommand.WhatIf(out, err))
            .addSubcommand(new ReplayCommand.Export(out, err));
    CommandLine audit =
        new CommandLine(new AuditGroup()).addSubcommand(new OperatorCommand.AuditVerify(out, err));
    CommandLine root =
        new CommandLine(new Root())
            .addSubcommand(new SchemaCommand(out))
            .addSubcommand(replay)
            .addSubcommand(new OperatorCommand.Reconcile(out, err))
            .addSubcommand(audit);
    root.getSubcommands().values().forEach(Main::addHelp);
    root.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    root.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    root.setUsageHelpWidth(USAGE_WIDTH);
    root.setUnmatchedArgumentsAllowed(false);
    root.setParameterExceptionHandler((failure, given) -> misused(failure, given, err));
    root.setExecutionExceptionHandler((failure, commandLine, parsed) -> failed(failure, err));
    return root.execute(arguments);
  }

  private static void addHelp(CommandLine command) {
    command
        .getCommandSpec()
        .addOption(
            OptionSpec.builder("-h", "--help").usageHelp(true).description("Print this.").build());
    command.getSubcommands().values().forEach(Main::addHelp);
  }

  private static int misused(ParameterException failure, String[] given, PrintStream err) {
    CommandLine command = failure.getCommandLine();
    if (command.getParent() == null) {
      err.println(
          "rowhouse: unknown command '" + given[0] + "'. 'rowhouse help' lists the commands.");
    } else {
      err.println(
          "rowhouse: "
              + String.valueOf(failure.getMessage()).replaceAll("\\s*\\R\\s*", " ")
              + ". '"
              + command.getCommandSpec().qualifiedName()
              + " --help' has the options.");
    }
    return StartFailure.USAGE;
  }

  private static int failed(Exception failure, PrintStream err) {
    if (failure instanceof CommandFailure told) {
      err.println("rowhouse: " + told.getMessage());
      return told.exitCode();
    }
    if (failure instanceof StartFailure told) {
      err.println("rowhouse: " + told.getMessage());
      return told.exitCode();
    }
    throw new IllegalStateException("a command failed", failure);
  }

  private static void serve(PrintStream out, PrintStream err) {
    try {
      Termination termination = new Termination();
      Node node = Node.start();
      termination.stops(node);
      out.println(node.greeting());
      node.awaitEnd();
      if (node.isDowned()) {
        err.println(
            "rowhouse: The cluster has put this node out: it was not to be reached, or was among"
                + " the minority. It holds nothing that the others need; start it again.");
      }
      Runtime.getRuntime().halt(flushed(node.stop(), out, err));
    } catch (StartFailure failure) {
      err.println("rowhouse: " + failure.getMessage());
      Runtime.getRuntime().halt(failure.exitCode());
    }
  }
}
