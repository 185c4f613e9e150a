package peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;

/**
 * A record of `scans` (one object, or an array of them) → (person, entry) of each scan; an entry is what makes the scan
 * the scan that it is, but for its person: venue, time, direction, role. Jackson's streaming parser: no objects between.
 */
final class Scans {
  private static final JsonFactory JSON = new JsonFactory();
  /** Between the parts of a key; no code holds it. */
  static final char PART = '\0';

  private Scans() {}

  static List<KeyValue<byte[], byte[]>> read(byte[] value) {
    List<KeyValue<byte[], byte[]>> found = new ArrayList<>(value[0] == '[' ? 50 : 1);
    try (JsonParser in = JSON.createParser(value)) {
      JsonToken token = in.nextToken();
      if (token == JsonToken.START_ARRAY) {
        while (in.nextToken() == JsonToken.START_OBJECT) {
          found.add(one(in));
        }
      } else {
        found.add(one(in));
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return found;
  }

  private static KeyValue<byte[], byte[]> one(JsonParser in) throws IOException {
    String venue = null;
    String person = null;
    String at = null;
    char direction = 'i';
    char role = 'v';
    while (in.nextToken() == JsonToken.FIELD_NAME) {
      String name = in.currentName();
      in.nextToken();
      switch (name) {
        case "venue_id" -> venue = in.getText();
        case "person" -> person = in.getText();
        case "scanned_at" -> at = in.getText();
        case "direction" -> direction = in.getText().charAt(0);
        case "role" -> role = in.getText().charAt(0);
        default -> in.skipChildren();
      }
    }
    if (venue == null || person == null || at == null) {
      throw new IOException("a scan lacks a field");
    }
    return KeyValue.pair(bytes(person), bytes(venue + PART + at + direction + role));
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
