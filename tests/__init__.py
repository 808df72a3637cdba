"""The tests of riskstrat, as one package, so that they can share factories and the oracle."""
