"""Load from this machine on this machine: a fixed time, a fixed number of clients."""

import re
import shutil
import socket
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Rate:
    per_second: float
    p50_ms: float
    p99_ms: float


def generator() -> str:
    return "wrk" if shutil.which("wrk") else "built-in client (install wrk for higher floors)"


def get(url: str, *, seconds: float, clients: int = 4) -> Rate:
    return by_wrk(url, seconds, clients) if shutil.which("wrk") else by_threads(url, seconds, clients)


def by_wrk(url: str, seconds: float, clients: int) -> Rate:
    command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--latency", url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said:
        raise RuntimeError(f"{url} answered with errors:\n{said}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    return Rate(rate, in_ms(said, "50%"), in_ms(said, "99%"))


def in_ms(said: str, percentile: str) -> float:
    number, unit = re.search(rf"{percentile}\s+([\d.]+)(us|ms|s)", said).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def by_threads(url: str, seconds: float, clients: int) -> Rate:
    parts = urlsplit(url)
    request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    times: list[float] = []
    ends = time.perf_counter() + seconds

    def run() -> None:
        while (started := time.perf_counter()) < ends:
            with socket.create_connection((parts.hostname, parts.port)) as line:
                line.sendall(request)
                answer = line.recv(65536)
                if not answer.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"{url} answered {answer[:40]!r}")
                while line.recv(65536):
                    pass
            times.append(time.perf_counter() - started)

    in_parallel(run, clients)
    return summary(times, seconds)


def summary(times: list[float], seconds: float) -> Rate:
    cuts = statistics.quantiles(times, n=100)
    return Rate(rate(times, seconds), cuts[49] * 1000, cuts[98] * 1000)


def rate(times: list[float], seconds: float) -> float:
    return len(times) / seconds


def in_parallel(run: object, clients: int) -> None:
    """Runs it in threads to the end and raises what the first of them raised."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            run()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 -- handed to the caller below
            failures.append(error)

    threads = [threading.Thread(target=guarded) for _client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
