"""The adversary: the real state and step code over stand-ins of Kafka and a real Redis, in an order chosen by a seed.

    loop.py       an asyncio loop without real time: it runs what is ready, then asks the scheduler
    scheduler.py  effects that wait, and who of them happens next
    kafka.py      topics, offsets, transactions, fencing, in memory, with no waiting of their own
    redis.py      one real redis-server per history, spoken to synchronously; its lost second
    ports.py      Store, Log and Clock of one simulated worker over these
    process.py    a worker process: takes partitions, cuts batches, dies
    group.py      who has which partition, and zombies who do not know it yet
    faults.py     what goes wrong, and when (mishaps.py: how)
    worlds.py     small dense worlds of messages (makers.py, badmessages.py, policies.py)
    deliveries.py when and how often they arrive
    history.py    one seed: a world, its messages, its faults, until quiet
    checks.py     what must hold then (outcomes.py: against the brute force)
    controls.py   the same code with one order turned round: the checks must catch each
    running.py    many seeds, the report of one that failed, shrinking

`python -m tests.simulation SEED --trace` runs one history again.
"""
