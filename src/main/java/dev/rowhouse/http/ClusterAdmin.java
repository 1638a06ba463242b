package dev.rowhouse.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSnapshot;
import dev.rowhouse.serving.Refusals;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** {@code /admin/cluster} and {@code /admin/fairness}: who is here, and how capacity is shared. */
final class ClusterAdmin {
  private static final int TENANTS_DEFAULT = 100;

  private final ActorSystem<?> system;
  private final ActorRef<FairnessCoordinator.Command> coordinator;
  private final Duration askTimeout;

  ClusterAdmin(
      ActorSystem<?> system,
      ActorRef<FairnessCoordinator.Command> coordinator,
      Duration askTimeout) {
    this.system = system;
    this.coordinator = coordinator;
    this.askTimeout = askTimeout;
  }

  CompletionStage<HttpResponse> cluster(Call call) {
    Cluster cluster = Cluster.get(system);
    ObjectNode body = Json.object();
    body.put("self", cluster.selfMember().address().toString());
    var members = body.putArray("members");
    for (Member member : cluster.state().getMembers()) {
      ObjectNode one =
          members
              .addObject()
              .put("address", member.address().toString())
              .put("status", member.status().toString().toLowerCase(java.util.Locale.ROOT));
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
    return CompletableFuture.completedFuture(Replies.json(200, body));
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
