package dev.rowhouse.tenant;

import dev.rowhouse.tenant.PromptShelf.History.Saved;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The prompt templates of one tenant with their latest versions. A name that was deleted goes on
 * counting when it comes back, so that {@code name@3} never means two texts.
 *
 * @param deleted the last version of names that are gone, the longest gone first
 */
public record PromptShelf(Map<String, History> histories, List<Deleted> deleted) {
  static final int PROMPTS_MAX = 50;

  /** Enough to compare and go back; older ones are in the journal. */
  static final int VERSIONS_MAX = 20;

  static final int TEMPLATE_LENGTH_MAX = 32_000;
  static final int NAME_LENGTH_MAX = 64;
  static final int DESCRIPTION_LENGTH_MAX = 500;

  /** A name that was deleted before so many others may count from 1 again. */
  private static final int DELETED_MAX = 100;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  static final PromptShelf EMPTY = new PromptShelf(Map.of(), List.of());

  public PromptShelf {
    histories = Map.copyOf(histories);
    deleted = List.copyOf(deleted);
  }

  /**
   * The versions of one prompt.
   *
   * @param versions at least one, the newest last
   */
  public record History(List<Saved> versions) {
    public History {
      versions = List.copyOf(versions);
    }

    /** One version and when it was saved. */
    public record Saved(PromptTemplate prompt, Instant savedAt) {}

    PromptTemplate newest() {
      return versions.getLast().prompt();
    }
  }

  /** A name that is gone. */
  public record Deleted(String name, int lastVersion) {}

  static boolean isName(String text) {
    return NAME.matcher(text).matches();
  }

  @Nullable PromptTemplate newest(String name) {
    History history = histories.get(name);
    return history == null ? null : history.newest();
  }

  Map<String, PromptTemplate> newestOfEach() {
    Map<String, PromptTemplate> newest = new HashMap<>();
    histories.forEach((name, history) -> newest.put(name, history.newest()));
    return newest;
  }

  /** The version that the next save of that name makes. */
  int nextVersion(String name) {
    PromptTemplate newest = newest(name);
    if (newest != null) {
      return newest.version() + 1;
    }
    return 1
        + deleted.stream()
            .filter(gone -> gone.name().equals(name))
            .mapToInt(Deleted::lastVersion)
            .max()
            .orElse(0);
  }

  PromptShelf with(PromptTemplate prompt, Instant savedAt) {
    History old = histories.get(prompt.name());
    List<Saved> versions = new ArrayList<>(old == null ? List.of() : old.versions());
    versions.add(new Saved(prompt, savedAt));
    int surplus = Math.max(0, versions.size() - VERSIONS_MAX);
    Map<String, History> changed = new HashMap<>(histories);
    changed.put(prompt.name(), new History(versions.subList(surplus, versions.size())));
    return new PromptShelf(changed, withoutDeleted(prompt.name()));
  }

  PromptShelf without(String name) {
    PromptTemplate newest = newest(name);
    if (newest == null) {
      return this;
    }
    Map<String, History> changed = new HashMap<>(histories);
    changed.remove(name);
    List<Deleted> gone = withoutDeleted(name);
    gone.add(new Deleted(name, newest.version()));
    int surplus = Math.max(0, gone.size() - DELETED_MAX);
    return new PromptShelf(changed, gone.subList(surplus, gone.size()));
  }

  private List<Deleted> withoutDeleted(String name) {
    List<Deleted> others = new ArrayList<>(deleted);
    others.removeIf(gone -> gone.name().equals(name));
    return others;
  }
}
