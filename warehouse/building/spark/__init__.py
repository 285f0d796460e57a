"""A build on an Apache Spark cluster: the same models and the same walk, over Parquet in a folder that all share."""
