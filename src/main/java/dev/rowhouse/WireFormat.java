package dev.rowhouse;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.Serializer;
import dev.rowhouse.audit.AuditKeeper;
import dev.rowhouse.fairness.FairnessCoordinator;
import dev.rowhouse.fairness.FairnessSnapshot;
import dev.rowhouse.fairness.SlotHolder;
import dev.rowhouse.fairness.SlotOwner;
import dev.rowhouse.inference.RunControl;
import dev.rowhouse.inference.RunEvent;
import dev.rowhouse.inference.WorkerCommand;
import dev.rowhouse.retrieval.Retrieval;
import dev.rowhouse.serving.Census;
import dev.rowhouse.serving.TenantEntity;
import dev.rowhouse.serving.Throttle;
import dev.rowhouse.serving.Verdict;
import dev.rowhouse.tenant.Catalog;
import dev.rowhouse.tenant.CatalogKeeper;
import dev.rowhouse.tenant.TenantReply;
import dev.rowhouse.usage.LedgerReply;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.internal.adapter.ActorRefAdapter;
import org.apache.pekko.util.ByteString;

/**
 * What may travel between nodes. The protocols are listed here, once; every record and enumeration
 * that they reach belongs to it. {@link #VERSION} is a digest of all of that, so two nodes that
 * would read each other wrongly have different versions.
 */
final class WireFormat {
  /**
   * The roots of the protocols, in the order of the rooms. {@code conf/serialization.conf} binds
   * them.
   */
  static final List<Class<?>> PROTOCOLS =
      List.of(
          FairnessCoordinator.Command.class,
          FairnessCoordinator.Pong.class,
          FairnessSnapshot.class,
          SlotHolder.class,
          SlotOwner.SlotCommand.class,
          WorkerCommand.class,
          WorkerCommand.Description.class,
          WorkerCommand.Runs.class,
          RunEvent.class,
          RunControl.class,
          Catalog.class,
          CatalogKeeper.Command.class,
          CatalogKeeper.Reply.class,
          TenantReply.class,
          LedgerReply.class,
          TenantEntity.Command.class,
          TenantEntity.Authorization.class,
          Verdict.class,
          Throttle.Notice.class,
          Census.Command.class,
          Census.Answer.class,
          AuditKeeper.Command.class,
          AuditKeeper.Reply.class,
          Majority.Command.class);

  /** Every concrete type of ours that may be in a message, by name. */
  static final List<Class<?>> TYPES = types();

  static final String VERSION = version();

  private WireFormat() {}

  static void register(
      Kryo kryo, Serializer<ActorRef<?>> refs, Serializer<ByteString> byteStrings) {
    kryo.register(ActorRef.class, refs);
    kryo.register(ActorRefAdapter.class, refs);
    kryo.register(ByteString.class, byteStrings);
    for (Class<?> type : BYTE_STRINGS) {
      kryo.register(type, byteStrings);
    }
    kryo.register(byte[].class);
    kryo.register(Instant.class);
    kryo.register(Duration.class);
    kryo.register(ArrayList.class);
    kryo.register(HashMap.class);
    kryo.register(LinkedHashMap.class);
    kryo.register(HashSet.class);
    TYPES.forEach(kryo::register);
  }

  private static final List<Class<?>> BYTE_STRINGS =
      List.of(
          ByteString.ByteString1.class,
          ByteString.ByteString1C.class,
          ByteString.ByteStrings.class);

  private static List<Class<?>> types() {
    Map<String, Class<?>> found = new TreeMap<>();
    Set<Class<?>> seen = new HashSet<>();
    PROTOCOLS.forEach(root -> add(root, found, seen));
    Retrieval.wireTypes().forEach(type -> add(type, found, seen));
    return List.copyOf(found.values());
  }

  private static void add(Type type, Map<String, Class<?>> found, Set<Class<?>> seen) {
    switch (type) {
      case Class<?> plain -> addClass(plain, found, seen);
      case ParameterizedType generic -> {
        // What a reference may be sent is not in the message.
        if (generic.getRawType() != ActorRef.class) {
          add(generic.getRawType(), found, seen);
          for (Type argument : generic.getActualTypeArguments()) {
            add(argument, found, seen);
          }
        }
      }
      case WildcardType wildcard -> {
        for (Type bound : wildcard.getUpperBounds()) {
          add(bound, found, seen);
        }
      }
      case GenericArrayType array -> add(array.getGenericComponentType(), found, seen);
      default -> {}
    }
  }

  private static void addClass(Class<?> type, Map<String, Class<?>> found, Set<Class<?>> seen) {
    if (!type.getName().startsWith("dev.rowhouse.") || !seen.add(type)) {
      return;
    }
    if (type.isSealed()) {
      for (Class<?> permitted : type.getPermittedSubclasses()) {
        // What a room keeps to itself is said within one actor and never sent.
        if (Modifier.isPublic(permitted.getModifiers())) {
          add(permitted, found, seen);
        }
      }
    }
    if (type.isRecord()) {
      found.put(type.getName(), type);
      for (RecordComponent component : type.getRecordComponents()) {
        add(component.getGenericType(), found, seen);
      }
    } else if (type.isEnum()) {
      found.put(type.getName(), type);
    }
  }

  private static String version() {
    StringBuilder text = new StringBuilder();
    for (Class<?> type : TYPES) {
      text.append(type.getName());
      if (type.isRecord()) {
        for (RecordComponent component : type.getRecordComponents()) {
          text.append(' ').append(component.getName()).append(':');
          text.append(component.getGenericType().getTypeName());
        }
      } else {
        text.append(' ').append(Arrays.toString(type.getEnumConstants()));
      }
      text.append('\n');
    }
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
