package dev.rowhouse;

import com.typesafe.config.Config;
import java.util.List;
import org.apache.pekko.cluster.ConfigValidation;
import org.apache.pekko.cluster.JoinConfigCompatChecker;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Lets a node into a cluster only when both have the same name and write their messages in the same
 * way. Pekko makes one on each side of a join, by the name that conf/cluster.conf gives.
 */
public final class SameHouse extends JoinConfigCompatChecker {
  private static final List<String> KEYS =
      List.of("rowhouse.cluster.name", "rowhouse.cluster.wire-format");

  @Override
  public scala.collection.immutable.Seq<String> requiredKeys() {
    return CollectionConverters.asScala(KEYS).toList();
  }

  @Override
  public ConfigValidation check(Config toCheck, Config actual) {
    return JoinConfigCompatChecker.fullMatch(requiredKeys(), toCheck, actual);
  }
}
