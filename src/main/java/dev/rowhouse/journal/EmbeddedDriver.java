package dev.rowhouse.journal;

import java.sql.DriverManager;
import java.sql.SQLException;

/** The driver of H2 that knows {@link ForcedFiles}; for pools that open a driver by its name. */
public final class EmbeddedDriver extends org.h2.Driver {
  static {
    ForcedFiles.register();
    try {
      DriverManager.registerDriver(new EmbeddedDriver());
    } catch (SQLException e) {
      throw new ExceptionInInitializerError(e);
    }
  }
}
