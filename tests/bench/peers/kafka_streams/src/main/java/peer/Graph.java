package peer;

import java.util.Arrays;
import java.util.function.LongConsumer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Both directions of the contact graph. A scan comes without a key, so it goes to its person's partition first, where it
 * is new or known, and, when it is new, to its venue's. A key of either store is the whole scan: looks are prefix scans,
 * and a write is a put, never a list that is read, made longer and written (and logged) whole.
 */
final class Graph {
  static final String BY_PERSON = "by-person";
  static final String BY_VENUE = "by-venue";
  static final String VISITS = "visits";
  private static final byte[] THERE = {1};
  private static final Serde<byte[]> RAW = Serdes.ByteArray();

  private Graph() {}

  static void build(StreamsBuilder builder, String topic, int partitions, LongConsumer done) {
    // Every key is written once: a cache in front of these two would only be work.
    builder.addStateStore(scans(BY_PERSON));
    builder.addStateStore(scans(BY_VENUE));
    // A venue's number is written again and again: cached, it is logged once a commit.
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(VISITS), Serdes.Bytes(), Serdes.Long())
            .withCachingEnabled());
    builder.stream(topic, Consumed.with(RAW, RAW))
        .flatMap((key, value) -> Scans.read(value))
        .repartition(
            Repartitioned.<byte[], byte[]>as("person").withKeySerde(RAW).withValueSerde(RAW)
                .withNumberOfPartitions(partitions))
        .process(() -> new ByPerson(done), BY_PERSON)
        .repartition(
            Repartitioned.<byte[], byte[]>as("venue").withKeySerde(RAW).withValueSerde(RAW)
                .withNumberOfPartitions(partitions))
        .process(() -> new ByVenue(done), BY_VENUE, VISITS);
  }

  private static StoreBuilder<KeyValueStore<Bytes, byte[]>> scans(String name) {
    return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.Bytes(), RAW).withCachingDisabled();
  }

  /** `first`, a zero, and a part of `second`. */
  private static byte[] joined(byte[] first, byte[] second, int from, int to) {
    byte[] all = Arrays.copyOf(first, first.length + 1 + to - from);
    System.arraycopy(second, from, all, first.length + 1, to - from);
    return all;
  }

  private static int end(byte[] part) {
    int at = 0;
    while (part[at] != Scans.PART) {
      at++;
    }
    return at;
  }

  /** person → venue, time, direction, role: keeps it, or knows it. */
  private static final class ByPerson extends ContextualProcessor<byte[], byte[], byte[], byte[]> {
    private final LongConsumer done;
    private KeyValueStore<Bytes, byte[]> store;

    ByPerson(LongConsumer done) {
      this.done = done;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      super.init(context);
      store = context.getStateStore(BY_PERSON);
    }

    @Override
    public void process(Record<byte[], byte[]> scan) {
      byte[] person = scan.key();
      byte[] entry = scan.value();
      if (store.putIfAbsent(Bytes.wrap(joined(person, entry, 0, entry.length)), THERE) != null) {
        done.accept(1);
        return;
      }
      int venue = end(entry);
      byte[] rest = Arrays.copyOfRange(entry, venue + 1, entry.length);
      context().forward(scan.withKey(Arrays.copyOf(entry, venue)).withValue(joined(rest, person, 0, person.length)));
    }
  }

  /** venue → time, direction, role, person: keeps it and counts it. */
  private static final class ByVenue extends ContextualProcessor<byte[], byte[], Void, Void> {
    private final LongConsumer done;
    private KeyValueStore<Bytes, byte[]> store;
    private KeyValueStore<Bytes, Long> visits;

    ByVenue(LongConsumer done) {
      this.done = done;
    }

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      super.init(context);
      store = context.getStateStore(BY_VENUE);
      visits = context.getStateStore(VISITS);
    }

    @Override
    public void process(Record<byte[], byte[]> scan) {
      byte[] venue = scan.key();
      byte[] entry = scan.value();
      store.put(Bytes.wrap(joined(venue, entry, 0, entry.length)), THERE);
      Bytes counted = Bytes.wrap(venue);
      Long before = visits.get(counted);
      visits.put(counted, before == null ? 1 : before + 1);
      done.accept(1);
    }
  }
}
