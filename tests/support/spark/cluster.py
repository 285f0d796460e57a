"""A standalone Spark cluster on loopback: a master and two workers, each a process of its own, and builds on it.

A process that takes part in it is a server of Spark Connect as well, for as long as it does.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import httpx

from tests.support.places import ROOT
from tests.support.spark import building

WITHIN, TOO_LONG = 60.0, 900.0
_MASTER, _WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"
_CONNECT = """
spark.plugins org.apache.spark.sql.connect.SparkConnectPlugin
spark.connect.grpc.binding.address 127.0.0.1
spark.connect.grpc.binding.port {port}
"""
# what is small is planned and run with as little work as can be
_DEFAULTS = """
spark.driver.host 127.0.0.1
spark.driver.memory 1g
spark.executor.memory 800m
spark.executor.cores 1
spark.sql.shuffle.partitions 2
spark.ui.enabled false
spark.sql.adaptive.enabled false
spark.sql.autoBroadcastJoinThreshold -1
spark.sql.constraintPropagation.enabled false
spark.sql.lightweightPlanChangeValidation false
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
"""


@dataclass
class SparkCluster:
    """`address` is the master's, `connected` that of who takes part; `workers` are processes that a test may kill."""

    address: str
    connected: str
    environment: dict[str, str]
    workers: list[subprocess.Popen[bytes]]
    folder: Path

    @contextmanager
    def building(self, *asked: tuple[Path, Path, datetime]) -> Iterator[Iterator[str]]:
        """The steps of a process that builds each of `asked`: configuration, warehouse, as of.

        It ends with the block, and takes part in the cluster until then.
        """
        each = [str(value) for one in asked for value in one]
        command = ["-m", "tests.support.spark.building", self.address, str(self.folder), *each]
        with subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as process:
            too_long = threading.Timer(TOO_LONG, process.kill)
            too_long.start()
            try:
                assert process.stdin
                assert process.stdout
                yield iter(lambda: process.stdout.readline().strip() or building.MADE, building.MADE)
                process.stdin.close()
                assert process.wait() == 0
            finally:
                too_long.cancel()
                process.kill()


@contextmanager
def spark_cluster(folder: Path, memory: str = "1g") -> Iterator[SparkCluster]:
    """The cluster, whose two workers have registered, each with a processor and `memory`; ended with the block."""
    spec = find_spec("pyspark")
    assert spec
    assert spec.origin
    home = Path(spec.origin).parent
    (folder / "conf").mkdir(parents=True)
    serves = _free_port()
    (folder / "conf" / "spark-defaults.conf").write_text(_DEFAULTS + _CONNECT.format(port=serves))
    environment = os.environ | {
        "SPARK_HOME": str(home),
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": str(folder / "work"),
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    processes: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> None:
        with (folder / f"{len(processes)}.log").open("wb") as log:
            processes.append(
                subprocess.Popen(
                    [home / "bin" / "spark-class", *arguments], env=environment, stdout=log, stderr=log
                )
            )

    port, page = _free_port(), _free_port()
    address = f"spark://127.0.0.1:{port}"
    try:
        start(_MASTER, "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(page))
        for _ in range(2):
            start(
                _WORKER,
                "--host",
                "127.0.0.1",
                "--cores",
                "1",
                "--memory",
                memory,
                "--webui-port",
                "0",
                address,
            )
        _wait_for_workers(f"http://127.0.0.1:{page}/json/")
        yield SparkCluster(address, f"sc://127.0.0.1:{serves}", environment, processes[1:], folder)
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for_workers(page: str) -> None:
    until = time.monotonic() + WITHIN
    while time.monotonic() < until:
        try:
            if httpx.get(page).json()["aliveworkers"] == 2:
                return
        except (httpx.TransportError, ValueError):  # not up, or not ready
            pass
        time.sleep(0.2)
    raise AssertionError("the workers have not registered")
