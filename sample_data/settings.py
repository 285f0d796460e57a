"""The configuration with which Sixkeys collects from the sample organisation's server."""

import json
import os
from datetime import timedelta
from pathlib import Path

from sample_data.model import Organisation
from sample_data.work.weeks import Weeks

_SETTINGS = """\
# Sixkeys' settings for the sample organisation. "sixkeys init" writes a fuller example for an organisation of your own.
organization: {name}
timezone: Europe/Berlin      # days, weeks and months begin at midnight here
warehouse: warehouse/{name}.duckdb

sources:                     # where data comes from; each is optional
  github:
    url: {url}/api/v3
    token: {token}
    repositories: ["{name}/*"]
    since: {since}
  argocd:
    - {{name: main, url: "{url}/argocd", token: {token}}}
  pagerduty: {{url: "{url}/pagerduty", token: {token}, since: {since}}}
  survey:
    files:
      - "surveys/*.csv"
      - files: "forms/*.csv"   # as a form exports it: which columns hold what
        columns:
          {{submitted_at: Timestamp, respondent: Person, team: Your team, round: Round, closes_at: Closes,
            comments: ["What is missing?"]}}
        questions:
          - {{column: I can deploy whenever I want, question: deploys, answers: ["No", Sometimes, "Yes"]}}
          - {{column: I find what I need in the documentation, question: documentation}}
  catalog:                   # who owns what: Backstage descriptors, here and in the repositories
    files: ["catalog/*.yaml"]
    from_github: true
    # or Backstage itself, which this server speaks too:
    # backstage: {{url: "{url}/backstage", token: {token}}}

production:                  # environments of GitHub, clusters of Argo CD
  environments: ["production*", "prod-*"]
deployments:                 # which source tells of deployments; the first that knows a service is believed
  sources: [argocd, deployments, releases]
  tags: ["v*"]               # releases of these tags are deployments
bots: ["*[bot]", "renovate*"]
incidents:
  window: 24h                # an incident this soon after a deployment is blamed on it
  urgencies: [high]
  links: ["links/*.csv"]     # what people found out about causes
hotfix: {{labels: [hotfix], branches: ["hotfix/*"]}}

metrics:                     # the targets; the other two metrics are shown without one
  - name: "Time to First Commit (TTFC)"
    description: "Time from repo creation to first commit"
    target: "< 30 minutes"
  - name: "Deployment Frequency"
    description: "How often deployments occur"
    target: "> 10/day"
    team_target: "> 3/week"    # a frequency is not inherited
  - name: "Lead Time for Changes"
    description: "Time from commit to production"
    target: "< 1 hour"
    overrides:
      - {{team: payments, target: "< 2 days"}}  # every change is approved by a second person
  - name: "Change Failure Rate"
    description: "% of deployments causing failures"
    target: "< 5%"
  - name: "MTTR"
    description: "Time to recover from failures"
    target: "< 30 minutes"
    goal: {{by: {goal_by}, from: {goal_from}}}
  - name: "Developer Satisfaction (DSAT)"
    description: "Platform satisfaction score"
    target: "> 4.5/5"
  - name: "Golden Path Adoption"
    target: "> 40%"
  - name: "Golden Path Conformance"
    target: "> 95%"
  - name: "Guardrail Compliance"
    target: "> 80%"
  - name: "Self-Service Time"
    target: "< 1 hour"
  - name: "Time to First Deployment"
    target: "< 7 days"
  - name: "Paved Road Share"
    target: "> 50%"

{platform}golden_paths:                # what only Sixkeys asks for, beside the platform team's own file
  - name: Container Deployment
    members: {{templates: ["*/python-service"]}}  # others name it in the annotation sixkeys.dev/golden-path

security:                    # what the guardrails of that file leave open
  guardrails:
    required_labels: [app.kubernetes.io/name, acme.example/team]
    registries: ["ghcr.io/acme"]

survey: {{satisfaction: [platform, recommend]}}  # the other questions are drivers

events:                      # marked on charts; what they touched is compared before and after
  - files: "events/*.csv"

self_service:                # what teams ask of the platform by a change to a file, and what makes it ready
  requests:
    - name: Namespace
      repository: {name}/infrastructure
      paths: ["namespaces/*.yaml"]
      kind: NamespaceRequest
      ready: {{applications: [platform-namespaces]}}
    - name: Database
      repository: {name}/infrastructure
      paths: ["terraform/**"]
      module: database
      ready: {{workflow: terraform.yml}}
  tickets: ["requests/*.csv"]  # what is still asked for by ticket

reports: {{directory: scorecards}}
"""

_PLATFORM = """\
platform:                    # what the platform team wrote, as it is
  files: ["platform.yaml"]

"""


def demo_settings(organisation: Organisation, server_url: str, folder: Path, token: str) -> Path:
    """Writes `sixkeys.yaml` into `folder` and returns its path.

    Beside it go the token (readable by its owner only), the survey's answers, the catalogue, links by hand, events.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    own = organisation
    files = own.survey_files | own.catalog_files | own.link_files | own.event_files | own.platform_files
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    token_file = folder / "token"
    token_file.unlink(missing_ok=True)
    with os.fdopen(os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token + "\n")
    settings = folder / "sixkeys.yaml"
    first_day = Weeks(organisation.now.date()).first_day
    text = _SETTINGS.format(
        name=organisation.name,
        platform=_PLATFORM if organisation.platform_files else "",
        url=server_url.rstrip("/"),
        token=json.dumps(f"file:{token_file}"),
        since=first_day,
        goal_from=first_day + timedelta(weeks=11),
        goal_by=first_day + timedelta(weeks=58),
    )
    settings.write_text(text, encoding="utf-8")
    return settings
