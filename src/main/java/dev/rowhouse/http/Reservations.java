package dev.rowhouse.http;

import dev.rowhouse.serving.Refusal;
import dev.rowhouse.serving.Refusals;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.TenantPort;
import dev.rowhouse.tenant.CatalogKeeper;
import dev.rowhouse.tenant.ReservationClaim;
import dev.rowhouse.tenant.TenantCommand;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.tenant.TenantPatch;
import dev.rowhouse.tenant.TenantProfile;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.tenant.TenantSpecReader;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.jspecify.annotations.Nullable;

/**
 * What operators reserve for tenants, claimed at the keeper of the house's book before a tenant's
 * record is changed, and brought in line with the record after it. A change that ends half-way
 * leaves a claim that the next change of that tenant corrects.
 */
final class Reservations {
  private final ActorSystem<?> system;
  private final ActorRef<CatalogKeeper.Command> keeper;
  private final TenantPort tenants;
  private final Duration askTimeout;

  Reservations(
      ActorSystem<?> system,
      ActorRef<CatalogKeeper.Command> keeper,
      TenantPort tenants,
      Duration askTimeout) {
    this.system = system;
    this.keeper = keeper;
    this.tenants = tenants;
    this.askTimeout = askTimeout;
  }

  /**
   * How a claim went.
   *
   * @param made whether the book may have changed
   * @param refusal absent: it fits
   */
  record Claim(boolean made, @Nullable Refusal refusal) {
    static final Claim NOTHING = new Claim(false, null);
  }

  CompletionStage<Claim> claim(
      String requestId, TenantId tenant, @Nullable ReservationClaim claim) {
    return claim == null
        ? CompletableFuture.completedFuture(Claim.NOTHING)
        : ask(new CatalogKeeper.Reserve(requestId + "/reserve", tenant, claim, workers()))
            .handle(
                (reply, failure) -> {
                  if (reply == null) {
                    return new Claim(true, Refusals.journalUnavailable(1_000));
                  }
                  return switch (reply) {
                    case CatalogKeeper.Done _ -> new Claim(true, null);
                    case CatalogKeeper.Refused refused -> new Claim(false, refusal(refused));
                  };
                });
  }

  /** Claims what the tenant would have after a patch; most patches have nothing to do with it. */
  CompletionStage<Claim> claim(String requestId, TenantId tenant, TenantPatch patch) {
    return TenantSpecReader.touchesReservation(patch)
        ? profile(tenant)
            .thenCompose(
                profile ->
                    claim(
                        requestId,
                        tenant,
                        profile == null ? null : TenantSpecReader.claimAfter(profile, patch)))
        : CompletableFuture.completedFuture(Claim.NOTHING);
  }

  /**
   * Brings the book in line with the record. The operator's answer waits for it when something is
   * reserved, so that who asks next sees it.
   */
  CompletionStage<Void> settle(String requestId, Claim claim, TenantReply reply) {
    return switch (reply) {
      case TenantReply.Onboarded onboarded -> align(requestId, claim, onboarded.profile());
      case TenantReply.ProfileIs is -> align(requestId, claim, is.profile());
      default -> CompletableFuture.completedFuture(null);
    };
  }

  /** The record refused: what it has is what it had. */
  CompletionStage<Void> undo(String requestId, Claim claim, TenantId tenant) {
    return claim.made()
        ? profile(tenant)
            .thenCompose(
                profile ->
                    profile == null
                        ? done(ask(new CatalogKeeper.Align(requestId + "/undo", tenant, null, 0)))
                        : align(requestId, claim, profile))
        : CompletableFuture.completedFuture(null);
  }

  /** An id is never given again, so nothing comes after this. */
  CompletionStage<Void> release(String requestId, TenantId tenant) {
    return done(ask(new CatalogKeeper.Align(requestId + "/release", tenant, null, Long.MAX_VALUE)));
  }

  private CompletionStage<Void> align(String requestId, Claim claim, TenantProfile profile) {
    ReservationClaim has = ReservationClaim.of(profile);
    CompletionStage<CatalogKeeper.Reply> answer =
        ask(
            new CatalogKeeper.Align(
                requestId + "/align", profile.tenant(), has, profile.version()));
    return has == null && !claim.made() ? CompletableFuture.completedFuture(null) : done(answer);
  }

  private CompletionStage<@Nullable TenantProfile> profile(TenantId tenant) {
    return tenants
        .<TenantReply>ask(
            tenant, replyTo -> new TenantEntity.Administer(new TenantCommand.GetProfile(), replyTo))
        .handle(
            (reply, failure) -> reply instanceof TenantReply.ProfileIs is ? is.profile() : null);
  }

  private CompletionStage<CatalogKeeper.Reply> ask(CatalogKeeper.Change change) {
    return AskPattern.ask(
        keeper,
        replyTo -> new CatalogKeeper.Execute(change, replyTo),
        askTimeout,
        system.scheduler());
  }

  private static CompletionStage<Void> done(CompletionStage<CatalogKeeper.Reply> answer) {
    return answer.handle((reply, failure) -> null);
  }

  private int workers() {
    int workers = 0;
    for (Member member : Cluster.get(system).state().getMembers()) {
      if (member.hasRole("worker") && member.status().equals(MemberStatus.up())) {
        workers++;
      }
    }
    return workers;
  }

  private static Refusal refusal(CatalogKeeper.Refused refused) {
    int status = refused.reason().httpStatus();
    return switch (refused.reason()) {
      case DOES_NOT_FIT, TOO_MANY ->
          new Refusal(
              status,
              refused.reason().code(),
              "reservation " + refused.message() + ".",
              "reservation",
              0,
              false);
      case NOT_FOUND, DEFINED_IN_CONF, CATALOG_MOVED, JOURNAL_UNAVAILABLE ->
          new Refusal(status, refused.reason().code(), refused.message(), null, 1_000, true);
    };
  }
}
