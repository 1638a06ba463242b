package dev.rowhouse;

import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The actor system that the tests of one class share: a static {@code @RegisterExtension}.
 *
 * <p>It starts when first used and stops after the class; a test of the class that runs again later
 * in the same process, as a failed one does, finds a new one.
 */
public final class SharedKit implements AfterAllCallback {
  private final Supplier<ActorTestKit> start;
  private @Nullable ActorTestKit kit;

  public SharedKit(Supplier<ActorTestKit> start) {
    this.start = start;
  }

  public SharedKit() {
    this(ActorTestKit::create);
  }

  public synchronized ActorTestKit get() {
    if (kit == null) {
      kit = start.get();
    }
    return kit;
  }

  @Override
  public synchronized void afterAll(ExtensionContext context) {
    if (kit != null) {
      kit.shutdownTestKit();
      kit = null;
    }
  }

  public ActorSystem<Void> system() {
    return get().system();
  }

  public <T> ActorRef<T> spawn(Behavior<T> behavior) {
    return get().spawn(behavior);
  }

  public <T> ActorRef<T> spawn(Behavior<T> behavior, String name) {
    return get().spawn(behavior, name);
  }

  public void stop(ActorRef<?> actor) {
    get().stop(actor);
  }

  public <T> TestProbe<T> createTestProbe() {
    return get().createTestProbe();
  }

  public <T> TestProbe<T> createTestProbe(Class<T> type) {
    return get().createTestProbe(type);
  }

  public <T> TestProbe<T> createTestProbe(String name) {
    return get().createTestProbe(name);
  }

  public <T> TestProbe<T> createTestProbe(String name, Class<T> type) {
    return get().createTestProbe(name, type);
  }
}
