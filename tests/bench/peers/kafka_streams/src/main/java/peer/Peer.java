package peer;

import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;

/**
 * The program: prints a line when a number of scans that somebody waits for (PEER_MARKS) has gone through the whole
 * topology, and after the last of them `kept P V N`: scans by person, by venue, counted by venue.
 */
public final class Peer {
  private Peer() {}

  public static void main(String[] arguments) throws InterruptedException {
    Map<String, String> environment = System.getenv();
    long[] marks = Arrays.stream(environment.get("PEER_MARKS").split(",")).mapToLong(Long::parseLong).toArray();
    CountDownLatch all = new CountDownLatch(1);
    AtomicLong done = new AtomicLong();
    StreamsBuilder builder = new StreamsBuilder();
    Graph.build(builder, environment.get("PEER_TOPIC"), Integer.parseInt(environment.get("PEER_PARTITIONS")), n -> {
      long now = done.addAndGet(n);
      for (long mark : marks) {
        if (now == mark) {
          say(Long.toString(mark));
        }
      }
      if (now == marks[marks.length - 1]) {
        all.countDown();
      }
    });
    Properties settings = settings(environment);
    KafkaStreams streams = new KafkaStreams(builder.build(settings), settings);
    streams.setUncaughtExceptionHandler(error -> {
      error.printStackTrace();
      // Half a peer would be measured as a slow one.
      Runtime.getRuntime().halt(1);
      return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(java.time.Duration.ofSeconds(10))));
    streams.start();
    all.await();
    Thread.sleep(500); // the mark is read and the clock stopped before this counts
    say("kept " + size(streams, Graph.BY_PERSON) + " " + size(streams, Graph.BY_VENUE) + " " + counted(streams));
    new CountDownLatch(1).await();
  }

  /** As one would set it for throughput; whatever is not here is the default. */
  private static Properties settings(Map<String, String> environment) {
    Properties all = new Properties();
    all.put(StreamsConfig.APPLICATION_ID_CONFIG, environment.get("PEER_GROUP"));
    all.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, environment.get("PEER_KAFKA"));
    all.put(StreamsConfig.STATE_DIR_CONFIG, environment.get("PEER_STATE"));
    all.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, environment.getOrDefault("PEER_THREADS", "2"));
    all.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
    all.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    all.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
    all.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1_000);
    all.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 << 20);
    all.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 5_000);
    all.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
    all.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    all.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    // It sleeps while its load is published, and must not be thrown out for that.
    all.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 900_000);
    all.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG), 3_600_000);
    all.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 20);
    all.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
    all.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    all.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L << 20);
    return all;
  }

  private static <V> ReadOnlyKeyValueStore<Bytes, V> store(KafkaStreams streams, String name) {
    return streams.store(StoreQueryParameters.fromNameAndType(name, QueryableStoreTypes.keyValueStore()));
  }

  private static long size(KafkaStreams streams, String name) {
    long n = 0;
    try (KeyValueIterator<Bytes, byte[]> all = Peer.<byte[]>store(streams, name).all()) {
      for (; all.hasNext(); all.next()) {
        n++;
      }
    }
    return n;
  }

  private static long counted(KafkaStreams streams) {
    long n = 0;
    try (KeyValueIterator<Bytes, Long> all = Peer.<Long>store(streams, Graph.VISITS).all()) {
      while (all.hasNext()) {
        n += all.next().value;
      }
    }
    return n;
  }

  /** In one write: two threads may have something to say. */
  private static void say(String line) {
    System.out.print(line + "\n");
    System.out.flush();
  }
}
