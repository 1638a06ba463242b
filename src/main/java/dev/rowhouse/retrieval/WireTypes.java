package dev.rowhouse.retrieval;

import dev.rowhouse.tenant.TenantId;
import java.util.ArrayList;
import java.util.List;

/** Every concrete type of this room that may be inside a message between nodes. */
final class WireTypes {
  static final List<Class<?>> ALL = all();

  private WireTypes() {}

  private static List<Class<?>> all() {
    List<Class<?>> types = new ArrayList<>();
    addConcrete(KnowledgeEntity.Request.class, types);
    addConcrete(KnowledgeReply.class, types);
    addConcrete(AttributeFilter.class, types);
    types.addAll(
        List.of(
            KnowledgeEntity.Retire.class,
            AttributeFilter.Operator.class,
            ChunkingStrategy.class,
            Extract.class,
            Extract.Sentence.class,
            FileBatch.class,
            FileCounts.class,
            FileError.class,
            FileStatus.class,
            PageRequest.class,
            Passage.class,
            SearchResult.class,
            StoreFile.class,
            StoredFile.class,
            TenantHandle.class,
            TenantId.class,
            VectorStore.class));
    return List.copyOf(types);
  }

  /** The records below a sealed interface, in the order in which it permits them. */
  private static void addConcrete(Class<?> type, List<Class<?>> types) {
    if (type.isSealed()) {
      for (Class<?> permitted : type.getPermittedSubclasses()) {
        addConcrete(permitted, types);
      }
    } else if (!types.contains(type)) {
      types.add(type);
    }
  }
}
