"""A cluster needs pyspark and Java, which `make spark` brings."""

import shutil
from importlib.util import find_spec

if find_spec("pyspark") is None or shutil.which("java") is None:
    collect_ignore = ["test_on_a_cluster.py"]
