"""What acme's platform team wrote of its platform, and in which pull requests somebody left the golden path."""

from sample_data.work.services import REPOSITORIES

# the platform team's own file, several documents; Sixkeys' own keys stand in sixkeys.yaml
PLATFORM = """\
golden_path:
  name: "Standard Web Application"
  description: "Recommended path for web apps"
  components:
    - {name: "Container Registry", provider: "GHCR", access: "Self-service"}
    - {name: "Kubernetes Cluster", provider: "AWS EKS", config: "Pre-configured with security"}
    - {name: "Database", provider: "AWS RDS", options: ["PostgreSQL", "MySQL"]}
  deployment: {github_actions: true, approval_required: false}
  guardrails: ["Required labels", "Resource limits", "Security scanning"]
---
golden_path:
  deployment:
    name: "Container Deployment"
    steps:
      - {name: "Build", tool: "GitHub Actions / Tekton", timeout: "10 minutes"}
      - {name: "Test", tool: "Automated tests", required: true}
      - {name: "Scan", tool: "Security scanner", required: true}
      - {name: "Deploy to Staging", auto: true}
      - {name: "Deploy to Production", auto: true}  # With approval for main branch
---
security:
  defaults:
    network_policy: "deny-all"
    resources:
      requests: {cpu: "100m", memory: "128Mi"}
      limits: {cpu: "500m", memory: "512Mi"}
    secrets: "External secrets operator"
    image_scanning: "trivy"
    dependency_scanning: "Snyk"
    rbac: "Least privilege"
---
platform:
  language_runtimes: ["Go 1.21+", "Node.js 20+", "Python 3.11+"]
  databases: {primary: "PostgreSQL 15", cache: "Redis 7"}
  containers: {base_image: "distroless", registry: "GHCR"}
  ci_cd: {tool: "GitHub Actions", deployment: "ArgoCD / GitHub Actions"}
---
apiVersion: platform.example.com/v1
kind: NamespaceRequest
metadata: {name: orders}
spec:
  team: orders-team
  quota: {requests.cpu: "10", requests.memory: "20Gi", limits.cpu: "20", limits.memory: "40Gi"}
  networkPolicies: {defaultDeny: true, allowIngress: [{fromNamespace: ingress-nginx}]}
"""
# whose pull requests are built and scanned as well: those on a path, identity since it moved to it
ON_PATHS = ("checkout", "identity", "notifications", "search", "fraud-scoring")
# the week in which a service moved to its path, from which on its team works otherwise
MOVED = {
    each.name: each.routine.anew for each in REPOSITORIES if each.routine and each.routine.anew is not None
}
# what went otherwise than the path says, by the pull request's title: of checkout, the last of fraud-scoring
MISSES = {
    "Charge shipping once per order": "no scan",
    "Round prices per line": "test failed",
    "Round the total, not the lines": "scan skipped",
    "Offer payment by invoice": "slow build",
    "Bump httpx from 0.27 to 0.28": "scan first",
    "Show the delivery date": "scan late",
    "Cache the tax rates": "approved by hand",
    "Trust gift cards less": "no scan",
}
