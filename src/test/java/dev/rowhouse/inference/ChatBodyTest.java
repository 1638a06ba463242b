package dev.rowhouse.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatBodyTest {
  private static ChatBody parse(String json) throws BadBody {
    return ChatBody.parse(ByteString.fromString(json));
  }

  @Test
  void whatWeDoNotKnowIsPassedOnAsItStands() throws BadBody {
    ChatBody body =
        parse(
            "{ \"model\":\"m\", \"messages\": [ {\"role\":\"user\",\"content\":\"\\u00e9 \"} ],\n"
                + " \"temperature\":1.50, \"rowhouse\":{\"cache\":false},"
                + " \"stream\":true,\"x\":null}");
    assertEquals(
        "{\"model\":\"alias\",\"messages\":[ {\"role\":\"user\",\"content\":\"\\u00e9 \"}"
            + " ],\"temperature\":1.50,\"x\":null}",
        body.forUpstream("alias", false, "").utf8String());
  }

  @Test
  void aStreamAlwaysAsksForUsageAndKeepsOtherOptions() throws BadBody {
    String messages = "\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]";
    assertEquals(
        "{\"model\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
            + messages
            + "}",
        parse("{" + messages + "}").forUpstream("a", true, "").utf8String());
    assertEquals(
        "{\"model\":\"a\",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false,\"include_usage\":true},"
            + messages
            + "}",
        parse("{\"stream_options\":{\"include_obfuscation\":false}," + messages + "}")
            .forUpstream("a", true, "")
            .utf8String());
  }

  @Test
  void theLastOfTwoMembersWithTheSameNameCounts() throws BadBody {
    assertEquals(
        "{\"model\":\"a\",\"messages\":[2]}",
        parse("{\"messages\":[1],\"messages\":[2]}").forUpstream("a", false, "").utf8String());
  }

  @Test
  void theQuestionIsTheTextOfTheLastUserMessage() throws BadBody {
    assertEquals(
        "b\nc",
        parse(
                "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":"
                    + "[{\"type\":\"text\",\"text\":\"b\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"x\"}},"
                    + "{\"type\":\"text\",\"text\":\"c\"}]},{\"role\":\"assistant\",\"content\":\"d\"}]}")
            .lastUserText());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{}",
        "{\"messages\":[1]} {}",
        "{\"messages\":[1],}",
        "{\"messages\":[\"\u0001\"]}",
        "nul",
      })
  void aBodyThatIsNoChatRequestIsRefused(String json) {
    assertThrows(BadBody.class, () -> parse(json));
  }

  @Test
  void nestingIsBounded() throws BadBody {
    parse("{\"messages\":" + "[".repeat(63) + "]".repeat(63) + "}");
    assertThrows(
        BadBody.class, () -> parse("{\"messages\":" + "[".repeat(64) + "]".repeat(64) + "}"));
  }
}
