package dev.rowhouse.inference;

import static dev.rowhouse.inference.RunFixture.model;
import static dev.rowhouse.inference.RunFixture.order;

import com.sun.management.OperatingSystemMXBean;
import dev.rowhouse.tenant.ModelSpec;
import java.lang.management.ManagementFactory;
import java.util.concurrent.Semaphore;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.util.ByteString;

/**
 * A figure, not a test: CPU of the process per request through a run, next to Pekko's singleRequest
 * to the same upstream. The fake upstream's own CPU is in both.
 */
final class RunCost {
  private static final int ROUNDS = 5_000;

  private RunCost() {}

  public static void main(String[] args) throws Exception {
    ActorTestKit kit = ActorTestKit.create("RunCost");
    String answer =
        "{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\""
            + "word ".repeat(180)
            + "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":180,\"total_tokens\":189}}";
    try (FakeUpstream upstream = new FakeUpstream((_, wire) -> wire.json(200, answer))) {
      RunFixture fixture = new RunFixture(kit);
      Runs runs = fixture.runs();
      RunOrder order = order(model("big", ModelSpec.OPENAI, upstream.baseUrl())).build();
      ByteString body = ByteString.fromString(RunFixture.QUESTION);
      Semaphore inFlight = new Semaphore(16);
      ActorRef<RunNote> worker = kit.spawn(Behaviors.<RunNote>empty());
      Behavior<RunEvent> gateway =
          Behaviors.receiveMessage(
              event -> {
                switch (event) {
                  case RunEvent.PullBody pull ->
                      pull.run().tell(new RunControl.Body(0, body, true));
                  case RunEvent.Ended _ -> {
                    inFlight.release();
                    return Behaviors.stopped();
                  }
                  case RunEvent.Pieces _ -> {}
                  case RunEvent.TicketRefused _, RunEvent.WorkerFailed _ -> {}
                }
                return Behaviors.same();
              });
      for (int round = 0; round < 6; round++) {
        report(
            "run",
            inFlight,
            () -> {
              RunOrder fresh = order(order.model()).build();
              kit.spawn(runs.create(fresh, kit.spawn(gateway), worker));
            });
        report(
            "singleRequest",
            inFlight,
            () -> {
              var _ =
                  Http.get(kit.system())
                      .singleRequest(
                          HttpRequest.POST(upstream.baseUrl() + "/chat/completions")
                              .withEntity(ContentTypes.APPLICATION_JSON, body))
                      .thenCompose(r -> r.entity().toStrict(5_000, kit.system()))
                      .whenComplete((_, _) -> inFlight.release());
            });
      }
    }
    kit.shutdownTestKit();
  }

  private static void report(String name, Semaphore inFlight, Runnable one)
      throws InterruptedException {
    OperatingSystemMXBean os = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long cpu = os.getProcessCpuTime();
    long wall = System.nanoTime();
    for (int i = 0; i < ROUNDS; i++) {
      inFlight.acquire();
      one.run();
    }
    inFlight.acquire(16);
    inFlight.release(16);
    System.out.printf(
        "%s: %d us CPU a request, %d requests/s%n",
        name,
        (os.getProcessCpuTime() - cpu) / ROUNDS / 1000,
        ROUNDS * 1_000_000_000L / (System.nanoTime() - wall));
  }
}
