package dev.rowhouse.journal;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigValueFactory;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where Cassandra is looked for: {@code rowhouse.journal.cassandra.contact-points} is one text, so
 * that a variable of the environment can hold it, and the driver wants a list.
 */
public final class ContactPoints {
  private static final Logger LOG = LoggerFactory.getLogger(ContactPoints.class);

  static final String TEXT = "rowhouse.journal.cassandra.contact-points";
  static final String LIST = "datastax-java-driver.basic.contact-points";

  /** More than anybody names; one that answers tells of all the others. */
  private static final int MAX = 100;

  private static final int PORT_DEFAULT = 9042;
  private static final int PORT_MAX = 65_535;

  /** A name or an address, of IPv6 in brackets, and perhaps a port. */
  private static final Pattern POINT =
      Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]*|\\[[0-9A-Fa-f:.]+\\])(?::([0-9]{1,5}))?");

  private ContactPoints() {}

  /** The configuration with the driver's list; one that is set by hand stays. */
  public static Config spread(Config config) {
    return config.hasPath(LIST) || !config.hasPath(TEXT)
        ? config
        : config.withValue(LIST, ConfigValueFactory.fromIterable(points(config)));
  }

  private static List<String> points(Config config) {
    List<String> points = new ArrayList<>();
    for (String entry : config.getString(TEXT).split(",", -1)) {
      String point = entry.strip();
      Matcher matcher = POINT.matcher(point);
      String port = matcher.matches() ? matcher.group(2) : "0";
      int number = port == null ? PORT_DEFAULT : Integer.parseInt(port);
      if (number == 0 || number > PORT_MAX) {
        throw bad(
            config,
            "'"
                + point
                + "' is no address of Cassandra; name host or host:port (ROWHOUSE_CASSANDRA), with"
                + " a comma between two");
      }
      points.add(matcher.group(1) + ":" + number);
    }
    if (points.size() > MAX) {
      throw bad(config, points.size() + " addresses are more than " + MAX);
    }
    return points;
  }

  private static ConfigException.BadValue bad(Config config, String why) {
    return new ConfigException.BadValue(config.getValue(TEXT).origin(), TEXT, why);
  }

  /** The driver takes 127.0.0.1 when it knows none of the names, and finds who knows what there. */
  static void requireOneKnown(Config config) {
    boolean known = false;
    UnknownHostException unknown = new UnknownHostException("no address is named");
    for (String point : config.getStringList(LIST)) {
      try {
        InetAddress.getAllByName(point.substring(0, point.lastIndexOf(':')));
        known = true;
      } catch (UnknownHostException e) {
        LOG.warn("Cassandra is not looked for at {}: nobody knows that name", point);
        unknown = e;
      }
    }
    if (known) {
      return;
    }
    throw new JournalException(
        "None of the names of Cassandra in "
            + config.getStringList(LIST)
            + " is known here: "
            + unknown.getMessage(),
        unknown);
  }
}
