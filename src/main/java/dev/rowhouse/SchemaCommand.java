package dev.rowhouse;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.rowhouse.journal.CqlSchema;
import dev.rowhouse.journal.JournalException;
import dev.rowhouse.journal.Storage;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes keyspace and tables on Cassandra: once, before the first node and after an update. */
@Command(
    name = "schema",
    description = "Makes the keyspace and the tables on Cassandra; what is there stays as it is.",
    footer = {
      "",
      "Keyspace and replication are those of rowhouse.journal.cassandra in conf/. An SQL database",
      "needs no such command: a node makes its tables when it starts.",
      "",
      "Examples",
      "  ROWHOUSE_PROFILES=cassandra ROWHOUSE_CASSANDRA=10.0.0.5:9042 rowhouse schema",
      "  ROWHOUSE_PROFILES=cassandra rowhouse schema --print | cqlsh",
      "",
      "Exit codes: 0 all is there, 2 usage, 3 configuration, 6 Cassandra did not do it"
    })
final class SchemaCommand implements Callable<Integer> {
  private final PrintStream out;

  @Option(names = "--print", description = "Print the statements, and ask no Cassandra.")
  private boolean print;

  SchemaCommand(PrintStream out) {
    this.out = out;
  }

  @Override
  public Integer call() {
    try {
      Config config = Preflight.loadConfig();
      if (!config.getString(Storage.KIND).equals("cassandra")) {
        throw new CommandFailure(
            StartFailure.CONFIG,
            Storage.KIND
                + " is "
                + config.getString(Storage.KIND)
                + ", which needs no command. For Cassandra set ROWHOUSE_PROFILES=cassandra.");
      }
      if (print) {
        print(config);
      } else {
        make(config);
      }
      return 0;
    } catch (StartFailure e) {
      throw new CommandFailure(e.exitCode(), String.valueOf(e.getMessage()));
    } catch (JournalException e) {
      throw new CommandFailure(
          StartFailure.JOURNAL, String.valueOf(e.getMessage()).replaceAll("\\s*\\R\\s*", " "));
    } catch (ConfigException e) {
      throw new CommandFailure(
          StartFailure.CONFIG, String.valueOf(Preflight.broken(e).getMessage()));
    }
  }

  private void print(Config config) {
    out.println(CqlSchema.keyspace(config) + ";");
    out.println();
    out.println("use " + config.getString("rowhouse.journal.cassandra.keyspace") + ";");
    for (String statement : CqlSchema.tables()) {
      out.println();
      out.println(statement + ";");
    }
  }

  private void make(Config config) {
    List<String> made = CqlSchema.create(config);
    made.forEach(what -> out.println("made " + what));
    out.printf(
        "Keyspace %s is complete: %d made, %d were there.%n",
        config.getString("rowhouse.journal.cassandra.keyspace"),
        made.size(),
        CqlSchema.tables().size() + 1 - made.size());
  }
}
