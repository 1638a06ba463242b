package dev.rowhouse;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Makes instances of records by their components: one as full as it can be, and one with everything
 * absent that may be, and empty collections.
 */
final class SampleValues {
  private static final int DEPTH_MAX = 12;
  private static final String ATTEMPT = "019ccd4e-0000-7000-8000-000000000001";

  private final List<Class<?>> known;
  private final ActorRef<?> ref;

  /**
   * With what it may choose from.
   *
   * @param known concrete types, from which one is taken where an open interface stands
   */
  SampleValues(List<Class<?>> known, ActorRef<?> ref) {
    this.known = known;
    this.ref = ref;
  }

  List<Object> of(Class<?> type) {
    if (type.isEnum()) {
      return List.of(type.getEnumConstants());
    }
    List<Object> samples = new ArrayList<>();
    for (int fullness = 0; fullness <= 3; fullness++) {
      Object sample = value(type, "", fullness, 0);
      if (sample == null) {
        throw new AssertionError("no sample of " + type);
      }
      samples.add(sample);
    }
    return samples;
  }

  private @Nullable Object value(Type type, String name, int fullness, int depth) {
    if (depth > DEPTH_MAX) {
      throw new AssertionError(type + " is endless");
    }
    if (depth > DEPTH_MAX / 2 && fullness > 0) {
      // What holds itself, as a filter does, ends in something that is empty.
      return value(type, name, 0, depth);
    }
    return switch (type) {
      case Class<?> plain -> plain(plain, name, fullness, depth);
      case ParameterizedType generic -> generic(generic, name, fullness, depth);
      case WildcardType wildcard -> value(wildcard.getUpperBounds()[0], name, fullness, depth);
      default -> throw new AssertionError("what is " + type);
    };
  }

  private @Nullable Object generic(ParameterizedType type, String name, int size, int depth) {
    Class<?> raw = (Class<?>) type.getRawType();
    Type[] of = type.getActualTypeArguments();
    if (raw == List.class) {
      List<Object> list = new ArrayList<>();
      for (int i = 0; i < size; i++) {
        list.add(value(of[0], name + i, size, depth + 1));
      }
      return List.copyOf(list);
    }
    if (raw == Set.class) {
      Set<Object> set = new LinkedHashSet<>();
      for (int i = 0; i < size; i++) {
        set.add(value(of[0], name + i, size, depth + 1));
      }
      return Set.copyOf(set);
    }
    if (raw == Map.class) {
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < size; i++) {
        Object key =
            of[0] == Long.class ? (Object) (long) i : value(of[0], name + i, size, depth + 1);
        map.put(key, value(of[1], name + i, size, depth + 1));
      }
      return Map.copyOf(map);
    }
    return plain(raw, name, size, depth);
  }

  private @Nullable Object plain(Class<?> type, String name, int fullness, int depth) {
    return switch (type.getName()) {
      case "java.lang.String" -> text(name);
      case "java.lang.Object" -> fullness % 2 == 0 ? "a value" : (Object) 1.5;
      case "[B" -> new byte[] {1, 2, (byte) fullness};
      case "int", "java.lang.Integer" -> name.equals("maxChunkSizeTokens") ? 200 : 3 + fullness;
      case "long", "java.lang.Long" -> 1_000_000_000_000L * fullness + 7;
      case "double", "java.lang.Double" -> 0.5 + fullness;
      case "float", "java.lang.Float" -> 0.25f;
      case "boolean", "java.lang.Boolean" -> fullness % 2 == 1;
      case "java.time.Instant" -> Instant.ofEpochSecond(1_700_000_000L, 123_456_789);
      case "java.time.Duration" -> Duration.ofMillis(12_345);
      case "java.util.UUID" -> UUID.fromString(ATTEMPT);
      case "org.apache.pekko.util.ByteString" ->
          ByteString.fromString("bytes").concat(ByteString.fromString("and more"));
      case "org.apache.pekko.actor.typed.ActorRef" -> ref;
      case "com.fasterxml.jackson.databind.JsonNode" -> JsonNodeFactory.instance.objectNode();
      case "dev.rowhouse.tenant.TenantId" -> new dev.rowhouse.tenant.TenantId("acme");
      default -> made(type, name, fullness, depth);
    };
  }

  /** Texts that a record checks have a shape. */
  private static String text(String name) {
    if (name.startsWith("attempt")) {
      return ATTEMPT;
    }
    return switch (name) {
      case "id" -> "000000000012";
      case "secretSha256" -> "ab".repeat(32);
      default -> "text of " + name + " \u00e9\u4e16";
    };
  }

  private @Nullable Object made(Class<?> type, String name, int fullness, int depth) {
    if (type.isEnum()) {
      Object[] all = type.getEnumConstants();
      return all[Math.floorMod(name.hashCode() + fullness, all.length)];
    }
    if (type.isRecord()) {
      return record(type, fullness, depth);
    }
    if (type.isSealed()) {
      Class<?>[] permitted = type.getPermittedSubclasses();
      List<Class<?>> usable = new ArrayList<>();
      for (Class<?> one : permitted) {
        if (known.isEmpty() || known.contains(one) || one.isSealed()) {
          usable.add(one);
        }
      }
      if (usable.isEmpty()) {
        throw new AssertionError("nothing that travels is a " + type);
      }
      return value(usable.get(Math.floorMod(fullness, usable.size())), name, fullness, depth + 1);
    }
    for (Class<?> one : known) {
      if (type.isInterface() && type.isAssignableFrom(one)) {
        return value(one, name, fullness, depth + 1);
      }
    }
    try {
      if (type.getConstructors().length == 1) {
        Constructor<?> constructor = type.getConstructors()[0];
        return constructor.newInstance(
            Arrays.stream(constructor.getParameters())
                .map(it -> value(it.getParameterizedType(), it.getName(), fullness, depth + 1))
                .toArray());
      }
      Constructor<?> constructor = type.getDeclaredConstructor();
      constructor.setAccessible(true);
      return constructor.newInstance();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("cannot make a sample of " + type, e);
    }
  }

  private Object record(Class<?> type, int fullness, int depth) {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types = new Class<?>[components.length];
    @Nullable Object[] values = new @Nullable Object[components.length];
    for (int i = 0; i < components.length; i++) {
      RecordComponent component = components[i];
      types[i] = component.getType();
      boolean absent = fullness == 0 && isNullable(component.getAnnotatedType());
      values[i] =
          absent
              ? null
              : value(component.getGenericType(), component.getName(), fullness, depth + 1);
    }
    try {
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw new AssertionError("a sample that " + type + " does not take", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("cannot make a sample of " + type, e);
    }
  }

  private static boolean isNullable(AnnotatedType type) {
    return type.isAnnotationPresent(Nullable.class);
  }
}
