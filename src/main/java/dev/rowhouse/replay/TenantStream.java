package dev.rowhouse.replay;

import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.UsageJournal;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/** The tenants of a replay, one after another, by id. */
final class TenantStream {
  private static final int PAGE = 500;

  private TenantStream() {}

  static Source<TenantId, NotUsed> of(
      UsageJournal journal, ReplayRequest.Scope scope, Progress progress) {
    if (!scope.tenants().isEmpty()) {
      progress.tenants(scope.tenants().size());
      return Source.from(scope.tenants().stream().sorted().toList());
    }
    return Source.lazyCompletionStage(
            () ->
                journal
                    .countTenants()
                    .thenApply(
                        count -> {
                          progress.tenants(count);
                          return count;
                        }))
        .flatMapConcat(ignored -> all(journal))
        .mapMaterializedValue(ignored -> NotUsed.getInstance());
  }

  /** What of the listing comes next: the tenants after the last one, or nothing. */
  private record Place(@Nullable TenantId after, boolean isEnd) {}

  private static Source<TenantId, NotUsed> all(UsageJournal journal) {
    return Source.unfoldAsync(new Place(null, false), place -> page(journal, place))
        .mapConcat(page -> page);
  }

  private static CompletionStage<Optional<Pair<Place, List<TenantId>>>> page(
      UsageJournal journal, Place place) {
    if (place.isEnd()) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    return journal
        .tenants(place.after(), PAGE)
        .thenApply(
            page ->
                Optional.of(
                    Pair.create(
                        page.size() < PAGE
                            ? new Place(null, true)
                            : new Place(page.getLast(), false),
                        page)));
  }
}
