"""DuckDB as a peer of `truyvet bench case`, run by the Python of .peers/venv (console/bench/sql_peers.py).

In a file; visits in the order of venue and time, so that the smallest and greatest values it keeps of each row group
leave most of the table unread. It has no index that would serve ranges.
"""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
from sql_job import answer, loaded, read_job

THREADS = 2

LOAD = """
CREATE TABLE visits AS
WITH scans AS (
  SELECT * FROM read_csv($scans, header = false,
    columns = {{'person': 'BIGINT', 'venue': 'INTEGER', 'scanned': 'BIGINT', 'gone': 'TINYINT'}})
)
SELECT person, venue, make_timestamp(begins * 1000000) AS begins, make_timestamp(ends * 1000000) AS ends
FROM ({visits}) ORDER BY venue, begins
"""

F1 = """
WITH own AS (
  SELECT venue, greatest(begins, $start) AS begins, least(ends, $end) + to_seconds($linger) AS ends
  FROM visits WHERE person = $person AND begins < $end AND ends > $start
), shared AS (
  SELECT theirs.person, least(theirs.ends, own.ends) - greatest(theirs.begins, own.begins) AS span
  FROM own JOIN visits AS theirs
    ON theirs.venue = own.venue AND theirs.begins < own.ends AND theirs.ends > own.begins
  WHERE theirs.person <> $person
)
SELECT person, sum(epoch(span)) / 60 AS minutes FROM shared GROUP BY person HAVING sum(epoch(span)) >= $least
"""


def main() -> None:
    job = read_job()
    file = Path(job.folder) / "visits.duckdb"
    db = duckdb.connect(str(file), config={"threads": THREADS})
    began = time.perf_counter()
    db.execute(LOAD.format(visits=job.visits()), {"scans": job.scans})
    db.execute("CHECKPOINT")
    loaded_s = time.perf_counter() - began
    loaded()
    start, end = (at.replace(tzinfo=None) for at in job.between())
    figures = {"start": start, "end": end, "linger": job.linger, "least": job.least}

    def ask(person: int) -> list[tuple]:
        return db.execute(F1, {"person": person, **figures}).fetchall()

    answer(job, f"DuckDB {duckdb.__version__}", loaded_s, file.stat().st_size, ask)


if __name__ == "__main__":
    main()
