package dev.rowhouse.journal;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where this house keeps what must last: an SQL database or Apache Cassandra, as {@code
 * rowhouse.journal.kind} says. A table class asks which it is once, when it opens, and has an
 * implementation for each.
 */
public sealed interface Storage extends AutoCloseable permits Database, Cassandra {
  String KIND = "rowhouse.journal.kind";

  /** Opens what conf/ names. */
  static Storage open(Config config) {
    String kind = config.getString(KIND);
    return switch (kind) {
      case "sql" -> Database.open(config);
      case "cassandra" -> Cassandra.open(config);
      default ->
          throw new ConfigException.BadValue(
              config.getValue(KIND).origin(), KIND, "'" + kind + "' is not sql or cassandra");
    };
  }

  /**
   * Where this process itself writes what must last: the directory of its database's file. Null
   * when others do, so that a full disk here takes nothing from the journal.
   */
  @Nullable Path localDirectory();

  @Override
  void close();
}
