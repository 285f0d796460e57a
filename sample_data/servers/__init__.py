"""A server on loopback that speaks GitHub's, git's, Argo CD's and PagerDuty's APIs, and their faults."""
