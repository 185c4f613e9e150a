"""PostgreSQL as a peer of `truyvet bench case`, run by the Python of .peers/venv (console/bench/sql_peers.py).

Visits have a range, and a GiST index on venue and range (btree_gist); a B-tree finds a case's own. What autovacuum
would do some time later is done at the end of the load.
"""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
from postgres_server import Server, memory
from sql_job import Job, answer, loaded, read_job

BLOCK = 1 << 20

VISITS = """
CREATE TABLE visits AS
SELECT person, venue, tstzrange(to_timestamp(begins), to_timestamp(ends)) AS during
FROM ({visits}) AS found ORDER BY venue, begins
"""

F1 = """
WITH own AS (
  SELECT venue, tstzrange(lower(infectious), upper(infectious) + make_interval(secs => %(linger)s)) AS during
  FROM (
    SELECT venue, during * tstzrange(%(start)s, %(end)s) AS infectious
    FROM visits WHERE person = %(person)s AND during && tstzrange(%(start)s, %(end)s)
  ) AS cut
), shared AS (
  SELECT theirs.person, theirs.during * own.during AS span
  FROM own JOIN visits AS theirs ON theirs.venue = own.venue AND theirs.during && own.during
  WHERE theirs.person <> %(person)s
)
SELECT person, extract(epoch FROM sum(upper(span) - lower(span))) / 60 AS minutes
FROM shared GROUP BY person HAVING sum(upper(span) - lower(span)) >= make_interval(secs => %(least)s)
"""


def load(db: psycopg.Connection, job: Job) -> None:
    """From the file to a table that may be asked; the scans themselves are not kept."""
    db.execute("CREATE EXTENSION btree_gist")
    db.execute("CREATE UNLOGGED TABLE scans (person bigint, venue integer, scanned bigint, gone smallint)")
    with db.cursor().copy("COPY scans FROM STDIN (FORMAT csv)") as copy, Path(job.scans).open("rb") as file:
        while block := file.read(BLOCK):
            copy.write(block)
    db.execute(f"SET work_mem = '{memory() // 8 >> 20}MB'")
    db.execute("ANALYZE scans")
    db.execute(VISITS.format(visits=job.visits()))
    db.execute("RESET work_mem")
    db.execute("DROP TABLE scans")
    db.execute("CREATE INDEX ON visits USING gist (venue, during)")
    db.execute("CREATE INDEX ON visits (person)")
    db.execute("VACUUM (ANALYZE) visits")


def main() -> None:
    job = read_job()
    with Server(Path(job.programs), Path(job.folder)) as server, psycopg.connect(server, autocommit=True) as db:
        began = time.perf_counter()
        load(db, job)
        db.execute("CHECKPOINT")
        loaded_s = time.perf_counter() - began
        loaded()
        (disk,) = db.execute("SELECT pg_total_relation_size('visits')").fetchone()
        (version,) = db.execute("SELECT current_setting('server_version')").fetchone()
        start, end = job.between()
        figures = {"start": start, "end": end, "linger": job.linger, "least": job.least}

        def ask(person: int) -> list[tuple]:
            return db.execute(F1, {"person": person, **figures}).fetchall()

        answer(job, f"PostgreSQL {version.split()[0]}", loaded_s, disk, ask)


if __name__ == "__main__":
    main()
