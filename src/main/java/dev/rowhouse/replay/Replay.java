package dev.rowhouse.replay;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.rowhouse.tenant.TenantId;
import dev.rowhouse.usage.Survey;
import dev.rowhouse.usage.UsageJournal;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.NotUsed;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.Graph;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.javadsl.Source;

/**
 * One replay that runs: what all kinds share. Its stages run one after another, so it needs no
 * locks.
 */
final class Replay {
  /** Names in the last line; all are in the lines before. */
  private static final int NAMED_MAX = 100;

  final UsageJournal journal;
  final ReplayHouse house;
  final Progress progress;
  private final List<String> incomplete = new ArrayList<>();
  private final List<String> different = new ArrayList<>();
  private long incompleteCount;
  private long differentCount;

  Replay(UsageJournal journal, ReplayHouse house, Progress progress) {
    this.journal = journal;
    this.house = house;
    this.progress = progress;
  }

  boolean isComplete() {
    return incompleteCount == 0;
  }

  boolean isEqual() {
    return differentCount == 0;
  }

  void incomplete(TenantId tenant) {
    incompleteCount++;
    name(incomplete, tenant.value());
  }

  void different(TenantId tenant) {
    differentCount++;
    name(different, tenant.value());
  }

  private static void name(List<String> names, String tenant) {
    if (names.size() < NAMED_MAX && !names.contains(tenant)) {
      names.add(tenant);
    }
  }

  void surveyed(Survey survey) {
    if (!survey.isWhole()) {
      incomplete(survey.tenant());
    }
  }

  /** Those lines of a tenant; when its journal cannot be read, a line that says so. */
  Source<ObjectNode, NotUsed> guarded(TenantId tenant, Source<ObjectNode, NotUsed> lines) {
    return lines
        .recoverWithRetries(
            1,
            new PFBuilder<Throwable, Graph<SourceShape<ObjectNode>, NotUsed>>()
                .match(
                    Throwable.class,
                    failure ->
                        failure instanceof ReplayProblem
                            ? Source.failed(failure)
                            : Source.single(failed(tenant, failure)))
                .build())
        .concatLazy(
            Source.lazySource(
                () -> {
                  progress.tenantDone();
                  return Source.<ObjectNode>empty();
                }));
  }

  private ObjectNode failed(TenantId tenant, Throwable failure) {
    incomplete(tenant);
    ObjectNode line = Json.object();
    line.putObject("failed")
        .put("tenant", tenant.value())
        .put("reason", String.valueOf(failure.getMessage()));
    return line;
  }

  /** The last line. */
  ObjectNode end() {
    ObjectNode line = Json.object();
    ObjectNode end = line.putObject("end");
    progress.add(end);
    end.remove("tenants_done");
    end.put("tenants", progress.tenantsDone());
    end.put("seconds", Math.round(progress.seconds() * 1000) / 1000.0);
    end.put("complete", isComplete()).put("equal", isEqual());
    names(end, "incomplete_tenants", incomplete);
    names(end, "different_tenants", different);
    return line;
  }

  private static void names(ObjectNode end, String field, List<String> names) {
    if (!names.isEmpty()) {
      ArrayNode all = end.putArray(field);
      names.forEach(all::add);
    }
  }
}
