"""Finds the cluster that an address names, and tells in one line why it cannot be built on.

ClusterError(SixkeysError)   the cluster is not there, cannot take part, or failed
"""

import logging
import os
import platform
import re
import shutil
import socket
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb

from config.errors import ConfigurationError, SixkeysError
from config.settings import Settings
from config.text.quoting import quoted, shortened
from warehouse.building.spark.engine import SparkEngine
from warehouse.building.spark.on_workers import LOOKED, looking
from warehouse.building.steps import Engine, OpenEngine
from warehouse.metrics.definitions import definitions

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMES = ("spark", "sc")
# a name is looked up and a port answers in less; the first work is taken up when the cluster has a worker to spare
_ANSWERS_WITHIN, _BEGINS_WITHIN = 10.0, 120.0
# with ever longer pauses, so that a server of Spark Connect that has gone is missed after a minute
_RETRIES = 6
# as many as find every worker, most likely
_LOOKS = 32
# of Spark Connect where its address names none
_PORT = 15002
# a timestamp is an instant in UTC without a zone, as in the warehouse; what has no answer fails
_SETTINGS = {
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.cteRecursionRowLimit": "-1",
    # a join that expects as many parts on both sides fails where a union kept those of its tables
    "spark.sql.unionOutputPartitioning": "false",
}
# the forms that DuckDB has or `create_macros` gives it
_FORMS = (
    "seconds_between(a timestamp, b timestamp) returns double"
    " return cast(timestampdiff(microsecond, a, b) as double) / 1000000d",
    "local_time(t timestamp) returns timestamp return convert_timezone('UTC', '{zone}', t)",
    "texts_of(a string, b string, c string default null, d string default null) returns array<string>"
    " return array_compact(array(a, b, c, d))",
    "in_order(texts array<string>, separator string) returns string"
    " return nullif(array_join(array_sort(texts), separator), '')",
    "regexp_matches(text string, pattern string) returns boolean return text rlike pattern",
    "starts_with(text string, beginning string) returns boolean return startswith(text, beginning)",
)


class ClusterError(SixkeysError):
    """The cluster is not there, cannot take part, or failed: which one, and what to do."""


def on_spark(address: str, shared: Path, settings: Settings) -> OpenEngine:
    """The engine at `address`, spark://host:port or sc://host:port, whose workers see the folder `shared`.

    Raises ConfigurationError and ClusterError, both here and while it runs.
    """
    place = _place(address)
    if find_spec("pyspark") is None:
        raise ConfigurationError(f"{place}: a build on Spark needs pyspark: pip install 'sixkeys[spark]'")
    if place.startswith("spark://") and not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise ConfigurationError(
            f"{place}: this machine takes part in the cluster and needs Java 17 or newer; install it, or ask a server"
            " of Spark Connect with sc://host:port"
        )
    # a build has the warehouse to itself, so what lies in a folder of its name is what one left that was killed
    of = f"{platform.node()}{settings.warehouse.resolve()}"
    shared = shared.resolve()
    ours = shared / f"sixkeys-{uuid.uuid5(uuid.NAMESPACE_URL, of).hex[:12]}"
    # of this build alone: a server of Spark Connect may go on writing for one that was killed
    folder = ours / uuid.uuid4().hex[:12]

    if set(str(folder)) & set("*?[]{}\\"):
        raise ConfigurationError(
            f"{shared}: Spark takes *, ?, [], {{}} and \\ in a path for patterns; name another folder with"
            " --shared-folder"
        )

    @contextmanager
    def engine(connection: duckdb.DuckDBPyConnection, facts: str) -> Iterator[Engine]:
        _require_answer(place)
        shutil.rmtree(ours, ignore_errors=True)
        try:
            folder.mkdir(parents=True)
            with _told(place, folder, shared), _session(address, place, settings.timezone) as spark:
                _require_workers(spark, folder, place, shared)
                yield SparkEngine(spark, connection, facts, folder)
        finally:
            shutil.rmtree(ours, ignore_errors=True)

    return engine


def _place(address: str) -> str:
    """The address without what Spark Connect may have behind it, such as a token."""
    plain = address.partition(";")[0]
    try:
        parts = urlsplit(plain)
        is_whole = parts.scheme in SCHEMES and parts.hostname and (parts.port or parts.scheme == "sc")
    except ValueError:
        is_whole = False
    if not is_whole:
        raise ConfigurationError(
            f"--engine: {quoted(plain)} is no cluster; write spark://host:port or sc://host:port"
        )
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _require_answer(place: str) -> None:
    parts = urlsplit(place)
    try:
        socket.create_connection((parts.hostname, parts.port or _PORT), _ANSWERS_WITHIN).close()
    except OSError as error:
        raise ClusterError(
            f"{place}: no Spark answers there ({error.strerror or error}); start it or name another with --engine"
        ) from None


