package dev.rowhouse;

import com.typesafe.config.Config;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;

/**
 * Whether this node is among the majority of its cluster: it sends every member a beat, and counts
 * those who answer. What the answer is taken from is the round trip, so a network that lets
 * messages through in one direction only is no majority either; and it is known in seconds, long
 * before the cluster has decided who goes down.
 *
 * <p>The rule is that of the split brain resolver ({@code keep-majority}): more than half of the
 * members, or half of them with the lowest address, so that of two sides one at most goes on. Beats
 * that were not sent, in a paused process, count for nobody's silence.
 */
final class Majority {
  private static final String NAME = "majority";

  /** What the actors of this name say to each other. */
  sealed interface Command {}

  /** Is anybody there? */
  public record Beat(ActorRef<Command> from) implements Command {}

  /**
   * Yes.
   *
   * @param member the address of who answers
   */
  public record Heard(String member) implements Command {}

  private enum Tick implements Command {
    TICK
  }

  private final AtomicBoolean held = new AtomicBoolean(true);

  private Majority() {}

  /** Begins to count, as {@code rowhouse.cluster.majority} says. */
  static Majority start(ActorSystem<?> system) {
    Config config = system.settings().config().getConfig("rowhouse.cluster.majority");
    Duration every = config.getDuration("beat");
    int beatsMax = (int) Math.max(1, config.getDuration("silence").dividedBy(every));
    Majority majority = new Majority();
    system.systemActorOf(
        Behaviors.<Command>setup(
            context ->
                Behaviors.withTimers(
                    timers -> {
                      timers.startTimerWithFixedDelay(Tick.TICK, every);
                      return majority.new Counting(context, beatsMax).behavior();
                    })),
        NAME,
        DispatcherSelector.fromConfig("pekko.actor.internal-dispatcher"));
    return majority;
  }

  /** As far as is known; any thread may ask at any time. */
  boolean isHeld() {
    return held.get();
  }

  /**
   * The rule of who goes on.
   *
   * @param members all members' addresses
   * @param heard those of them that answer, this node included
   */
  static boolean holds(Set<Address> members, Set<Address> heard) {
    int here = 0;
    for (Address member : members) {
      here += heard.contains(member) ? 1 : 0;
    }
    if (2 * here == members.size() && !members.isEmpty()) {
      TreeSet<Address> inOrder = new TreeSet<>(order());
      inOrder.addAll(members);
      return heard.contains(inOrder.first());
    }
    return members.isEmpty() || 2 * here > members.size();
  }

  private static Comparator<Address> order() {
    return Member.addressOrdering();
  }

  private final class Counting {
    private final ActorContext<Command> context;
    private final Cluster cluster;
    private final Address self;
    private final int beatsMax;
    private final Map<Address, Integer> unanswered = new HashMap<>();

    Counting(ActorContext<Command> context, int beatsMax) {
      this.context = context;
      this.cluster = Cluster.get(context.getSystem());
      this.self = cluster.selfMember().address();
      this.beatsMax = beatsMax;
    }

    Behavior<Command> behavior() {
      return Behaviors.receiveMessage(
          message -> {
            switch (message) {
              case Tick _ -> beat();
              case Beat beat -> beat.from().tell(new Heard(self.toString()));
              case Heard answer ->
                  unanswered
                      .entrySet()
                      .forEach(
                          member -> {
                            if (member.getKey().toString().equals(answer.member())) {
                              member.setValue(0);
                            }
                          });
            }
            return Behaviors.same();
          });
    }

    private void beat() {
      Set<Address> members = new TreeSet<>(order());
      for (Member member : cluster.state().getMembers()) {
        if (member.status().equals(MemberStatus.up())
            || member.status().equals(MemberStatus.leaving())) {
          members.add(member.address());
        }
      }
      unanswered.keySet().retainAll(members);
      Set<Address> heard = new TreeSet<>(order());
      for (Address member : members) {
        int missed =
            member.equals(self) ? 0 : unanswered.merge(member, 1, (before, one) -> before + one);
        if (missed <= beatsMax) {
          heard.add(member);
        }
        if (missed > 0) {
          at(member).tell(new Beat(context.getSelf()));
        }
      }
      boolean now = holds(members, heard);
      if (held.getAndSet(now) != now) {
        if (now) {
          context.getLog().info("{} of {} members answer again", heard.size(), members.size());
        } else {
          context
              .getLog()
              .warn(
                  "{} of {} members answer, which is no majority: nothing is admitted here",
                  heard.size(),
                  members.size());
        }
      }
    }

    private ActorRef<Command> at(Address member) {
      return ActorRefResolver.get(context.getSystem()).resolveActorRef(member + "/system/" + NAME);
    }
  }
}
