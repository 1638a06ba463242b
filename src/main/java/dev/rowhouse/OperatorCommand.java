package dev.rowhouse;

import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Commands that a running node carries out: {@code rowhouse reconcile}, {@code audit verify}. */
abstract class OperatorCommand implements Callable<Integer> {
  private static final String WHEN_AWAY =
      "Start one with 'rowhouse serve', or name another with --url or ROWHOUSE_OPERATOR_URL.";

  private final PrintStream out;
  private final PrintStream err;

  @Mixin private OperatorOptions operator = new OperatorOptions();

  OperatorCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /** Posts, and prints what comes: lines of JSON, or one object. */
  int post(String path) {
    try (InputStream answer =
            operator.client(WHEN_AWAY).post(path, new JsonMapper().createObjectNode());
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(answer, StandardCharsets.UTF_8))) {
      LinePrinter printer = new LinePrinter(out, err, operator.json());
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        printer.line(line);
      }
      return printer.end();
    } catch (IOException e) {
      throw new CommandFailure(1, "the answer broke off before its end: " + e.getMessage());
    }
  }

  @Command(
      name = "reconcile",
      description =
          "Compares journal, ledgers and the operator's usage tables, and repairs the tables.",
      footer = {
        "",
        "Examples",
        "  rowhouse reconcile",
        "  rowhouse reconcile --tenant acme --no-repair",
        "",
        "Exit codes: 0 no difference, 1 a difference or a journal that cannot be read, 2 usage"
      })
  static final class Reconcile extends OperatorCommand {
    @Option(names = "--tenant", paramLabel = "ID", description = "Only this tenant. Default: all.")
    private @Nullable String tenant;

    @Option(names = "--no-repair", description = "Only tell of differences.")
    private boolean noRepair;

    Reconcile(PrintStream out, PrintStream err) {
      super(out, err);
    }

    @Override
    public Integer call() {
      String query = noRepair ? "?repair=false" : "";
      if (tenant != null) {
        query +=
            (query.isEmpty() ? "?" : "&")
                + "tenant="
                + URLEncoder.encode(tenant, StandardCharsets.UTF_8);
      }
      return post("/admin/reconcile" + query);
    }
  }

  @Command(
      name = "verify",
      description = "Verifies the hash chain of the audit log: flipped, missing and cut entries.",
      footer = {
        "",
        "Examples",
        "  rowhouse audit verify",
        "",
        "Exit codes: 0 the chain is whole, 1 it is not, 2 usage"
      })
  static final class AuditVerify extends OperatorCommand {
    AuditVerify(PrintStream out, PrintStream err) {
      super(out, err);
    }

    @Override
    public Integer call() {
      return post("/admin/audit/verify");
    }
  }
}
