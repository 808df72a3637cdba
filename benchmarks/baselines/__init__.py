"""The features of a run written once more in polars and in pandas, to measure riskstrat against."""
