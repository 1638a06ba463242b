import com.google.googlejavaformat.java.Main;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Runs google-java-format over every source below some directories: {@code check} names the files
 * that differ and lists them in a file of complaints, {@code apply} rewrites them. The build runs
 * it as a source file, with the formatter's jar on the class path.
 */
final class Format {
  private Format() {}

  public static void main(String[] args) throws Exception {
    boolean apply = args[0].equals("apply");
    Path complaint = Path.of(args[1]);
    List<String> sources = new ArrayList<>();
    for (String root : List.of(args).subList(2, args.length)) {
      sources.addAll(sourcesBelow(Path.of(root)));
    }
    StringWriter differing = new StringWriter();
    PrintWriter out = new PrintWriter(differing);
    PrintWriter err = new PrintWriter(System.err, true);
    int exit = new Main(out, err, System.in).format(arguments(apply, sources));
    out.flush();
    err.flush();
    Files.deleteIfExists(complaint);
    if (exit == 0) {
      return;
    }
    if (apply || differing.toString().isBlank()) {
      System.exit(1);
    }
    // The build fails on this file in its next step, with a message and without a stack trace.
    Files.writeString(complaint, differing.toString());
    differing.toString().lines().forEach(file -> System.err.println("not formatted: " + file));
  }

  private static String[] arguments(boolean apply, List<String> sources) {
    List<String> mode =
        apply ? List.of("--replace") : List.of("--dry-run", "--set-exit-if-changed");
    return Stream.concat(mode.stream(), sources.stream()).toArray(String[]::new);
  }

  private static List<String> sourcesBelow(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(file -> file.toString().endsWith(".java"))
          .filter(
              file -> !file.toString().contains(File.separator + "node_modules" + File.separator))
          .sorted()
          .map(Path::toString)
          .toList();
    }
  }
}
