package dev.rowhouse.retrieval;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;

/** From a file's bytes to its text: UTF-8, or UTF-16 with a byte order mark. */
final class TextDecoding {
  private static final Set<String> MARKDOWN = Set.of("md", "markdown", "mdx", "mkd");
  // Formats that hold text which is not their bytes; their raw bytes would be noise in an index.
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "pdf", "doc", "docx", "ppt", "pptx", "xls", "xlsx", "odt", "ods", "odp", "rtf", "html",
          "htm", "epub", "zip", "gz", "tar", "png", "jpg", "jpeg", "gif", "webp", "mp3", "mp4",
          "wav", "exe", "jar", "class", "bin");

  record Text(String text, boolean markdown) {}

  /** The file cannot be read; the error is for its owner. */
  static final class Rejected extends Exception {
    private final FileError error;

    Rejected(FileError error) {
      super(error.message());
      this.error = error;
    }

    FileError error() {
      return error;
    }
  }

  private TextDecoding() {}

  static Text decode(String filename, byte[] bytes) throws Rejected {
    String extension = extension(filename);
    if (UNSUPPORTED.contains(extension)) {
      throw new Rejected(
          FileError.unsupported(
              "." + extension + " files are not supported; text and Markdown are"));
    }
    String text = decode(bytes);
    if (text.indexOf('\0') >= 0) {
      throw new Rejected(FileError.unsupported("the file is binary; text and Markdown are read"));
    }
    if (text.isBlank()) {
      throw new Rejected(FileError.invalid("the file has no text"));
    }
    return new Text(text, MARKDOWN.contains(extension));
  }

  private static String extension(String filename) {
    int dot = filename.lastIndexOf('.');
    return dot < 0 ? "" : filename.substring(dot + 1).toLowerCase(Locale.ROOT);
  }

  private static String decode(byte[] bytes) throws Rejected {
    if (startsWith(bytes, 0xef, 0xbb, 0xbf)) {
      return decode(ByteBuffer.wrap(bytes, 3, bytes.length - 3), StandardCharsets.UTF_8);
    }
    if (startsWith(bytes, 0xfe, 0xff) || startsWith(bytes, 0xff, 0xfe)) {
      return decode(ByteBuffer.wrap(bytes), StandardCharsets.UTF_16);
    }
    if (startsWith(bytes, '%', 'P', 'D', 'F') || startsWith(bytes, 'P', 'K', 3, 4)) {
      throw new Rejected(FileError.unsupported("the content is not text, whatever its name"));
    }
    return decode(ByteBuffer.wrap(bytes), StandardCharsets.UTF_8);
  }

  private static String decode(ByteBuffer bytes, Charset charset) throws Rejected {
    try {
      return charset
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(bytes)
          .toString();
    } catch (CharacterCodingException e) {
      throw new Rejected(FileError.invalid("the file is not " + charset + " text"));
    }
  }

  private static boolean startsWith(byte[] bytes, int... prefix) {
    if (bytes.length < prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if ((bytes[i] & 0xff) != prefix[i]) {
        return false;
      }
    }
    return true;
  }
}
