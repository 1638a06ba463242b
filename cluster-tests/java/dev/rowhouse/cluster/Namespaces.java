package dev.rowhouse.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A network namespace for each node, with a bridge between them on which journal, upstream and
 * tests are, too. A wire is cut in the namespace of who sends, by a route to nowhere: one direction
 * at a time, as real ones break. Needs root and iproute2.
 */
final class Namespaces implements Network {
  private static final List<Integer> PORTS = List.of(8080, 8081, 25520);

  /** Host numbers of nodes; 1 is the bridge's own. */
  private static final int FIRST_HOST = 10;

  private final String name;
  private final String subnet;
  private final int nodes;
  private final Set<String> routes = new HashSet<>();
  private final Thread removal = new Thread(this::remove);
  private boolean removed;

  private static final AtomicInteger MADE = new AtomicInteger();

  private Namespaces(String name, String subnet, int nodes) {
    this.name = name;
    this.subnet = subnet;
    this.nodes = nodes;
  }

  /** Why namespaces cannot be made here, or null when they can. */
  static @Nullable String obstacle() {
    String probe = "rhp" + ProcessHandle.current().pid() % 100_000;
    try {
      run("ip", "netns", "add", probe);
      run("ip", "netns", "del", probe);
      return null;
    } catch (IllegalStateException | UncheckedIOException e) {
      return "network namespaces are not allowed here: " + e.getMessage();
    }
  }

  static Namespaces create(int nodes) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    String subnet = "10." + random.nextInt(200, 250) + "." + random.nextInt(1, 255) + ".";
    // What was removed a moment ago may still be there: the kernel takes wires away in its own
    // time.
    char which = (char) ('a' + Math.floorMod(MADE.getAndIncrement(), 26));
    String name = "rh" + ProcessHandle.current().pid() % 100_000 + which;
    Namespaces made = new Namespaces(name, subnet, nodes);
    Runtime.getRuntime().addShutdownHook(made.removal);
    try {
      made.make();
    } catch (RuntimeException e) {
      made.close();
      throw e;
    }
    return made;
  }

  private void make() {
    run("ip", "link", "add", bridge(), "type", "bridge");
    run("ip", "addr", "add", hostOfServices() + "/24", "dev", bridge());
    run("ip", "link", "set", bridge(), "up");
    for (int node = 0; node < nodes; node++) {
      String space = space(node);
      String wire = name + "v" + node;
      run("ip", "netns", "add", space);
      run("ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", space);
      run("ip", "link", "set", wire, "master", bridge(), "up");
      run("ip", "-n", space, "addr", "add", hostOf(node) + "/24", "dev", "eth0");
      run("ip", "-n", space, "link", "set", "eth0", "up");
      run("ip", "-n", space, "link", "set", "lo", "up");
    }
  }

  private String bridge() {
    return name + "b";
  }

  private String space(int node) {
    return name + "n" + node;
  }

  @Override
  public String hostOf(int node) {
    return subnet + (FIRST_HOST + node);
  }

  @Override
  public String hostOfServices() {
    return subnet + 1;
  }

  @Override
  public List<String> prefix(int node) {
    return List.of("ip", "netns", "exec", space(node));
  }

  @Override
  public List<Integer> ports(int node) {
    return PORTS;
  }

  @Override
  public boolean canCut() {
    return true;
  }

  @Override
  public synchronized void cut(int from, int to) {
    if (routes.add(from + " " + to)) {
      run("ip", "-n", space(from), "route", "add", "blackhole", hostOf(to) + "/32");
    }
  }

  @Override
  public synchronized void heal() {
    for (String route : routes) {
      int space = route.indexOf(' ');
      int from = Integer.parseInt(route.substring(0, space));
      int to = Integer.parseInt(route.substring(space + 1));
      run("ip", "-n", space(from), "route", "del", "blackhole", hostOf(to) + "/32");
    }
    routes.clear();
  }

  @Override
  public void close() {
    remove();
    Runtime.getRuntime().removeShutdownHook(removal);
  }

  /** Whatever of it is there; a namespace takes its end of the wire with it. */
  private synchronized void remove() {
    if (removed) {
      return;
    }
    removed = true;
    for (int node = 0; node < nodes; node++) {
      tryToRun("ip", "netns", "del", space(node));
    }
    tryToRun("ip", "link", "del", bridge());
  }

  private static void tryToRun(String... command) {
    try {
      run(command);
    } catch (IllegalStateException | UncheckedIOException gone) {
      // It was not made, or is gone.
    }
  }

  private static void run(String... command) {
    try {
      Process process =
          new ProcessBuilder(new ArrayList<>(List.of(command))).redirectErrorStream(true).start();
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (process.waitFor() != 0) {
        throw new IllegalStateException(String.join(" ", command) + ": " + output);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
