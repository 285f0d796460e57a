"""Builds on an Apache Spark cluster, over Parquet in a folder that all share."""
