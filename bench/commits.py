"""The floor of everything that is written: bare commits of one small row, over the same number of connections."""

import time

import psycopg

from bench.load import in_parallel


def per_second(database_url: str, *, seconds: float, clients: int) -> float:
    counts: list[int] = []
    with psycopg.connect(database_url, autocommit=True) as database:
        database.execute("CREATE TABLE IF NOT EXISTS bench_commit (id bigserial PRIMARY KEY, word text)")
    ends = time.perf_counter() + seconds

    def client() -> None:
        count = 0
        with psycopg.connect(database_url, autocommit=True, prepare_threshold=1) as database:
            while time.perf_counter() < ends:
                database.execute("INSERT INTO bench_commit (word) VALUES ('beban')")
                count += 1
        counts.append(count)

    in_parallel(client, clients)
    return sum(counts) / seconds
