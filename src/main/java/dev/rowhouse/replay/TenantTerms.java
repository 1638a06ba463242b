package dev.rowhouse.replay;

import dev.rowhouse.fairness.Terms;
import dev.rowhouse.tenant.Limits;
import dev.rowhouse.tenant.Plan;
import dev.rowhouse.tenant.Reservation;
import dev.rowhouse.tenant.TenantProfile;
import org.jspecify.annotations.Nullable;

/**
 * On what terms a tenant comes into a what-if: those of its record and plan now, which are the
 * nearest thing to those of then.
 *
 * @param limitSlots requests in flight that it may have; absent: no limit
 * @param queueLengthMax requests that may wait
 * @param timeoutMillis how long one waits at most
 */
record TenantTerms(
    double weight,
    Reservation reservation,
    @Nullable Integer limitSlots,
    long queueLengthMax,
    long timeoutMillis) {

  static TenantTerms of(@Nullable TenantProfile profile, Plan plan) {
    Limits limits = profile == null ? plan.limits() : profile.limits().orElse(plan.limits());
    Double weight = profile == null ? null : profile.weight();
    Long concurrent = limits.concurrentRequests();
    Long queueLength = limits.queueLength();
    return new TenantTerms(
        weight == null ? plan.weight() : weight,
        profile == null ? Reservation.NONE : profile.reservation(),
        concurrent == null ? null : (int) Math.min(Integer.MAX_VALUE, concurrent),
        queueLength == null ? Long.MAX_VALUE : queueLength,
        plan.queueTimeoutMillis());
  }

  TenantTerms with(@Nullable Double otherWeight, @Nullable Reservation otherReservation) {
    return new TenantTerms(
        otherWeight == null ? weight : otherWeight,
        otherReservation == null ? reservation : otherReservation,
        limitSlots,
        queueLengthMax,
        timeoutMillis);
  }

  PoolTenant inPool(String name, boolean reserves) {
    return new PoolTenant(
        name,
        new Terms(
            weight,
            reserves ? reservation.slots() : 0,
            reserves ? reservation.share() : 0,
            limitSlots),
        queueLengthMax,
        timeoutMillis);
  }
}
