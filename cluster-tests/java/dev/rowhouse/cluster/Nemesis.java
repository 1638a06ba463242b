package dev.rowhouse.cluster;

import dev.rowhouse.node.Await;
import java.time.Duration;
import java.util.List;

/** What happens to a cluster under load, and how it is undone. */
enum Nemesis {
  KILL("kill", false, 30) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      kill(cluster, supervisor, cluster.younger());
    }
  },
  KILL_OLDEST("kill-oldest", false, 30) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      kill(cluster, supervisor, cluster.oldest());
    }
  },
  PAUSE_3("pause-3", false, 15) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      pause(cluster, cluster.younger(), Duration.ofSeconds(3));
    }
  },
  PAUSE_15("pause-15", false, 25) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      pause(cluster, cluster.younger(), Duration.ofSeconds(15));
    }
  },
  PAUSE_45("pause-45", false, 25) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      pause(cluster, cluster.oldest(), Duration.ofSeconds(45));
    }
  },
  PARTITION_OLDEST("partition-oldest", true, 20) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      isolate(cluster, List.of(cluster.oldest()));
      Await.pause(PARTED);
      cluster.network().heal();
    }
  },
  PARTITION_HALVES("partition-halves", true, 20) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      int half = cluster.nodes().size() / 2;
      List<Integer> minority =
          java.util.stream.IntStream.range(0, cluster.nodes().size())
              .boxed()
              .filter(node -> node < half)
              .toList();
      isolate(cluster, minority);
      Await.pause(PARTED);
      cluster.network().heal();
    }
  },
  PARTITION_ONE_WAY("partition-one-way", true, 20) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      int mute = cluster.younger();
      for (int other = 0; other < cluster.nodes().size(); other++) {
        if (other != mute) {
          cluster.network().cut(mute, other);
        }
      }
      Await.pause(PARTED);
      cluster.network().heal();
    }
  },
  /** Each node reaches its two neighbours only; with three nodes that is one wire cut. */
  PARTITION_RING("partition-ring", true, 20) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      int count = cluster.nodes().size();
      for (int node = 0; node < count; node++) {
        for (int other = 0; other < count; other++) {
          int distance = Math.floorMod(other - node, count);
          boolean neighbours = distance <= 1 || distance == count - 1;
          boolean closing = count == 3 && node + other == 2 && node != other;
          if (!neighbours || closing) {
            cluster.network().cut(node, other);
          }
        }
      }
      Await.pause(PARTED);
      cluster.network().heal();
    }
  },
  /** Cuts come and go faster than the cluster decides. */
  SWIZZLE("swizzle", true, 20) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      for (int node = 0; node < cluster.nodes().size(); node++) {
        isolate(cluster, List.of(node));
        Await.pause(Duration.ofSeconds(3));
        cluster.network().heal();
        Await.pause(Duration.ofSeconds(2));
      }
    }
  },
  JOURNAL_AWAY_60("cassandra-away-60", false, 30) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      cluster.journal().kill();
      Await.pause(Duration.ofSeconds(60));
      cluster.journal().start();
    }

    @Override
    int promptChars() {
      return PROMPT_CHARS;
    }
  },
  /** The journal answers in fits and starts, as one does whose disk is overloaded. */
  CASSANDRA_SLOW("cassandra-slow", false, 20) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      for (int stops = 0; stops < 25; stops++) {
        cluster.journal().freeze();
        Await.pause(Duration.ofMillis(400));
        cluster.journal().thaw();
        Await.pause(Duration.ofMillis(400));
      }
    }
  },
  /** The disk of one node has not a byte left. */
  DISK_FULL("disk-full", false, 20) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      cluster.hardware().fillDisk();
      Await.pause(Duration.ofSeconds(30));
      cluster.hardware().emptyDisk();
    }
  },
  /** The clock of one node is an hour ahead, then an hour behind, then right. */
  CLOCK_JUMP("clock-jump", false, 20) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      for (String offset : List.of("+3600", "-3600", "+0")) {
        cluster.hardware().setClock(offset);
        Await.pause(Duration.ofSeconds(12));
      }
    }
  },
  ROLLING_RESTART("rolling-restart", false, 10) {
    @Override
    void strike(RowhouseCluster cluster, Supervisor supervisor) {
      for (int node = 0; node < cluster.nodes().size(); node++) {
        supervisor.leave(node);
        int exitCode = cluster.node(node).stop();
        if (exitCode != 0) {
          throw new AssertionError(
              "node " + node + " ended with " + exitCode + "\n" + cluster.node(node).log());
        }
        cluster.node(node).start().awaitReady();
        supervisor.lookAfter(node);
        cluster.awaitWhole();
      }
    }
  };

  /** Long enough for both sides to decide. */
  private static final Duration PARTED = Duration.ofSeconds(30);

  /**
   * Some 80 requests a second are refused for a minute, which makes 150 MB of such prompts: a node
   * that kept them would be seen to do so.
   */
  private static final int PROMPT_CHARS = 32_768;

  /** How long a killed node is away. */
  private static final Duration GONE = Duration.ofSeconds(40);

  private final String text;
  private final boolean cuts;
  private final int watchedSeconds;

  Nemesis(String text, boolean cuts, int watchedSeconds) {
    this.text = text;
    this.cuts = cuts;
    this.watchedSeconds = watchedSeconds;
  }

  /** Its name in reports. */
  String text() {
    return text;
  }

  /** Whether it needs a network whose wires can be cut. */
  boolean cuts() {
    return cuts;
  }

  /** How long the load goes on after it, at most, before the history is read. */
  Duration watched() {
    return Duration.ofSeconds(watchedSeconds);
  }

  /**
   * How long prompts are, beyond the few words that they need; 0 unless the nodes' memory is looked
   * at.
   */
  int promptChars() {
    return 0;
  }

  /** Does it, and undoes it. */
  abstract void strike(RowhouseCluster cluster, Supervisor supervisor);

  /**
   * A machine that is gone is not back at once: until then the others have to serve as before. Its
   * return is a thing of its own ({@link Supervisor#bringBack}), and on a machine that all nodes
   * share the start of one costs the others most of their CPU.
   */
  private static void kill(RowhouseCluster cluster, Supervisor supervisor, int node) {
    supervisor.leave(node);
    cluster.node(node).kill9();
    Await.pause(GONE);
    supervisor.bringBack(node);
  }

  private static void pause(RowhouseCluster cluster, int node, Duration time) {
    cluster.node(node).freeze();
    Await.pause(time);
    cluster.node(node).thaw();
  }

  /** Cuts these nodes off from the others, both ways. */
  private static void isolate(RowhouseCluster cluster, List<Integer> minority) {
    for (int inside : minority) {
      for (int outside = 0; outside < cluster.nodes().size(); outside++) {
        if (!minority.contains(outside)) {
          cluster.network().cut(inside, outside);
          cluster.network().cut(outside, inside);
        }
      }
    }
  }
}