@contextmanager
def _session(address: str, place: str, timezone: str) -> Iterator["SparkSession"]:
    warnings.filterwarnings("ignore", module="pyspark")  # what goes wrong comes as an error, too
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    spark = _connected(address, place) if address.startswith("sc://") else _taking_part(address)
    try:
        for key, value in _SETTINGS.items():
            spark.conf.set(key, value)
        for form in _FORMS:
            spark.sql(f"create or replace temporary function {form.format(zone=timezone)}")
        yield spark
    finally:
        if address.startswith("sc://"):
            spark.client.set_retry_policies([])  # a server that has gone has been waited for
        spark.stop()


def _taking_part(address: str) -> "SparkSession":
    from pyspark.sql import SparkSession

    with _without_its_words():
        return (
            SparkSession.builder.appName("sixkeys build")
            .master(address)
            .config("spark.log.level", "ERROR")
            .getOrCreate()
        )


def _connected(address: str, place: str) -> "SparkSession":
    """A session of Spark Connect; by itself it would ask for ten minutes what no server of it answers."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # before grpc, since it says where that is missing
    from pyspark.sql.connect.client import DefaultChannelBuilder  # isort: split
    import grpc
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    state, states = None, SimpleQueue[object]()
    ends = {grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE}
    with suppress(Empty), DefaultChannelBuilder(address).toChannel() as channel:
        channel.subscribe(states.put, try_to_connect=True)
        while (state := states.get(timeout=_ANSWERS_WITHIN)) not in ends:
            pass
    if state is not grpc.ChannelConnectivity.READY:
        raise ClusterError(
            f"{place}: what answers there is no server of Spark Connect, or one without TLS, which a token asks for;"
            " name another with --engine"
        )
    spark = SparkSession.builder.appName("sixkeys build").remote(address).create()
    spark.client.set_retry_policies([DefaultPolicy(max_retries=_RETRIES)])
    return spark


@contextmanager
def _without_its_words() -> Iterator[None]:
    """Starts Java without what it writes to stderr: what goes wrong comes as an error, too."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _require_workers(spark: "SparkSession", folder: Path, place: str, shared: Path) -> None:
    """Raises ClusterError where no worker begins within two minutes, or one of them cannot take part."""
    token = folder / "seen-by-all"
    token.touch()
    columns = ", ".join(
        f"{field.name} {'boolean' if field.name == 'is_shared' else 'string'}" for field in LOOKED
    )
    looks = spark.range(0, _LOOKS, 1, _LOOKS).mapInArrow(looking(token), columns).distinct()
    found: list[tuple[bool, str]] = []
    failed: list[BaseException] = []

    def look() -> None:
        try:
            found.extend(tuple(row) for row in looks.collect())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(_BEGINS_WITHIN)
    if failed:
        raise failed[0]
    if thread.is_alive():
        raise ClusterError(
            f"{place}: no worker has begun within {_BEGINS_WITHIN:.0f} seconds; see in Spark's own pages whether it"
            " has processors and memory to spare"
        )
    if not all(is_shared for is_shared, _ in found):
        raise ClusterError(
            f"{shared}: a worker of {place} does not see this folder; name one that all of them share with"
            " --shared-folder"
        )
    if others := {version for _, version in found} - {definitions()}:
        raise ClusterError(
            f"{place}: a worker has Sixkeys {min(others)} and this is {definitions()}; install the same on each"
        )


@contextmanager
def _told(place: str, folder: Path, shared: Path) -> Iterator[None]:
    """Tells in one line what Spark says in many, and what cannot be read in the folder that it shares."""
    try:
        yield
    except duckdb.IOException as error:
        if str(folder) not in str(error):
            raise
        raise ClusterError(
            f"{shared}: what {place} made is not there; name a folder that this machine and all workers share"
            " with --shared-folder"
        ) from None
    except ConnectionError:
        raise ClusterError(
            f"{place}: Spark's part on this machine has ended by itself; see that it may write to SPARK_LOCAL_DIRS and"
            " has spark.driver.memory enough"
        ) from None
    except Exception as error:
        # whichever of them it has: its client for Connect comes without Java's part
        if not type(error).__module__.startswith(("pyspark.", "py4j.")):
            raise
        raise ClusterError(f"{place}: {_plainly(str(error))}") from None


def _plainly(said: str) -> str:
    if "JAVA_GATEWAY_EXITED" in said:
        return "Java did not start here; see that JAVA_HOME, or java where it is not set, is Java 17 or newer"
    if "StatusCode.UNAVAILABLE" in said:
        return "the server of Spark Connect has gone; see why in its log, and build again when it is up"
    if "stopped SparkContext" in said:
        return (
            "no master of Spark has taken the build in, or it has ended it; see that Spark 4.3 or newer runs there, and"
            " in its pages why"
        )
    if missing := re.search(r"No module named '([\w.]+)'", said):
        return (
            f"the workers' Python has no {missing[1]}; install Sixkeys of this version there, and name that Python in"
            " PYSPARK_PYTHON"
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # of Python the cause stands last, of Java first and behind a colon
    python = [line for line in said.splitlines() if re.match(r"[\w.]+(Error|Exception): ", line)]
    java = [line.removeprefix(": ") for line in lines if line.startswith(": ")]
    return shortened((python[-1:] or java[:1] or lines[:1] or ["failed, and does not say why"])[0], 300)
