"""What people call the same language, database, container base, registry or tool: `node`, `TypeScript` and Node.js."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.platform_team.paved_road import RoadChoice, name_and_version


def plain_name(name: str) -> str:
    """A name without what people write in several ways: letter case, blanks, dashes and dots."""
    return re.sub(r"[^a-z0-9+#]", "", name.lower())


def _known(told: str) -> dict[str, str]:
    """Every way to write a name, in its plain form, with the first of its line."""
    return {
        plain_name(name): names[0]
        for line in told.strip().splitlines()
        if (names := line.split(", "))
        for name in names
    }


RUNTIMES = _known("""
Go, golang
Node.js, node, nodejs, javascript, typescript, js, ts
Python, py, python2, python3, Jupyter Notebook
Java, jdk, openjdk, jre
Kotlin
Scala
Groovy
Clojure
Ruby, rails
PHP
Rust
.NET, dotnet, c#, csharp, f#, fsharp, Visual Basic .NET
C++, cpp
C
Elixir
Erlang
Haskell
Swift
Dart
Perl
Shell, bash
PowerShell
Lua
R
Julia
""")
# languages of files that run nowhere by themselves: they tell nothing of a service's runtime
NO_RUNTIMES = _known("""
HCL, Dockerfile, Makefile, CMake, Nix, Starlark, Bicep, Batchfile, Procfile, Just
HTML, CSS, SCSS, Sass, Less, Markdown, MDX, TeX
Jinja, Smarty, Mustache, Handlebars, Go Template, Gherkin
TSQL, PLpgSQL, PLSQL, SQLPL
YAML, JSON, Jsonnet, CUE, Open Policy Agent, Thrift, Protocol Buffer, GraphQL
""")
DATABASES = _known("""
PostgreSQL, postgres, pg, pgsql, psql, aurora-postgresql, rds-postgresql, cloudsql-postgresql, timescaledb
MySQL, aurora-mysql, rds-mysql
MariaDB
MongoDB, mongo, documentdb
Oracle, oracledb, oracle-database
SQL Server, mssql, sqlserver, azure-sql
DynamoDB
Cassandra
ScyllaDB, scylla
CockroachDB, cockroach
SQLite
Elasticsearch
OpenSearch
Neo4j
ClickHouse
Firestore
Bigtable
Spanner
Cosmos DB, cosmosdb
CouchDB
InfluxDB
Db2
""")
CACHES = _known("""
Redis
Valkey
Memcached, memcache
Hazelcast
KeyDB
Dragonfly, dragonflydb
""")
BASES = _known("""
distroless
Alpine
Debian
Ubuntu
CentOS
UBI, ubi-minimal, ubi8, ubi9
Chainguard, wolfi
BusyBox
scratch
Amazon Linux, amazonlinux
""")
CI_TOOLS = _known("""
GitHub Actions, githubactions, gha
Jenkins
GitLab CI, gitlab-ci
CircleCI
Azure Pipelines, azure-devops
Travis CI, travis
TeamCity
Buildkite
Tekton
Drone
Bamboo
Argo Workflows
Concourse
""")
DEPLOYERS = _known("""
Argo CD, argocd
Flux, fluxcd
GitHub Actions, githubactions, gha, GitHub deployments, workflow runs
releases
tags
Spinnaker
Jenkins
Octopus Deploy, octopus
Harness
""")
REGISTRIES = _known("""
ECR, aws-ecr, amazon-ecr, Elastic Container Registry
GHCR, GitHub Container Registry, GitHub Packages
Artifact Registry, gar, gcr, Google Artifact Registry, Google Container Registry
ACR, Azure Container Registry
Docker Hub, dockerhub, docker
Quay, quay.io
GitLab, GitLab Container Registry
""")
_HOSTS = (
    (r"[0-9]+\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|public\.ecr\.aws", "ECR"),
    (r"ghcr\.io", "GHCR"),
    (r"([a-z]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev", "Artifact Registry"),
    (r"[a-z0-9]+\.azurecr\.(io|cn|us)", "ACR"),
    (r"docker\.io|(index|registry-1)\.docker\.io", "Docker Hub"),
    (r"quay\.io", "Quay"),
    (r"registry\.gitlab\.com", "GitLab"),
)


@dataclass(frozen=True)
class FoundName:
    """What was found of a service: what it is called, its version where one is told, and by what it is known."""

    name: str
    version: str | None
    by: str

    def __str__(self) -> str:
        return f"{self.name}{f' {self.version}' if self.version else ''} ({self.by})"


def named_by(texts: Iterable[str], known: Mapping[str, str], by: str) -> list[FoundName]:
    """Those of the texts that name something known, such as the tag `python-3.9`."""
    found = []
    for told in texts:
        if name := known.get(plain_name(told)):
            # `ubi9` and `python3` are names, and tell their version
            version = (
                re.search(r"[0-9]+$", told)
                if plain_name(name) != plain_name(told) and not name[-1].isdigit()
                else None
            )
            found.append(FoundName(name, version[0] if version else None, by))
            continue
        word, version_told = name_and_version(told)
        if name := known.get(plain_name(word)):
            found.append(FoundName(name, version_told, by))
    return list(dict.fromkeys(found))


def host_of_image(image: str) -> str:
    """The host that an image is pulled from: Docker's own where it names none."""
    first, slash, _ = image.partition("/")
    return first.lower() if slash and (set(first) & set(".:") or first == "localhost") else "docker.io"


def registry_of(image: str) -> str:
    """The registry of an image by its name, or its host where that is nobody's in particular."""
    host = host_of_image(image).partition(":")[0]
    return next((name for pattern, name in _HOSTS if re.fullmatch(pattern, host)), host_of_image(image))


def is_on(found: FoundName, choices: Iterable[RoadChoice], known: Mapping[str, str]) -> bool:
    """Whether what was found is one of the choices, in one of their versions."""
    key = known.get(plain_name(found.name), plain_name(found.name))
    return any(
        known.get(plain_name(choice.name), plain_name(choice.name)) == key and choice.holds(found.version)
        for choice in choices
    )
