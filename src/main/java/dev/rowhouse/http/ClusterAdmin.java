package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSnapshot;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.serving.Workers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.jspecify.annotations.Nullable;

/** {@code /admin/cluster} and {@code /admin/fairness}: who is here, and how capacity is shared. */
final class ClusterAdmin {
  private static final int TENANTS_DEFAULT = 100;

  private final ActorSystem<?> system;
  private final Workers workers;
  private final ActorRef<FairnessCoordinator.Command> coordinator;
  private final BooleanSupplier majority;
  private final Duration askTimeout;

  ClusterAdmin(
      ActorSystem<?> system,
      ActorRef<FairnessCoordinator.Command> coordinator,
      BooleanSupplier majority,
      Duration askTimeout) {
    this.system = system;
    this.majority = majority;
    this.workers = new Workers(system, askTimeout);
    this.coordinator = coordinator;
    this.askTimeout = askTimeout;
  }

  CompletionStage<HttpResponse> cluster(Call call) {
    Cluster cluster = Cluster.get(system);
    ObjectNode body = Json.object();
    body.put("self", cluster.selfMember().address().toString());
    body.put("oldest", oldest(cluster));
    body.put("majority", majority.getAsBoolean());
    var members = body.putArray("members");
    for (Member member : cluster.state().getMembers()) {
      ObjectNode one =
          members
              .addObject()
              .put("address", member.address().toString())
              .put("status", member.status().toString().toLowerCase(java.util.Locale.ROOT))
              .put("version", member.appVersion().toString());
      var roles = one.putArray("roles");
      member.getRoles().stream()
          .filter(role -> !role.startsWith("dc-"))
          .sorted()
          .forEach(roles::add);
    }
    var unreachable = body.putArray("unreachable");
    cluster
        .state()
        .getUnreachable()
        .forEach(member -> unreachable.add(member.address().toString()));
    return workers
        .all()
        .handle(
            (views, failure) -> {
              var all = body.putArray("workers");
              if (views != null) {
                views.forEach(view -> all.add(json(view)));
              }
              return Replies.json(200, body);
            });
  }

  /** Where the singletons are, unless they are on their way; absent: nowhere. */
  private static @Nullable String oldest(Cluster cluster) {
    Member oldest = null;
    for (Member member : cluster.state().getMembers()) {
      if (member.hasRole("tenant")
          && member.status().equals(MemberStatus.up())
          && (oldest == null || member.isOlderThan(oldest))) {
        oldest = member;
      }
    }
    return oldest == null ? null : oldest.address().toString();
  }

  private static ObjectNode json(Workers.View view) {
    ObjectNode worker =
        Json.object()
            .put("worker", view.worker())
            .put("incarnation", view.incarnation())
            .put("restarts", view.restarts())
            .put("running", view.running())
            .put("settlements_pending", view.settlementsPending());
    ObjectNode slots = worker.putObject("slots");
    view.slots().forEach(slots::put);
    ObjectNode refused = worker.putObject("tickets_refused");
    view.ticketsRefused().forEach(refused::put);
    var endpoints = worker.putArray("endpoints");
    for (Workers.Endpoint endpoint : view.endpoints()) {
      endpoints
          .addObject()
          .put("model", endpoint.model())
          .put("state", endpoint.state())
          .put("throttled", endpoint.throttled())
          .put("reopens_in_ms", endpoint.reopensInMillis())
          .put("calls", endpoint.calls())
          .put("failures", endpoint.failures())
          .put("opened_total", endpoint.openedTotal());
    }
    return worker;
  }

  CompletionStage<HttpResponse> fairness(Call call) {
    int offset;
    int limit;
    try {
      offset = number(call, "offset", 0);
      limit = number(call, "limit", TENANTS_DEFAULT);
    } catch (NumberFormatException e) {
      return CompletableFuture.completedFuture(
          Replies.problem(
              Replies.badRequest("limit", "offset and limit must be whole numbers from 0.")));
    }
    return AskPattern.<FairnessCoordinator.Command, FairnessSnapshot>ask(
            coordinator,
            replyTo -> new FairnessCoordinator.Snapshot(offset, limit, replyTo),
            askTimeout,
            system.scheduler())
        .handle(
            (snapshot, failure) ->
                snapshot == null
                    ? Replies.problem(
                        Refusals.noCapacity("The fairness coordinator does not answer."))
                    : Replies.json(200, json(snapshot)));
  }

  private static int number(Call call, String name, int otherwise) {
    String text = call.query(name);
    return text == null ? otherwise : Integer.parseUnsignedInt(text);
  }

  private static ObjectNode json(FairnessSnapshot snapshot) {
    ObjectNode body =
        Json.object().put("epoch", snapshot.epoch()).put("messages", snapshot.messages());
    var pools = body.putArray("pools");
    for (FairnessSnapshot.PoolView pool : snapshot.pools()) {
      ObjectNode one =
          pools
              .addObject()
              .put("pool", pool.pool())
              .put("epoch", snapshot.epoch())
              .put("workers", pool.workers())
              .put("slots", pool.slots())
              .put("free", pool.free())
              .put("slots_total", pool.slotsTotal())
              .put("slots_small", pool.smallSlots())
              .put("cost_per_second", pool.costPerSecond())
              .put("queue", pool.backlog())
              .put("tenants_total", pool.tenantsTotal());
      var tenants = one.putArray("tenants");
      for (FairnessSnapshot.TenantView tenant : pool.tenants()) {
        tenants
            .addObject()
            .put("tenant", tenant.tenant())
            .put("weight", tenant.weight())
            .put("entitlement", tenant.entitlement())
            .put("share", tenant.share())
            .put("counter", tenant.counter())
            .put("served_reserved", tenant.apart())
            .put("queue", tenant.pending())
            .put("oldest_wait_ms", tenant.oldestWaitMillis())
            .put("mean_wait_ms", tenant.meanWaitMillis())
            .put("held", tenant.held())
            .put("running", tenant.running())
            .put("reservation_slots", tenant.reservationSlots())
            .put("reservation_share", tenant.reservationShare())
            .put("limit_slots", tenant.limitSlots());
      }
    }
    return body;
  }
}
