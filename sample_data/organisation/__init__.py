"""The work played out: git histories, GitHub's, Argo CD's and PagerDuty's objects, catalogue and survey files."""
