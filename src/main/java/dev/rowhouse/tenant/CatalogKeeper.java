package dev.rowhouse.tenant;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EffectBuilder;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.jspecify.annotations.Nullable;

/**
 * Owns the plans and models of the house: those of conf, with what operators put over them. One in
 * the cluster (a singleton, with its proxy on every node).
 *
 * <p>Whether a plan is in use cannot be known without asking every tenant, so a plan may be deleted
 * at any time: a tenant whose plan is gone has the default plan of conf ({@link
 * HouseCatalog#planOf}). What conf defines can be replaced here but not deleted; deleting what
 * replaced it brings conf's back.
 *
 * <p>It also keeps the book of reservations, because whether one fits depends on all others: each
 * is claimed here before the tenant's record is changed ({@link Reserve}) and brought in line with
 * the record after it ({@link Align}). A claim whose change failed half-way is brought in line by
 * the next change of that tenant. Replicas do not carry the book.
 */
public final class CatalogKeeper
    extends EventSourcedBehavior<CatalogKeeper.Command, CatalogEvent, CatalogOverrides> {
  public static final PersistenceId PERSISTENCE_ID = PersistenceId.ofUniqueId("catalog");

  /** A cluster has fewer nodes; it bounds what a broken client could do. */
  private static final int SUBSCRIBERS_MAX = 1_000;

  private static final int EVENTS_PER_SNAPSHOT = 50;
  private static final int SNAPSHOTS_KEPT = 2;

  public sealed interface Command {}

  /** Asks for the catalog now and after each change; asking again is welcome. */
  public record Subscribe(ActorRef<Catalog> subscriber) implements Command {}

  public record Get(ActorRef<Catalog> replyTo) implements Command {}

  /** Asks for a change; the answer comes when it is durable. */
  public record Execute(Change change, ActorRef<Reply> replyTo) implements Command {}

  private record SubscriberGone(ActorRef<Catalog> subscriber) implements Command {}

  private record FenceAnswered(FencedWrites.Answer answer) implements Command {}

  private record FenceFailed(String reason) implements Command {}

  private record Stop() implements Command {}

  /** What an operator may change; each may arrive twice. */
  public sealed interface Change {
    String requestId();
  }

  public record PutPlan(String requestId, Plan plan) implements Change {}

  public record DeletePlan(String requestId, String name) implements Change {}

  public record PutModel(String requestId, ModelSpec model) implements Change {}

  public record DeleteModel(String requestId, String name) implements Change {}

  /**
   * Claims capacity for a tenant, if it fits beside what others have.
   *
   * @param workers worker nodes of the cluster
   */
  public record Reserve(String requestId, TenantId tenant, ReservationClaim claim, int workers)
      implements Change {}

  /**
   * Says what a tenant's record has reserved: it did fit when it was claimed.
   *
   * @param claim absent: nothing
   * @param version of the record; what an older version says changes nothing
   */
  public record Align(
      String requestId, TenantId tenant, @Nullable ReservationClaim claim, long version)
      implements Change {}

  public sealed interface Reply {}

  public record Done(Catalog catalog) implements Reply {}

  public record Refused(Reason reason, String message) implements Reply {}

  /** Why a change was refused, with the code and the HTTP status of that. */
  public enum Reason {
    NOT_FOUND("not_found", 404),
    DEFINED_IN_CONF("defined_in_conf", 409),
    TOO_MANY("too_many", 409),
    DOES_NOT_FIT("reservation_does_not_fit", 400),
    CATALOG_MOVED("catalog_moved", 503),
    JOURNAL_UNAVAILABLE("journal_unavailable", 503);

    private final String code;
    private final int httpStatus;

    Reason(String code, int httpStatus) {
      this.code = code;
      this.httpStatus = httpStatus;
    }

    public String code() {
      return code;
    }

    public int httpStatus() {
      return httpStatus;
    }
  }

  private final HouseCatalog house;
  private final ActorContext<Command> context;
  private final FencedWrites writes;
  private final List<ActorRef<Catalog>> subscribers = new ArrayList<>();

  /** The change that waits for the Fence. */
  private @Nullable Execute held;

  private boolean isFencedOff;

  private CatalogKeeper(HouseCatalog house, ActorContext<Command> context, FencedWrites writes) {
    super(PERSISTENCE_ID);
    this.house = house;
    this.context = context;
    this.writes = writes;
  }

  /**
   * The keeper, to be run as a singleton.
   *
   * @param fenceTimeout how long a change waits for the Fence before it is refused
   */
  public static Behavior<Command> create(
      HouseCatalog house, WriteFence fence, JournalProbe probe, Duration fenceTimeout) {
    return Behaviors.setup(
        context ->
            new CatalogKeeper(
                house, context, new FencedWrites(fence, probe, PERSISTENCE_ID.id(), fenceTimeout)));
  }

  @Override
  public CatalogOverrides emptyState() {
    return CatalogOverrides.NONE;
  }

  @Override
  public EventHandler<CatalogOverrides, CatalogEvent> eventHandler() {
    return CatalogOverrides::apply;
  }

  @Override
  public CommandHandler<Command, CatalogEvent, CatalogOverrides> commandHandler() {
    return (state, command) ->
        switch (command) {
          case Get(ActorRef<Catalog> replyTo) -> Effect().reply(replyTo, state.over(house));
          case Subscribe(ActorRef<Catalog> subscriber) -> subscribe(state, subscriber);
          case SubscriberGone(ActorRef<Catalog> subscriber) -> {
            subscribers.remove(subscriber);
            yield Effect().none();
          }
          case Execute execute -> held == null ? execute(state, execute) : Effect().stash();
          case FenceAnswered(FencedWrites.Answer answer) -> answered(state, answer);
          case FenceFailed(String reason) -> failed(reason);
          case Stop _ -> Effect().stop();
        };
  }

  private Effect<CatalogEvent, CatalogOverrides> subscribe(
      CatalogOverrides state, ActorRef<Catalog> subscriber) {
    if (!subscribers.contains(subscriber)) {
      if (subscribers.size() >= SUBSCRIBERS_MAX) {
        context.getLog().warn("Over {} nodes ask for the catalog.", SUBSCRIBERS_MAX);
        return Effect().none();
      }
      subscribers.add(subscriber);
      context.watchWith(subscriber, new SubscriberGone(subscriber));
    }
    return Effect().reply(subscriber, state.over(house));
  }

  private Effect<CatalogEvent, CatalogOverrides> execute(CatalogOverrides state, Execute execute) {
    if (isFencedOff) {
      return Effect().reply(execute.replyTo(), moved());
    }
    CatalogOverrides.Decision decision = state.decide(execute.change(), house);
    if (decision.refusal() != null) {
      return Effect().reply(execute.replyTo(), decision.refusal());
    }
    if (decision.event() == null) {
      return Effect().reply(execute.replyTo(), new Done(state.over(house)));
    }
    held = execute;
    context.pipeToSelf(
        writes.mayWrite(state.version()),
        (answer, failure) ->
            answer == null ? new FenceFailed(String.valueOf(failure)) : new FenceAnswered(answer));
    return Effect().none();
  }

  private Effect<CatalogEvent, CatalogOverrides> answered(
      CatalogOverrides state, FencedWrites.Answer answer) {
    Execute waiting = held;
    held = null;
    if (waiting == null) {
      return Effect().none();
    }
    if (!answer.mayWrite()) {
      context.getLog().warn("The catalog is written elsewhere; this keeper stops.");
      isFencedOff = true;
      // What waits in the stash is answered first, then this comes.
      context.getSelf().tell(new Stop());
      return goOn(Effect().none(), waiting, moved());
    }
    writes.remember(answer);
    CatalogEvent event = state.decide(waiting.change(), house).event();
    if (event == null) {
      throw new IllegalStateException("nothing was written since the first decision");
    }
    return Effect()
        .persist(event)
        .thenRun(
            (CatalogOverrides after) -> {
              Catalog catalog = after.over(house);
              if (isOfTheCatalog(event)) {
                subscribers.forEach(subscriber -> subscriber.tell(catalog));
              }
              waiting.replyTo().tell(new Done(catalog));
            })
        .thenUnstashAll();
  }

  private static boolean isOfTheCatalog(CatalogEvent event) {
    return switch (event) {
      case CatalogEvent.PlanPut _,
          CatalogEvent.PlanDeleted _,
          CatalogEvent.ModelPut _,
          CatalogEvent.ModelDeleted _ ->
          true;
      case CatalogEvent.Reserved _, CatalogEvent.Released _ -> false;
    };
  }

  private Effect<CatalogEvent, CatalogOverrides> failed(String reason) {
    Execute waiting = held;
    held = null;
    context.getLog().warn("The Fence did not answer for the catalog: {}", reason);
    return waiting == null
        ? Effect().none()
        : goOn(
            Effect().none(),
            waiting,
            new Refused(Reason.JOURNAL_UNAVAILABLE, "the journal does not answer"));
  }

  private static Effect<CatalogEvent, CatalogOverrides> goOn(
      EffectBuilder<CatalogEvent, CatalogOverrides> effect, Execute waiting, Reply reply) {
    return effect.thenRun(_ -> waiting.replyTo().tell(reply)).thenUnstashAll();
  }

  private static Refused moved() {
    return new Refused(Reason.CATALOG_MOVED, "the catalog has just moved: ask again");
  }

  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(EVENTS_PER_SNAPSHOT, SNAPSHOTS_KEPT);
  }
}
