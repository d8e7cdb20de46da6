"""The cluster of compose.cluster.yaml: what it is made of, and a drill on it as it runs."""
